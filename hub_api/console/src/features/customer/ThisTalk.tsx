/** How this conversation goes and how it ended: what its head has no room for. */
import { Link as MuiLink } from '@mui/material'
import { useTranslation } from 'react-i18next'
import { Link } from 'wouter'
import type { Conversation } from '../../api/types'
import { dateTime, millisecondsOf } from '../../shared/format'
import { tookOf } from '../../shared/since'
import { useOutcomes } from '../conversation/useOutcomes'
import type { ListName } from '../inbox/lists'
import { Fact, Facts, Section } from './Parts'

export function ThisTalk({ conversation: one, list }: { conversation: Conversation; list: ListName }) {
  const { t, i18n } = useTranslation()
  const { t: d } = useTranslation('desk')
  const { language } = i18n
  const outcomes = useOutcomes(one.disposition !== null)
  const outcome = outcomes.data?.find((known) => known.key === one.disposition)?.name ?? one.disposition
  return (
    <Section title={d('talk.title')}>
      <Facts>
        <Fact name={d('talk.opened')}>{dateTime(one.opened_at, language)}</Fact>
        <Fact name={d('labels.priority')}>
          {one.priority === 1 ? d('labels.normal') : t(`priority.${one.priority as 2 | 3 | 4 | 5}`)}
        </Fact>
        {one.avg_response_time !== null && (
          <Fact name={d('talk.answers')}>{tookOf(millisecondsOf(one.avg_response_time), language)}</Fact>
        )}
        {one.reopened_count > 0 && <Fact name={d('talk.reopened')}>{one.reopened_count}</Fact>}
        {outcome !== null && <Fact name={t('conversation.outcome')}>{outcome}</Fact>}
        {one.spam_at && <Fact name={d('talk.spam')}>{dateTime(one.spam_at, language)}</Fact>}
        {one.previous_id && (
          <Fact name={d('talk.before')}>
            <MuiLink component={Link} href={`/${list}/${one.previous_id}`} underline="hover">
              {d('talk.open_before')}
            </MuiLink>
          </Fact>
        )}
      </Facts>
    </Section>
  )
}
