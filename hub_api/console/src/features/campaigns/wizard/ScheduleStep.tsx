/** When it goes out and how fast: once, by a rhythm or by an event; at whose hour; spread, carefully begun, capped. */
import { Alert, FormControlLabel, Stack, Switch, TextField } from '@mui/material'
import { useTranslation } from 'react-i18next'
import type { Draft } from '../plan'
import { Choice, Group, NumberField, Row } from './fields'
import type { StepProps } from './steps'

const KINDS = ['once', 'recurring', 'triggered'] as const
const TIMINGS = ['open_hours', 'local_time', 'best_hour'] as const
const EVERY = ['day', 'week', 'month'] as const
const EVENTS = ['invoice_issued', 'outage_started', 'churn_risk'] as const

export function ScheduleStep(props: StepProps) {
  const { t } = useTranslation('campaigns')
  const { draft, set } = props
  return (
    <Stack sx={{ gap: 3 }}>
      <Group title={t('schedule.begin')}>
        <Choice
          label={t('schedule.kind')}
          value={draft.kind}
          helperText={t(`schedule.kind_help.${draft.kind}`)}
          options={KINDS.map((value) => ({ value, label: t(`schedule.kinds.${value}`) }))}
          onChange={(kind) => set({ kind })}
        />
        {draft.kind === 'once' && <Once {...props} />}
        {draft.kind === 'recurring' && <Rhythm {...props} />}
        {draft.kind === 'triggered' && <Trigger {...props} />}
      </Group>
      <Group title={t('schedule.hour')} help={t('schedule.quiet')}>
        <Row>
          <Choice
            label={t('schedule.timing')}
            value={draft.timing}
            helperText={t(`schedule.timing_help.${draft.timing}`)}
            options={TIMINGS.map((value) => ({ value, label: t(`schedule.timings.${value}`) }))}
            onChange={(timing) => set({ timing })}
          />
          {draft.timing === 'local_time' && (
            <TextField
              size="small"
              type="time"
              label={t('schedule.local_time')}
              value={draft.localTime}
              onChange={(event) => set({ localTime: event.target.value })}
              slotProps={{ inputLabel: { shrink: true } }}
            />
          )}
          <TextField
            size="small"
            label={t('schedule.hours')}
            helperText={t('schedule.hours_help')}
            value={draft.hours}
            onChange={(event) => set({ hours: event.target.value })}
            slotProps={{ htmlInput: { maxLength: 120 } }}
          />
        </Row>
        <OnOff label={t('schedule.holidays')} name="holidays" {...props} />
      </Group>
      <Group title={t('schedule.pace')}>
        <Row>
          <NumberField
            label={t('schedule.per_day')}
            helperText={t('schedule.per_day_help')}
            value={draft.perDay}
            min={1}
            onChange={(perDay) => set({ perDay })}
          />
          <Moment label={t('schedule.until')} value={draft.until} onChange={(until) => set({ until })} />
        </Row>
        <OnOff label={t('schedule.smooth')} name="smooth" {...props} />
        {draft.smooth && <Smooth {...props} />}
        <OnOff label={t('schedule.capped')} name="capped" {...props} />
        {draft.capped && (
          <Row>
            <NumberField
              label={t('schedule.cap_messages')}
              value={draft.cap.messages}
              min={1}
              max={100}
              onChange={(messages) => set({ cap: { ...draft.cap, messages: messages ?? 2 } })}
            />
            <NumberField
              label={t('schedule.cap_days')}
              value={draft.cap.days}
              min={1}
              max={90}
              onChange={(days) => set({ cap: { ...draft.cap, days: days ?? 7 } })}
            />
          </Row>
        )}
      </Group>
    </Stack>
  )
}

function Once({ draft, set }: StepProps) {
  const { t } = useTranslation('campaigns')
  return (
    <Row>
      <Choice
        label={t('schedule.start')}
        value={draft.start}
        options={(['now', 'at'] as const).map((value) => ({ value, label: t(`schedule.starts.${value}`) }))}
        onChange={(start) => set({ start })}
      />
      {draft.start === 'at' && (
        <Moment
          required
          label={t('schedule.start_at')}
          value={draft.startAt}
          onChange={(startAt) => set({ startAt })}
        />
      )}
    </Row>
  )
}

