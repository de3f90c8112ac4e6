/** Words for what the log names by codes, and where its objects are shown. The hub's tests look that no code lacks words. */
import type { TFunction } from 'i18next'

type Words = TFunction<'audit'>

export const actionWords = (t: Words, code: string) =>
  t(`action.${code}` as 'action.message.sent', { defaultValue: code })

export const objectWords = (t: Words, kind: string) => t(`object.${kind}` as 'object.message', { defaultValue: kind })

/** What there are words for: the choices of the filters. */
export function actionCodes(t: Words): string[] {
  const areas = Object.entries<object>(t('action', { returnObjects: true }))
  return areas.flatMap(([area, deeds]) => Object.keys(deeds).map((deed) => `${area}.${deed}`))
}

export const objectKinds = (t: Words) => Object.keys(t('object', { returnObjects: true }))

/** The name, or what kind of actor it is with the end of its id; an actor of no known kind as it is written. */
export function actorWords(t: Words, actor: string, name: string | null | undefined): string {
  if (name) return name
  const [kind, id] = actor.split(':')
  const words = t(`actor.${kind}` as 'actor.user', { defaultValue: '' })
  if (!words) return actor
  return id ? `${words} …${id.slice(-8)}` : words
}

/** What a program is, to stand below its name; a person's name needs no more. */
export function programWords(t: Words, actor: string): string | null {
  const kind = actor.split(':')[0]
  return kind === 'key' || kind === 'openid_client' ? t(`actor.${kind}`) : null
}

const PAGES: Record<string, { base: string; permission: string }> = {
  conversation: { base: '/all', permission: 'conversations:read' },
  campaign: { base: '/campaigns', permission: 'campaigns:read' },
  segment: { base: '/segments', permission: 'campaigns:read' },
}

/** The address of the object's page; null: it has none, or the reader may not open it. */
export function pageOf(kind: string, id: string | null, permissions: string[]): string | null {
  const page = PAGES[kind]
  return page && id && permissions.includes(page.permission) ? `${page.base}/${id}` : null
}
