/** What every step of the wizard gets. */
import type { Draft } from '../plan'

export interface StepProps {
  draft: Draft
  set: (changes: Partial<Draft>) => void
  /** Teams that this person may give the campaign to. */
  teams: { value: string; label: string }[]
  /** The campaign that the hub keeps for this draft, when it does; its version tells what a check was about. */
  kept: { id: string; version: number } | null
  /** Keeps the draft at the hub; false when it could not, and the page says why. */
  save: () => Promise<boolean>
}
