/** Short names for what the API gives. */
import type { components } from './schema'

type Schemas = components['schemas']

export type Conversation = Schemas['Conversation']
export type ConversationState = Conversation['state']
export type Message = Schemas['Message']
export type MessageFile = Schemas['MessageFile']
export type Customer = Schemas['CustomerWithIdentities']
export type Queue = Schemas['Queue']
export type Me = Schemas['Me']
export type Agent = Schemas['Agent']
export type Presence = Agent['presence']
export type Disposition = Schemas['Disposition']
export type MediaFile = Schemas['MediaFile']
export type Colleague = Schemas['Colleague']
export type Note = Schemas['Note']
export type Scheduled = Schemas['Scheduled']
export type Canned = Schemas['Canned']
export type Macro = Schemas['Macro']
export type Insights = Schemas['Insights']
export type Template = Schemas['Template']
export type Found = Schemas['Found']
