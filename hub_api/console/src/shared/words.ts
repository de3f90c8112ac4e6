/** What went wrong, in the reader's language: by the problem's code where we have words for it. */
import type { TFunction } from 'i18next'
import { problemOf } from '../api/problem'

const KNOWN = [
  'wrong_credentials', 'wrong_code', 'too_many_requests', 'unavailable', 'offline', 'unauthorized', 'forbidden', 'csrf',
  'not_found', 'conversation_state', 'conversation_closed', 'window_closed', 'invalid', 'no_way_for_codes', 'file_refused',
  'media_not_sendable', 'template_not_approved', 'template_mismatch', 'too_large', 'conflict', 'not_reactable', 'disposition_required',
  'too_expensive', 'customers_not_built', 'segment_in_use', 'file_too_large',
  'stale', 'campaign_state', 'needs_second_person', 'campaign_under_way', 'campaign_blocked',
] as const // biome-ignore format: a list of words

type Known = (typeof KNOWN)[number]

/** Why the channel refused something, by its code; what it said itself where we have no words of our own. */
export function channelWords(code: number | string, said: string | null | undefined, t: TFunction): string {
  return t(`channel_error.${code}` as 'channel_error.131026', { defaultValue: said ?? '' })
}

export function wordsFor(error: unknown, t: TFunction): string {
  const problem = problemOf(error)
  const known = KNOWN.find((one): one is Known => one === problem.code)
  return known ? t(`problem.${known}`) : t('problem.other', { detail: problem.message })
}
