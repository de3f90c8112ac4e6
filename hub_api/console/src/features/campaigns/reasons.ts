/** Why somebody gets nothing, as the hub names it. */
export const REASONS = [
  'no_consent', 'suppressed', 'unreachable', 'open_conversation', 'frequency_cap', 'holdout', 'gone', 'no_time', 'stopped',
  'condition',
] as const // biome-ignore format: a list of names
export type Reason = (typeof REASONS)[number]

/** For the keys of the locales, which have words for these; others are shown as they are. */
export const reasonKey = (reason: string) => reason as Reason
