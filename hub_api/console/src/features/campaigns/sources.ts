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

/** What set a triggered campaign off: the invoice, the outage. */
export const TRIGGER_ID = 'trigger.id'

/** The sources of a file's columns. */
export const ofColumns = (columns: string[]) => columns.map((one) => `csv.${one}`)
