/**
 * User records that failed, summed by stream and code. Failures enter; a line leaves at once for what is new, and then one for
 * each window in which there were more.
 * Example: an outage ends the time to live of 50,000 records within a minute -> one line at the first, then six with the sums.
 * Invariant: every failed record is in the `userRecords` of exactly one line; at most `MAX_KINDS` kinds are distinguished.
 */
import type { MemberFailure } from '../model/failure-story.ts'
import type { LogLine } from './log-line.ts'

const MAX_KINDS = 1_000
const OTHER = '_OTHER'

interface Kind {
  readonly streamName: string
  readonly code: string
  readonly serviceCode: string | undefined
  /** Told in the present window, or the one before. */
  isTold: boolean
  userRecords: number
  maybePersisted: number
  /** The first record's own message. */
  error: string
}

export class FailureTally {
  readonly #kinds = new Map<string, Kind>()

  get isEmpty(): boolean {
    return this.#kinds.size === 0
  }

  add(streamName: string, { code, serviceCode, persisted, message }: MemberFailure, userRecords: number): void {
    const kind = this.#kindOf(streamName, code, serviceCode)
    if (kind.userRecords === 0) kind.error = message
    kind.userRecords += userRecords
    if (persisted === 'maybe') kind.maybePersisted += userRecords
  }

  /** The sums that were not written for a window and more. */
  tellNew(): LogLine[] {
    return [...this.#kinds.values()].filter(({ isTold }) => !isTold).map(tell)
  }

  /** A window ended. */
  tellAll(): LogLine[] {
    for (const [key, { userRecords }] of this.#kinds) if (userRecords === 0) this.#kinds.delete(key)
    return [...this.#kinds.values()].map(tell)
  }

  #kindOf(streamName: string, code: string, serviceCode: string | undefined): Kind {
    const key = `${code} ${serviceCode} ${streamName}`
    const known = this.#kinds.get(key)
    if (known !== undefined) return known
    if (this.#kinds.size >= MAX_KINDS && streamName !== OTHER) return this.#kindOf(OTHER, OTHER, undefined)
    const kind = { streamName, code, serviceCode, isTold: false, userRecords: 0, maybePersisted: 0, error: '' }
    this.#kinds.set(key, kind)
    return kind
  }
}

function tell(kind: Kind): LogLine {
  const { streamName, code, serviceCode, userRecords, maybePersisted, error } = kind
  kind.isTold = true
  kind.userRecords = 0
  kind.maybePersisted = 0
  const fields = { streamName, code, serviceCode, userRecords, maybePersisted, error }
  // A record that its owner took back is no fault.
  return { message: code === 'KPL_ERR_ABORTED' ? 'records taken back' : 'records failed', fields }
}
