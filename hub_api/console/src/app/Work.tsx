/** Everything behind the sign-in: the live streams run while it is there. */
import { lazy, Suspense, useEffect } from 'react'
import { useTranslation } from 'react-i18next'
import { Redirect, Route, Router, Switch } from 'wouter'
import { consolePath } from '../api/address'
import type { Me } from '../api/types'
import { SecondFactorWanted } from '../features/sign-in/SecondFactorWanted'
import { live } from '../live/useLive'
import { Empty, Loading } from '../shared/States'
import { ErrorBoundary } from './ErrorBoundary'
import { withWords } from './i18n'
import { startKeepingFocus } from './keepFocus'
import { PAGES, type PageEntry, PLACES } from './pages'
import { Shell } from './Shell'
import { useMay, useMayListen, useMe } from './session'
import { startShortcuts } from './shortcuts'

const InboxPage = lazy(() => withWords('desk', import('../features/inbox/InboxPage')))

export default function Work({ me }: { me: Me }) {
  return me.second_factor_required ? <SecondFactorWanted /> : <Signed />
}

function Signed() {
  const listens = useMayListen()
  useEffect(() => {
    if (!listens) return
    live.start()
    return () => live.stop()
  }, [listens])
  useEffect(() => {
    const silence = startShortcuts()
    const letGo = startKeepingFocus()
    return () => {
      silence()
      letGo()
    }
  }, [])
  return (
    <Router base={consolePath}>
      <Shell>
        <ErrorBoundary>
          <Suspense fallback={<Loading />}>
            <Switch>
              {PAGES.map((page) => (
                <Route key={page.path} path={page.path}>
                  <Guarded page={page} />
                </Route>
              ))}
              <Route path="/:list/:id?">{({ list, id }) => <Conversations list={list} id={id ?? null} />}</Route>
              <Route>
                <Home />
              </Route>
            </Switch>
          </Suspense>
        </ErrorBoundary>
      </Shell>
    </Router>
  )
}

/** The inbox for who serves customers; whoever does not begins at the first page that is his. */
function Conversations({ list, id }: { list: string; id: string | null }) {
  const may = useMay('conversations:read')
  return may ? <InboxPage list={list} id={id} /> : <Home />
}

function Home() {
  const { t } = useTranslation()
  const { permissions } = useMe()
  const first = PLACES.find((one) => permissions.includes(one.permission))
  return first ? <Redirect to={first.to} replace /> : <Empty title={t('nav.not_allowed')} />
}

/** A page for who may open it; an address that somebody else sent leads nowhere, and says so. */
function Guarded({ page }: { page: PageEntry }) {
  const { t } = useTranslation()
  return useMay(page.permission) ? <page.Part /> : <Empty title={t('nav.not_allowed')} />
}
