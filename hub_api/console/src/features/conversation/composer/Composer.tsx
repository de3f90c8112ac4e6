/**
 * The field to write in: to the customer, or a note for colleagues. Enter sends; what was begun is kept for each conversation
 * until it is sent. `/` offers canned replies, `@` in a note offers colleagues; files come by button, by paste and by drop.
 */
import { Alert, Box, Button, IconButton, InputBase, Tooltip, Typography } from '@mui/material'
import { useQueryClient } from '@tanstack/react-query'
import { SendHorizontal } from 'lucide-react'
import { type ClipboardEvent, type KeyboardEvent, useEffect, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { Conversation } from '../../../api/types'
import { useMay } from '../../../app/session'
import { useShortcuts } from '../../../app/shortcuts'
import { live } from '../../../live/useLive'
import { useNow } from '../../../shared/useNow'
import { wordsFor } from '../../../shared/words'
import { conversationKey } from '../../inbox/useConversations'
import { begun } from '../begun'
import { useAddNote } from '../desk/useNotes'
import { outbox } from '../outbox'
import { replying, useReplying } from '../replying'
import { messagesKey } from '../useMessages'
import { isWindowOpen } from '../WindowCountdown'
import { Answered } from './Answered'
import { Attached, useAttached } from './Attached'
import { Recording } from './Recording'
import { ScheduleDialog } from './ScheduleDialog'
import { Suggestions } from './Suggestions'
import { TemplateDialog } from './TemplateDialog'
import { Tools } from './Tools'
import { useRecorder } from './useRecorder'
import { useSuggestions } from './useSuggestions'

const LONGEST = 4096 // characters of a text (channel document)
const LONGEST_NOTE = 4000
const TYPING_EVERY_MS = 3000

interface Props {
  conversation: Conversation
  mayWrite: boolean
  typing: string | null
  /** Files that were dropped on the conversation. */
  dropped: File[]
  onTaken: () => void
}

export function Composer({ conversation, mayWrite, typing, dropped, onTaken }: Props) {
  const { t } = useTranslation()
  const { t: d } = useTranslation('desk')
  const client = useQueryClient()
  const id = conversation.id
  const mayAttach = useMay('media:write')
  const mayTemplate = useMay('templates:read')
  const [isNote, setIsNote] = useState(false)
  const key = isNote ? `note:${id}` : id
  const [text, setText] = useState(() => begun.of(id))
  const [asking, setAsking] = useState<'template' | 'schedule' | null>(null)
  const attached = useAttached()
  const answered = useReplying(id)
  const recorder = useRecorder()
  const note = useAddNote(id)
  const told = useRef(0)
  const field = useRef<HTMLTextAreaElement>(null)
  const now = useNow(15_000)
  const suggestions = useSuggestions(id, isNote, text, (next) => change(next))
  useShortcuts({
    write: () => to('reply'),
    note: () => to('note'),
    ...(mayTemplate && { template: () => setAsking('template') }),
  })

  useEffect(() => {
    if (dropped.length === 0) return
    attached.add(dropped)
    setIsNote(false)
    onTaken()
  }, [dropped, attached.add, onTaken])
  useEffect(() => {
    if (answered) field.current?.focus()
  }, [answered])

  const change = (next: string) => {
    setText(next)
    begun.keep(key, next)
    if (isNote || Date.now() - told.current <= TYPING_EVERY_MS) return
    told.current = Date.now()
    live.say('typing', id)
  }
  const to = (mode: 'reply' | 'note') => {
    setIsNote(mode === 'note')
    setText(begun.of(mode === 'note' ? `note:${id}` : id))
    requestAnimationFrame(() => field.current?.focus())
  }
  const attach = (files: File[]) => {
    attached.add(files)
    field.current?.focus()
  }
  const read = () => {
    if (live.connected) return // the streams bring it
    void client.invalidateQueries({ queryKey: messagesKey(id) })
    void client.invalidateQueries({ queryKey: conversationKey(id) })
  }
  const send = () => {
    const words = text.trim()
    if (isNote) {
      if (words && !note.isPending)
        note.mutate({ text: words, mentions: suggestions.mentioned(words) }, { onSuccess: () => change('') })
      return
    }
    const files = attached.files
    if (!words && files.length === 0) return
    const replyTo = answered?.id ?? null
    change('')
    replying.to(id, null)
    attached.clear()
    void (files.length > 0 ? outbox.writeFiles(id, files, words, replyTo) : outbox.write(id, words, { replyTo })).then(
      read,
    )
  }
  const sendVoice = async () => {
    const file = await recorder.finish()
    const replyTo = answered?.id ?? null
    replying.to(id, null)
    if (file) await outbox.writeFiles(id, [{ file, kind: 'audio', isVoice: true }], '', replyTo).then(read)
  }
  const press = (event: KeyboardEvent) => {
    if (event.nativeEvent.isComposing || suggestions.press(event)) return
    if (event.key === 'Escape') {
      if (answered) replying.to(id, null)
      else field.current?.blur()
    }
    if (event.key !== 'Enter' || event.shiftKey) return
    event.preventDefault()
    send()
  }
  const paste = (event: ClipboardEvent) => {
    const files = [...event.clipboardData.files]
    if (files.length === 0 || isNote || !mayAttach) return
    event.preventDefault()
    attached.add(files)
  }

  const isSite = conversation.channel === 'site' // the website's chat: no window closes, and no templates
  const isOpen = isSite || isWindowOpen(conversation.window_open_until, now)
  const refusal = conversation.state === 'closed' ? 'closed' : !isOpen ? 'window' : null
  if (!mayWrite) {
    return (
      <Alert severity="info" square sx={{ borderTop: 1, borderColor: 'divider' }}>
        {t('composer.not_allowed')}
      </Alert>
    )
  }
  const isRecording = recorder.since !== null
  const canSend = Boolean(text.trim()) || (!isNote && attached.files.length > 0)
  return (
    <Box sx={{ borderTop: 1, borderColor: 'divider', bgcolor: 'background.paper', px: 1.5, pt: 0.5, pb: 1 }}>
      <Typography
        role="status"
        variant="caption"
        component="div"
        noWrap
        sx={{ color: 'text.secondary', minHeight: 20 }}
      >
        {typing ? t('conversation.typing', { name: typing }) : ''}
      </Typography>
      <Tools
        isNote={isNote}
        onMode={to}
        {...(!isNote && !refusal && mayAttach && { onFiles: (files) => attach(files) })}
        {...(!isNote &&
          !refusal &&
          mayAttach &&
          recorder.can &&
          !isRecording && { onRecord: () => void recorder.start() })}
        {...(!isNote && !refusal && { onSchedule: text.trim() ? () => setAsking('schedule') : null })}
        {...(!isNote &&
          mayTemplate &&
          !isSite &&
          conversation.state !== 'closed' && { onTemplate: () => setAsking('template') })}
      />
      {answered && !isNote && <Answered message={answered} onEnd={() => replying.to(id, null)} />}
      {!isNote && <Attached {...attached} />}
      {recorder.refused && <Alert severity="warning">{d('composer.no_microphone')}</Alert>}
      {note.error && <Alert severity="error">{wordsFor(note.error, t)}</Alert>}
      {refusal && !isNote ? (
        <Alert
          severity={refusal === 'window' ? 'warning' : 'info'}
          action={
            refusal === 'window' && mayTemplate ? (
              <Button color="inherit" size="small" onClick={() => setAsking('template')}>
                {d('composer.choose_template')}
              </Button>
            ) : undefined
          }
        >
          {t(`composer.${refusal}`)}
        </Alert>
      ) : isRecording && !isNote ? (
        <Recording since={recorder.since ?? 0} onSend={() => void sendVoice()} onCancel={recorder.cancel} />
      ) : (
        <Box sx={{ position: 'relative' }}>
          <Suggestions {...suggestions} />
          <Box
            sx={{
              display: 'flex',
              gap: 1,
              alignItems: 'flex-end',
              border: 1,
              borderColor: isNote ? 'warning.main' : 'text.secondary',
              bgcolor: isNote ? 'bubble.notice' : 'transparent',
              borderRadius: 2,
              px: 1.5,
              py: 0.5,
              '&:focus-within': {
                borderColor: 'primary.main',
                boxShadow: (theme) => `0 0 0 1px ${theme.vars?.palette.primary.main}`,
              },
            }}
          >
            <InputBase
              multiline
              fullWidth
              maxRows={8}
              inputRef={field}
              value={text}
              onChange={(event) => change(event.target.value)}
              onKeyDown={press}
              onPaste={paste}
              placeholder={isNote ? d('composer.note_placeholder') : d('composer.placeholder')}
              slotProps={{
                input: {
                  'aria-label': isNote ? d('composer.note_label') : t('composer.label'),
                  maxLength: isNote ? LONGEST_NOTE : LONGEST,
                  ...suggestions.field,
                },
              }}
              sx={{ py: 0.75 }}
            />
            <Tooltip title={isNote ? d('composer.keep_note') : t('composer.send')}>
              <span>
                <IconButton
                  color="primary"
                  onClick={send}
                  disabled={!canSend}
                  loading={note.isPending}
                  aria-label={isNote ? d('composer.keep_note') : t('composer.send')}
                >
                  <SendHorizontal size={20} />
                </IconButton>
              </span>
            </Tooltip>
          </Box>
        </Box>
      )}
      {asking === 'template' && <TemplateDialog conversation={conversation} onClose={() => setAsking(null)} />}
      {asking === 'schedule' && (
        <ScheduleDialog
          conversationId={id}
          text={text.trim()}
          windowOpenUntil={isSite ? null : conversation.window_open_until}
          onClose={() => setAsking(null)}
          onDone={() => change('')}
        />
      )}
    </Box>
  )
}
