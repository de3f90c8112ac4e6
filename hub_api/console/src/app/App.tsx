/** Which page is shown: signing in, or the work. What only the work needs is loaded then. */
import { Box } from '@mui/material'
import { lazy, Suspense } from 'react'
import { SignInPage } from '../features/sign-in/SignInPage'
import { Failed, Loading } from '../shared/States'
import { ErrorBoundary } from './ErrorBoundary'
import { useDoor } from './session'

const loadWork = () => import('./Work')
const Work = lazy(loadWork)

export function App() {
  const { session, enter } = useDoor()
  return (
    <Box sx={{ minHeight: '100dvh', display: 'flex', flexDirection: 'column' }}>
      <ErrorBoundary>
        <Suspense fallback={<Loading />}>
          {session.status === 'checking' && <Loading />}
          {session.status === 'unreachable' && <Failed error={session.error} onRetry={() => void enter()} />}
          {session.status === 'out' && <SignInPage ended={session.ended} onCredentials={() => void loadWork()} />}
          {session.status === 'in' && <Work me={session.me} />}
        </Suspense>
      </ErrorBoundary>
    </Box>
  )
}
