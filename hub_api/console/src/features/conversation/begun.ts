/** Texts that were begun and not sent, by conversation; in memory only, for they are personal data. */
import { forgetAtLeave } from '../../app/forget'

const texts = new Map<string, string>()

export const begun = {
  of: (conversationId: string): string => texts.get(conversationId) ?? '',
  keep(conversationId: string, text: string): void {
    if (text) texts.set(conversationId, text)
    else texts.delete(conversationId)
  },
}

forgetAtLeave(() => texts.clear())
