/** Where the variables of a message come from: columns of the customer, of the contract, of the invoice, of the warehouse, of the file. */

export const SOURCES = [
  'text',
  'customer.first_name',
  'customer.name',
  'contract.plan',
  'contract.city',
  'contract.price',
  'invoice.amount',
  'invoice.due_on',
  'feature.city',
  'feature.region_code',
  'feature.state_code',
  'feature.plan_id',
  'feature.speed_mbps',
  'feature.data_gb',
  'feature.tenure_days',
  'feature.late_days',
  'feature.invoices_late',
] as const
export type Source = (typeof SOURCES)[number]

/** The same as a key of the locales, which take a dot for a step down. */
export const sourceKey = (source: string) => source.replace('.', '_') as 'customer_first_name'

/** `body.1` is {{1}} to whoever wrote the template. */
export const placeName = (place: string) => `{{${place.replace(/^(body|header)\./, '')}}}`

/** A short link of each message's own, whose clicks are counted. */
export const LINK = 'link'

/** What a message may say of what set its campaign off: the invoice, the outage. */
export const OF_TRIGGER = {
  invoice_issued: ['trigger.amount', 'trigger.due_on', 'trigger.id'],
  outage_started: ['trigger.region_code', 'trigger.expected_end', 'trigger.id'],
  churn_risk: [],
} as const

/** The sources of a file's columns. */
export const ofColumns = (columns: string[]) => columns.map((one) => `csv.${one}`)