function Rhythm({ draft, set }: StepProps) {
  const { t } = useTranslation('campaigns')
  const change = (next: Partial<Draft['rhythm']>) => set({ rhythm: { ...draft.rhythm, ...next } })
  return (
    <Row>
      <Choice
        label={t('schedule.every')}
        value={draft.rhythm.every}
        options={EVERY.map((value) => ({ value, label: t(`schedule.everys.${value}`) }))}
        onChange={(every) => change({ every })}
      />
      {draft.rhythm.every === 'week' && (
        <Choice
          label={t('schedule.weekday')}
          value={String(draft.rhythm.weekday)}
          options={['1', '2', '3', '4', '5', '6', '7'].map((value) => ({
            value,
            label: t(`schedule.weekdays.${value as '1'}`),
          }))}
          onChange={(weekday) => change({ weekday: Number(weekday) })}
        />
      )}
      {draft.rhythm.every === 'month' && (
        <NumberField
          label={t('schedule.month_day')}
          value={draft.rhythm.monthDay}
          min={1}
          max={28}
          onChange={(monthDay) => change({ monthDay: monthDay ?? 1 })}
        />
      )}
      <NumberField
        label={t('schedule.at_hour')}
        value={draft.rhythm.hour}
        min={0}
        max={23}
        onChange={(hour) => change({ hour: hour ?? 0 })}
      />
    </Row>
  )
}

function Trigger({ draft, set }: StepProps) {
  const { t } = useTranslation('campaigns')
  const change = (next: Partial<Draft['trigger']>) => set({ trigger: { ...draft.trigger, ...next } })
  return (
    <>
      <Row>
        <Choice
          label={t('schedule.event')}
          value={draft.trigger.event}
          options={EVENTS.map((value) => ({ value, label: t(`schedule.events.${value}`) }))}
          onChange={(event) => change({ event })}
        />
        {draft.trigger.event === 'churn_risk' && (
          <NumberField
            label={t('schedule.level')}
            helperText={t('schedule.level_help')}
            value={draft.trigger.level}
            min={0}
            max={1}
            step={0.05}
            onChange={(level) => change({ level: level ?? 0 })}
          />
        )}
        {draft.trigger.event === 'outage_started' && (
          <TextField
            size="small"
            label={t('schedule.region')}
            helperText={t('schedule.region_help')}
            value={draft.trigger.region}
            onChange={(event) => change({ region: event.target.value })}
            slotProps={{ htmlInput: { maxLength: 60 } }}
          />
        )}
      </Row>
      <Alert severity="info">{t('schedule.trigger_help')}</Alert>
    </>
  )
}

function Smooth({ draft, set }: StepProps) {
  const { t } = useTranslation('campaigns')
  const at = draft.smoothStart
  const change = (next: Partial<Draft['smoothStart']>) => set({ smoothStart: { ...at, ...next } })
  return (
    <Row>
      <NumberField
        label={t('schedule.smooth_share')}
        value={at.share}
        min={0.1}
        max={100}
        step="any"
        onChange={(share) => change({ share: share ?? 2 })}
      />
      <NumberField
        label={t('schedule.smooth_least')}
        value={at.atLeast}
        min={1}
        onChange={(least) => change({ atLeast: least ?? 50 })}
      />
      <NumberField
        label={t('schedule.smooth_wait')}
        value={at.waitMinutes}
        min={0}
        max={2880}
        onChange={(wait) => change({ waitMinutes: wait ?? 60 })}
      />
      <NumberField
        label={t('schedule.smooth_failed')}
        value={at.mostFailed}
        min={0}
        max={100}
        step="any"
        onChange={(most) => change({ mostFailed: most ?? 10 })}
      />
      <NumberField
        label={t('schedule.smooth_opt_outs')}
        value={at.mostOptOuts}
        min={0}
        max={100}
        step="any"
        onChange={(most) => change({ mostOptOuts: most ?? 2 })}
      />
    </Row>
  )
}

function OnOff({ label, name, draft, set }: StepProps & { label: string; name: 'holidays' | 'smooth' | 'capped' }) {
  return (
    <FormControlLabel
      label={label}
      control={<Switch checked={draft[name]} onChange={(_, on) => set({ [name]: on })} />}
    />
  )
}

function Moment(props: { label: string; value: string; required?: boolean; onChange: (next: string) => void }) {
  const { t } = useTranslation('campaigns')
  return (
    <TextField
      size="small"
      type="datetime-local"
      label={props.label}
      required={props.required}
      helperText={t('schedule.clock')}
      value={props.value}
      onChange={(event) => props.onChange(event.target.value)}
      slotProps={{ inputLabel: { shrink: true } }}
    />
  )
}
