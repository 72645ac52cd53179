/**
 * The trace of a run: a hash over every event, and the violations that were found.
 * Invariant: the hash depends on the events and their order only; the same seed gives the same hash on every machine.
 */

/** One broken promise of the producer, by the name of its invariant (I1 to I20). */
export interface Violation {
  readonly invariant: string
  readonly message: string
  readonly atMs: number
}

/** Violations kept of one run: the first ones tell the story. */
const MAX_VIOLATIONS = 12

export class Trace {
  readonly violations: Violation[] = []
  readonly lines: string[] | undefined
  eventCount = 0
  #high = 0x811c9dc5
  #low = 0x1b873593
  #nowMs: () => number

  /** `isVerbose`: every event is also kept as a line, for replays. */
  constructor(nowMs: () => number, isVerbose: boolean) {
    this.#nowMs = nowMs
    this.lines = isVerbose ? [] : undefined
  }

  /** Counts an event under a one-letter kind, with a number that tells it from others of its kind. */
  event(kind: string, detail: number): void {
    this.eventCount++
    this.#mix(kind.charCodeAt(0))
    this.#mix(Math.round(this.#nowMs() * 1000) | 0)
    this.#mix(detail | 0)
  }

  /** Keeps a line when verbose; `text` is only called then. */
  say(text: () => string): void {
    this.lines?.push(`${this.#nowMs().toFixed(1)} ${text()}`)
  }

  violated(invariant: string, message: string): void {
    this.lines?.push(`${this.#nowMs().toFixed(1)} VIOLATION ${invariant} ${message}`)
    if (this.violations.length >= MAX_VIOLATIONS) return
    this.violations.push({ invariant, message, atMs: this.#nowMs() })
  }

  /** Sixteen hexadecimal digits. */
  get hash(): string {
    return [this.#high, this.#low].map(word => (word >>> 0).toString(16).padStart(8, '0')).join('')
  }

  #mix(word: number): void {
    this.#high = Math.imul(this.#high ^ word, 0x01000193)
    this.#low = Math.imul(this.#low ^ (word + (this.#high >>> 15)), 0x85ebca6b)
    this.#low ^= this.#low >>> 13
  }
}
