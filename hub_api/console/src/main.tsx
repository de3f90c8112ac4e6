import createCache from '@emotion/cache'
import { CacheProvider } from '@emotion/react'
import { CssBaseline, ThemeProvider } from '@mui/material'
import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { consoleUrl } from './api/address'
import { problemOf } from './api/problem'
import { App } from './app/App'
import { startLanguage } from './app/i18n'
import { SessionProvider } from './app/session'
import { theme } from './app/theme'

// The policy of the page allows one style element: the one with the nonce that the hub wrote into the page.
const nonce = document.querySelector<HTMLMetaElement>('meta[property="csp-nonce"]')?.nonce
const styles = createCache({ key: 'hub', nonce, prepend: true })

const client = new QueryClient({
  defaultOptions: {
    queries: { staleTime: 10_000, retry: (failures, error) => failures < 2 && problemOf(error).passes },
  },
})

async function start(): Promise<void> {
  await startLanguage()
  const root = document.getElementById('root')
  if (!root) throw new Error('the page has no #root')
  createRoot(root).render(
    <StrictMode>
      <CacheProvider value={styles}>
        <ThemeProvider theme={theme} defaultMode="system" noSsr>
          <CssBaseline />
          <QueryClientProvider client={client}>
            <SessionProvider>
              <App />
            </SessionProvider>
          </QueryClientProvider>
        </ThemeProvider>
      </CacheProvider>
    </StrictMode>,
  )
  if (import.meta.env.PROD && 'serviceWorker' in navigator) {
    // Without it the console works too; the next opening tries again.
    await navigator.serviceWorker
      .register(new URL('sw.js', consoleUrl), { scope: consoleUrl.pathname })
      .catch(() => undefined)
  }
}

void start()
