/** A phone as people here write it, `11 91234-5678`, with its country; what begins with a plus stays as it is. */
export function international(typed: string): string {
  const text = typed.trim()
  const digits = text.replace(/\D/g, '').replace(/^0/, '')
  if (text.startsWith('+') || digits.length < 10 || digits.length > 11) return text
  return `+55${digits}`
}
