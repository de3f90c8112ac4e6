/** What the pages of administration share: reading page by page, one dialog at a time, and a word when something was done. */
import { Alert, Snackbar } from '@mui/material'
import { type QueryKey, useInfiniteQuery, useQueryClient } from '@tanstack/react-query'
import { type ReactNode, useCallback, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { wordsFor } from '../words'

interface Paged<Row> {
  items: Row[]
  next_cursor?: string | null
}

/** Rows page by page; `read` asks for one page. */
export function usePages<Row>(
  key: QueryKey,
  read: (cursor: string | undefined, signal: AbortSignal) => Promise<Paged<Row>>,
) {
  const reading = useInfiniteQuery({
    queryKey: key,
    initialPageParam: undefined as string | undefined,
    queryFn: ({ pageParam, signal }) => read(pageParam, signal),
    getNextPageParam: (page) => page.next_cursor ?? undefined,
  })
  return { reading, rows: reading.data?.pages.flatMap((page) => page.items) ?? [] }
}

/** `open(node)` shows a dialog; `done(words)` says so; `run` does something at once and says how it went. Draw `shown` once. */
export function useDeeds(...stale: QueryKey[]) {
  const { t } = useTranslation()
  const client = useQueryClient()
  const [dialog, setDialog] = useState<ReactNode>(null)
  const [told, setTold] = useState<{ words: string; failed: boolean } | null>(null)
  const close = useCallback(() => setDialog(null), [])
  const refresh = () => Promise.all(stale.map((key) => client.invalidateQueries({ queryKey: key })))
  const done = async (words: string) => {
    setTold({ words, failed: false })
    await refresh()
  }
  const run = (deed: Promise<unknown>, words: string) =>
    deed.then(
      () => done(words),
      (error: unknown) => setTold({ words: wordsFor(error, t), failed: true }),
    )
  const shown = (
    <>
      {dialog}
      <Snackbar open={told !== null} autoHideDuration={6000} onClose={() => setTold(null)}>
        <Alert
          severity={told?.failed ? 'error' : 'success'}
          variant="outlined"
          onClose={() => setTold(null)}
          sx={{ bgcolor: 'background.paper' }}
        >
          {told?.words}
        </Alert>
      </Snackbar>
    </>
  )
  return { open: setDialog, close, done, run, shown }
}
