/** Superset's dashboards in a frame: the hub gives a token for one of them, renewed before it ends. */
import { Box, Button, Tab, Tabs } from '@mui/material'
import { embedDashboard } from '@superset-ui/embedded-sdk'
import { useQuery } from '@tanstack/react-query'
import { ChartColumn, ExternalLink } from 'lucide-react'
import { useEffect, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Link, useLocation, useParams } from 'wouter'
import { atHub } from '../../api/address'
import { api, data } from '../../api/client'
import { Empty, Failed, Loading } from '../../shared/States'

export default function DashboardsPage() {
  const { t } = useTranslation('admin')
  const { slug } = useParams<{ slug?: string }>()
  const [, go] = useLocation()
  const asked = useQuery({
    queryKey: ['dashboards'],
    staleTime: 600_000,
    queryFn: ({ signal }) => data(api.GET('/api/v1/analytics/dashboards', { signal })),
  })
  if (asked.isPending) return <Loading />
  if (asked.isError) return <Failed error={asked.error} onRetry={() => void asked.refetch()} />
  const { items, available } = asked.data
  if (!available)
    return (
      <Empty icon={<ChartColumn size={40} />} title={t('dashboards.off')}>
        {t('dashboards.off_help')}
      </Empty>
    )
  const here = items.find((one) => one.slug === slug) ?? items[0]
  if (!here) return <Empty icon={<ChartColumn size={40} />} title={t('dashboards.none')} />
  return (
    <Box sx={{ flex: 1, minWidth: 0, display: 'flex', flexDirection: 'column' }}>
      <Box
        sx={{ display: 'flex', alignItems: 'center', px: { xs: 1, sm: 2 }, borderBottom: 1, borderColor: 'divider' }}
      >
        <Tabs
          value={here.slug}
          onChange={(_, next: string) => go(`/dashboards/${next}`)}
          variant="scrollable"
          allowScrollButtonsMobile
          aria-label={t('dashboards.title')}
          sx={{ flex: 1, minWidth: 0 }}
        >
          {items.map((one) => (
            <Tab key={one.slug} value={one.slug} label={one.title} component={Link} href={`/dashboards/${one.slug}`} />
          ))}
        </Tabs>
        <Button
          size="small"
          href={atHub(here.path)}
          target="_blank"
          rel="noreferrer"
          startIcon={<ExternalLink size={16} />}
          sx={{ display: { xs: 'none', sm: 'inline-flex' } }}
        >
          {t('dashboards.alone')}
        </Button>
      </Box>
      <Frame key={here.slug} slug={here.slug} title={here.title} />
    </Box>
  )
}

function Frame({ slug, title }: { slug: string; title: string }) {
  const place = useRef<HTMLDivElement>(null)
  const [error, setError] = useState<unknown>(null)
  const [attempt, setAttempt] = useState(0)
  const [shown, setShown] = useState(false)
  // biome-ignore lint/correctness/useExhaustiveDependencies: another attempt begins anew
  useEffect(() => {
    const mountPoint = place.current
    if (!mountPoint) return
    let over = false
    let end: () => void = () => undefined
    const ask = () => data(api.POST('/api/v1/analytics/dashboards/{slug}/guest-token', { params: { path: { slug } } }))
    const begin = async () => {
      const first = await ask()
      if (over) return
      let kept: string | null = first.token
      const [, app = '', id = ''] = /^(.*)\/embedded\/([^/]+)\/?$/.exec(first.path) ?? []
      const embedded = await embedDashboard({
        id,
        supersetDomain: atHub(app).replace(/\/$/, ''),
        mountPoint,
        iframeTitle: title,
        dashboardUiConfig: { hideTitle: true },
        fetchGuestToken: async () => {
          const token = kept ?? (await ask()).token
          kept = null
          return token
        },
      })
      end = () => embedded.unmount()
      if (over) end()
      else setShown(true)
    }
    begin().catch((refused: unknown) => {
      if (!over) setError(refused)
    })
    return () => {
      over = true
      end()
    }
  }, [slug, title, attempt])
  return (
    <>
      {error !== null && (
        <Failed
          error={error}
          onRetry={() => {
            setError(null)
            setAttempt(attempt + 1)
          }}
        />
      )}
      {error === null && !shown && <Loading />}
      <Box
        ref={place}
        sx={{
          flex: shown ? 1 : 0,
          minHeight: 0,
          display: 'flex',
          '& iframe': { border: 0, width: '100%', flex: 1 },
        }}
      />
    </>
  )
}
