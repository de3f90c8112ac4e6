/** An answer that is none: what the hub refused (RFC 9457, `code` is stable), or that it could not be reached. */
export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    detail: string,
    /** Faults of the request by the place at which they stand (`definition.of[0].op`). */
    readonly errors: { field: string; message: string }[] = [],
    /** All of the answer's body: what is in the way of a campaign. */
    readonly told: Readonly<Record<string, unknown>> = {},
  ) {
    super(detail)
    this.name = 'Problem'
  }

  /** Whether the same request may succeed later. */
  get passes(): boolean {
    return this.status === 0 || this.status === 429 || this.status >= 500
  }
}

/** Whatever was thrown, as a problem. */
export function problemOf(error: unknown): Problem {
  if (error instanceof Problem) return error
  const text = error instanceof Error ? error.message : String(error)
  return new Problem(0, 'offline', text)
}

/** The problem in the body of an answer; a proxy's own page has none. */
export function problemFrom(status: number, body: unknown): Problem {
  const told = (typeof body === 'object' && body !== null ? body : {}) as Record<string, unknown>
  const code = typeof told.code === 'string' ? told.code : status >= 500 ? 'unavailable' : 'refused'
  const errors = Array.isArray(told.errors) ? told.errors.filter(isFault) : []
  return new Problem(status, code, typeof told.detail === 'string' ? told.detail : `HTTP ${status}`, errors, told)
}

function isFault(one: unknown): one is { field: string; message: string } {
  const { field, message } = (typeof one === 'object' && one !== null ? one : {}) as Record<string, unknown>
  return typeof field === 'string' && typeof message === 'string'
}
