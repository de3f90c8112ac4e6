/** What customers may do beside answering, which counts without a goal; the hub sees some itself, others are reported to it. */
export const GOALS = [
  'click', 'button', 'payment', 'purchase', 'addon_purchased', 'cancellation', 'no_churn',
] as const // biome-ignore format: a list of names
export type Goal = (typeof GOALS)[number]
