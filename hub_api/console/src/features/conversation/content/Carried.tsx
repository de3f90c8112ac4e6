/** What customers send beside words and files: places, contacts, taps, forms, carts, and the ad that brought them. */
import { Box, Link, Stack, Typography } from '@mui/material'
import { ExternalLink, ListChecks, MapPin, Megaphone, ShoppingCart, UserRound } from 'lucide-react'
import { useTranslation } from 'react-i18next'
import { money } from '../../../shared/format'
import { type Json, list, number, object, text, webAddress } from './payload'

export function Place({ place }: { place: Json }) {
  const { t } = useTranslation()
  const [latitude, longitude] = [number(place.latitude), number(place.longitude)]
  const map =
    latitude !== null && longitude !== null
      ? `https://www.openstreetmap.org/?mlat=${latitude}&mlon=${longitude}#map=17/${latitude}/${longitude}`
      : null
  return (
    <Stack direction="row" sx={{ gap: 1 }}>
      <MapPin size={20} aria-hidden />
      <Box>
        <Typography sx={{ fontWeight: 600 }}>{text(place.name) ?? t('message.location')}</Typography>
        {text(place.address) && <Typography variant="body2">{text(place.address)}</Typography>}
        {map && (
          <Link href={map} target="_blank" rel="noopener noreferrer" variant="body2">
            {latitude}, {longitude} <ExternalLink size={12} aria-hidden />
          </Link>
        )}
      </Box>
    </Stack>
  )
}

/** Cards as they came (`name` is words) or went (`name` is an object). */
export function Contacts({ payload }: { payload: unknown }) {
  return (
    <Stack sx={{ gap: 1 }}>
      {list(payload).map((card) => {
        const name = text(card.name) ?? text(object(card.name).formatted_name) ?? ''
        const phones = list(card.phones).flatMap((one) => text(one.phone) ?? text(one.wa_id) ?? [])
        return (
          <Stack key={name + phones.join()} direction="row" sx={{ gap: 1 }}>
            <UserRound size={20} aria-hidden />
            <Box>
              <Typography sx={{ fontWeight: 600 }}>{name}</Typography>
              {phones.map((phone) => (
                <Typography key={phone} variant="body2">
                  {phone}
                </Typography>
              ))}
            </Box>
          </Stack>
        )
      })}
    </Stack>
  )
}

export function Tapped({ choice }: { choice: Json }) {
  const { t } = useTranslation()
  return (
    <Stack direction="row" sx={{ gap: 1, alignItems: 'flex-start' }}>
      <ListChecks size={18} role="img" aria-label={t('message.tapped')} />
      <Box>
        <Typography sx={{ fontWeight: 600 }}>{text(choice.title) ?? text(choice.id)}</Typography>
        {text(choice.description) && <Typography variant="body2">{text(choice.description)}</Typography>}
      </Box>
    </Stack>
  )
}

/** The fields of a filled form, as far as they are words or numbers. */
export function FlowAnswer({ reply, words }: { reply: Json; words: string | null }) {
  const fields = Object.entries(object(reply.response)).filter(
    ([name, value]) => name !== 'flow_token' && ['string', 'number', 'boolean'].includes(typeof value),
  )
  return (
    <Box>
      <Typography sx={{ fontWeight: 600 }}>{words}</Typography>
      <Box component="dl" sx={{ m: 0 }}>
        {fields.map(([name, value]) => (
          <Box key={name}>
            <Typography component="dt" variant="caption" sx={{ color: 'text.secondary' }}>
              {name}
            </Typography>
            <Typography component="dd" variant="body2" sx={{ m: 0 }}>
              {String(value)}
            </Typography>
          </Box>
        ))}
      </Box>
    </Box>
  )
}

export function Order({ order }: { order: Json }) {
  const { t, i18n } = useTranslation()
  const lines = list(order.lines)
  return (
    <Box>
      <Stack direction="row" sx={{ gap: 1 }}>
        <ShoppingCart size={18} aria-hidden />
        <Typography sx={{ fontWeight: 600 }}>{t('message.order', { count: lines.length })}</Typography>
      </Stack>
      {lines.map((line) => {
        const [price, currency] = [number(line.price_micros), text(line.currency)]
        return (
          <Typography key={text(line.product_retailer_id) ?? ''} variant="body2">
            {number(line.quantity) ?? 1} × {text(line.product_retailer_id)}
            {price !== null && currency && ` · ${money(price / 1e6, currency, i18n.language)}`}
          </Typography>
        )
      })}
      {text(order.text) && <Typography sx={{ mt: 0.5 }}>{text(order.text)}</Typography>}
    </Box>
  )
}

/** The ad or post from which the customer came. */
export function Referral({ referral }: { referral: Json }) {
  const { t } = useTranslation()
  const [title, url] = [
    text(referral.headline) ?? text(referral.body) ?? t('message.ad'),
    webAddress(referral.source_url),
  ]
  return (
    <Stack direction="row" sx={{ gap: 1, p: 1, borderRadius: 1, bgcolor: 'action.hover' }}>
      <Megaphone size={18} role="img" aria-label={t('message.ad')} />
      {url ? (
        <Link href={url} target="_blank" rel="noopener noreferrer nofollow" variant="body2">
          {title}
        </Link>
      ) : (
        <Typography variant="body2">{title}</Typography>
      )}
    </Stack>
  )
}
