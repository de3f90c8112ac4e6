/** Where a campaign stands, and who may do what with it then. Pure; the hub decides. */
import type { Me } from '../../api/types'
import type { Campaign } from './plan'

export type State = Campaign['state']
export const STATES: State[] = [
  'draft',
  'in_review',
  'approved',
  'scheduled',
  'running',
  'paused',
  'completed',
  'cancelled',
  'failed',
]

export const COLOUR = {
  draft: 'default',
  in_review: 'info',
  approved: 'info',
  scheduled: 'info',
  running: 'success',
  paused: 'warning',
  completed: 'default',
  cancelled: 'default',
  failed: 'error',
} as const

export const VERBS = [
  'edit',
  'submit',
  'approve',
  'reject',
  'start',
  'pause',
  'resume',
  'budget',
  'cancel',
  'copy',
] as const
export type Verb = (typeof VERBS)[number]

const BEGINS: Record<Verb, readonly State[]> = {
  edit: ['draft', 'in_review', 'approved', 'scheduled'],
  submit: ['draft'],
  approve: ['in_review'],
  reject: ['in_review', 'approved'],
  start: ['approved'],
  pause: ['running', 'scheduled'],
  resume: ['paused'],
  budget: ['running', 'paused'],
  cancel: ['draft', 'in_review', 'approved', 'scheduled', 'running', 'paused'],
  copy: STATES,
}
const WRITES: readonly Verb[] = ['edit', 'submit', 'copy']

/** Steps that are for another person than whoever made it. */
const ANOTHERS: readonly Verb[] = ['approve', 'budget']
/** Rules that whoever resumes overrules: they speak no more then. */
export const OVERRULED = ['smooth_start', 'mismatch'] as const

type Standing = Pick<Campaign, 'state' | 'created_by' | 'edited_by' | 'submitted_by' | 'budget_micros'>

/** Whether this person made, changed or handed in what is to be approved: then it is for somebody else to approve. */
export function isMine(campaign: Standing, me: Pick<Me, 'id' | 'kind'>): boolean {
  const actor = `${me.kind}:${me.id}`
  return [campaign.created_by, campaign.edited_by, campaign.submitted_by].includes(actor)
}

/** What this person may do now. */
export function verbsFor(campaign: Standing, me: Pick<Me, 'id' | 'kind' | 'permissions'>): Verb[] {
  return VERBS.filter(
    (verb) =>
      BEGINS[verb].includes(campaign.state) &&
      me.permissions.includes(WRITES.includes(verb) ? 'campaigns:write' : 'campaigns:approve') &&
      !(ANOTHERS.includes(verb) && isMine(campaign, me)) &&
      (verb !== 'budget' || campaign.budget_micros != null),
  )
}

/** How far it has come, 0 to 1; null before anything is known. */
export function progress(campaign: Pick<Campaign, 'eligible' | 'turns'>): number | null {
  return campaign.eligible ? Math.min(1, (campaign.turns ?? 0) / campaign.eligible) : null
}

/** Whether figures move: then they are read again every few seconds. */
export function isLive(state: State): boolean {
  return state === 'running' || state === 'scheduled' || state === 'paused'
}
