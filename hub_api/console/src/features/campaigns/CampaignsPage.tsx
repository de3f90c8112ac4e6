/** Campaigns: all of them, one that is written, one that is watched, one message's way. */
import { useState } from 'react'
import { useParams } from 'wouter'
import { CampaignList } from './CampaignList'
import { CampaignView } from './watch/CampaignView'
import { Lineage } from './watch/Lineage'
import { Wizard } from './wizard/Wizard'

export default function CampaignsPage() {
  const { id, part, step } = useParams<{ id?: string; part?: string; step?: string }>()
  // One that the hub keeps since a moment ago goes on being written where it was.
  const [made, setMade] = useState<string | null>(null)
  if (id === undefined) return <CampaignList />
  if (id === 'message' && part) return <Lineage messageId={part} />
  if (part === 'edit' || id === 'new')
    return <Wizard key={id === made ? 'new' : id} id={id === 'new' ? null : id} step={step} onMade={setMade} />
  return <CampaignView key={id} id={id} part={part} />
}
