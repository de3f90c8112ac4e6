/** What the words of a search may be beside words of a message. Pure. */

export interface Kinds {
  protocol: string | null
  phone: string | null
  cpf: string | null
  name: string | null
}

const WRITTEN_CPF = /^\d{3}\.\d{3}\.\d{3}-\d{2}$/

export function kindsOf(words: string): Kinds {
  const trimmed = words.trim()
  const digits = trimmed.replace(/\D/g, '')
  const isNumber = digits.length > 0 && /^[\d\s().+/-]+$/.test(trimmed)
  const isPhone = isNumber && digits.length >= 10 && digits.length <= 13 && !WRITTEN_CPF.test(trimmed)
  return {
    protocol: isNumber && digits.length >= 14 ? digits : null,
    phone: isPhone ? trimmed : null,
    cpf: isNumber && isCpf(digits) ? digits : null,
    name: !isNumber && trimmed.length >= 3 && !/["-]/.test(trimmed) ? trimmed : null,
  }
}

/** Whether the last two of eleven digits follow from the others (modulo 11): of the phones with area code one in a hundred is one too. */
function isCpf(digits: string): boolean {
  if (digits.length !== 11 || new Set(digits).size === 1) return false
  return [9, 10].every((length) => {
    let sum = 0
    for (let at = 0; at < length; at++) sum += Number(digits[at]) * (length + 1 - at)
    return ((sum * 10) % 11) % 10 === Number(digits[length])
  })
}
