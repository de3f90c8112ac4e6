/** What is kept in memory about customers goes when its reader goes: each keeper says here how. */
const keepers = new Set<() => void>()

/** `forget` is called when somebody signs out, and when somebody else signs in. */
export function forgetAtLeave(forget: () => void): void {
  keepers.add(forget)
}

export function forgetAll(): void {
  for (const forget of keepers) forget()
}
