/** What a rule decided, in words: "Winner: promotes B". */
import { useTranslation } from 'react-i18next'

const RULES = ['winner', 'thompson', 'mismatch', 'smooth_start', 'budget', 'guardrail', 'template'] as const
const OUTCOMES = ['promote', 'reallocate', 'stop', 'go_on', 'undecided'] as const

export function useDecided(): (rule: string, outcome: string, evidence: unknown) => string {
  const { t } = useTranslation('campaigns')
  return (rule, outcome, evidence) => {
    const { winner } = (evidence ?? {}) as { winner?: unknown }
    const words = t(`outcome.${outcome as (typeof OUTCOMES)[number]}`, { defaultValue: outcome })
    return [
      `${t(`rule.${rule as (typeof RULES)[number]}`, { defaultValue: rule })}:`,
      words,
      ...(typeof winner === 'string' ? [winner.toUpperCase()] : []),
    ].join(' ')
  }
}
