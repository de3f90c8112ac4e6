/** A page of administration in parts, each with its permission and address: tabs of those that one may see, and the one named, or the first. */
import type { ComponentType } from 'react'
import { useParams } from 'wouter'
import { useMe } from '../../app/session'
import { Page } from './Page'

interface Props<Key extends string> {
  title: string
  subtitle?: string
  base: string
  parts: readonly { key: Key; permission: string; Part: ComponentType }[]
  labelOf: (key: Key) => string
}

export function PartsPage<Key extends string>({ parts, labelOf, ...frame }: Props<Key>) {
  const { permissions } = useMe()
  const { part } = useParams<{ part?: string }>()
  const open = parts.filter((one) => permissions.includes(one.permission))
  const here = open.find((one) => one.key === part) ?? open[0]
  if (!here) return null
  return (
    <Page {...frame} parts={open.map(({ key }) => ({ key, label: labelOf(key) }))} part={here.key}>
      <here.Part />
    </Page>
  )
}
