/** What the words of a search may be beside words of a message. Pure. */

export interface Kinds {
  protocol: string | null
  phone: string | null
  name: string | null
}

export function kindsOf(words: string): Kinds {
  const trimmed = words.trim()
  const digits = trimmed.replace(/\D/g, '')
  const isNumber = digits.length > 0 && /^[\d\s().+/-]+$/.test(trimmed)
  return {
    protocol: isNumber && digits.length >= 14 ? digits : null,
    phone: isNumber && digits.length >= 10 && digits.length <= 13 ? trimmed : null,
    name: !isNumber && trimmed.length >= 3 && !/["-]/.test(trimmed) ? trimmed : null,
  }
}
