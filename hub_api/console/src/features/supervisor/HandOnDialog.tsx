/** Give a conversation to a person, take it oneself, or send it to another queue. */
import { useTranslation } from 'react-i18next'
import { api, data } from '../../api/client'
import { useMe } from '../../app/session'
import { FormDialog } from '../../shared/admin/FormDialog'
import type { useDeeds } from '../../shared/admin/useAdmin'
import { words } from '../../shared/admin/values'
import { useColleagues } from '../../shared/useColleagues'
import { useQueues } from '../inbox/Filters'

interface Props {
  id: string
  protocol: string
  deeds: ReturnType<typeof useDeeds>
}

const AGENT = 'agent '
const QUEUE = 'queue '

export function HandOnDialog({ id, protocol, deeds }: Props) {
  const { t } = useTranslation('boards')
  const me = useMe()
  const colleagues = [...useColleagues().values()].filter((one) => one.user_id !== me.id)
  const queues = useQueues().data?.filter((one) => one.active) ?? []
  const options = [
    { value: AGENT + me.id, label: t('hand_on.me') },
    ...queues.map((one) => ({ value: QUEUE + one.key, label: t('hand_on.queue', { name: one.name }) })),
    ...colleagues
      .sort((a, b) => Number(b.presence === 'online') - Number(a.presence === 'online') || a.name.localeCompare(b.name))
      .map((one) => ({ value: AGENT + one.user_id, label: `${one.name} (${t(`presence.${one.presence}`)})` })),
  ]
  const send = async (to: string, note: string | null) => {
    const path = { conversation_id: id }
    if (to.startsWith(AGENT)) {
      const body = { agent_id: to.slice(AGENT.length), reason: 'handed_on', note }
      await data(api.POST('/api/v1/conversations/{conversation_id}/assign', { params: { path }, body }))
    } else {
      const body = { queue: to.slice(QUEUE.length), reason: 'transferred', note }
      await data(api.POST('/api/v1/conversations/{conversation_id}/transfer', { params: { path }, body }))
    }
    await deeds.done(t('hand_on.done'))
  }
  return (
    <FormDialog
      title={t('hand_on.title')}
      text={t('hand_on.of', { protocol })}
      fields={[
        { name: 'to', label: t('hand_on.to'), kind: 'select', options, required: true },
        { name: 'note', label: t('hand_on.note'), kind: 'long', maxLength: 2000 },
      ]}
      start={{ to: AGENT + me.id }}
      confirm={t('hand_on.confirm')}
      onSubmit={(values) => send(String(values.to), words(values.note))}
      onClose={deeds.close}
    />
  )
}
