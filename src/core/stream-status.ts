/**
 * The stream's state as its summary tells it, and when the summary is fetched. Refusals that deny the stream enter, and
 * whether to believe them leaves.
 * Example: CREATING -> asked again after 1 s, 1.5 s, ... 5 s, and no refusal is believed -> ACTIVE: a probe goes at once.
 * Invariant: at most one summary is being fetched, and two fetches start at least `MIN_ASK_MS` apart.
 */
import { type BackoffSpan, longestWaitMs } from '../lanes/backoff.ts'
import type { Random } from '../model/ports.ts'

const MIN_ASK_MS = 1_000
/** The wait between two summaries while the stream is being created, which takes ten seconds or more. */
const POLL_SPAN: BackoffSpan = { baseMs: MIN_ASK_MS, capMs: 5_000, growth: 1.5 }
/** Spreads the polls of many producers that wait for the same stream. */
const POLL_JITTER = 0.25
/** A summary that was asked for this long ago says nothing any more about a stream that is refused now. */
const FRESH_MS = 5_000
/** How long refusals are doubted for want of a summary, or because it says that the stream is there. */
const MAX_DOUBT_MS = 5_000
/** The part of the interval by which fetches of many producers are spread. */
const INTERVAL_JITTER = 0.25

/** The status in a fetched summary; `'MISSING'`: there is no such stream; undefined: the call failed. */
export type ToldStatus = string | undefined

export class StreamStatus {
  readonly #random: Random
  readonly #intervalMs: number
  readonly #firstFetchMs: number
  #status: ToldStatus
  #isAsking = false
  #askedMs = Number.NEGATIVE_INFINITY
  /** When the last summary that the service answered for was asked for. */
  #answeredMs = Number.NEGATIVE_INFINITY
  #dueMs = Number.POSITIVE_INFINITY
  #oldMs = Number.POSITIVE_INFINITY
  #polls = 0
  #doubtedMs: number | undefined

  /** `firstFetchMs`: no summary is fetched before. */
  constructor(random: Random, intervalMs: number, firstFetchMs: number = Number.NEGATIVE_INFINITY) {
    this.#random = random
    this.#intervalMs = intervalMs
    this.#firstFetchMs = firstFetchMs
  }

  /** Whether the last summary that came said so. */
  get isCreating(): boolean {
    return this.#status === 'CREATING'
  }

  /** Whether the stream is being created for all that is known: the summary says so, or is under way. */
  get mayBeCreating(): boolean {
    return this.isCreating || this.#isAsking
  }

  /** When `startIfDue` wants to be asked next. */
  get nextDeadlineMs(): number {
    return this.#isAsking ? Number.POSITIVE_INFINITY : this.#dueMs
  }

  /** Plans a fetch as soon as one may start. */
  ask(nowMs: number): void {
    this.#dueMs = Math.min(this.#dueMs, Math.max(nowMs, this.#firstFetchMs, this.#askedMs + MIN_ASK_MS))
  }

  /** Says that a fetch begins now: the caller fetches and answers with `told`. */
  startIfDue(nowMs: number): boolean {
    if (this.#isAsking || nowMs < this.#dueMs) return false
    this.#isAsking = true
    this.#askedMs = nowMs
    this.#dueMs = Number.POSITIVE_INFINITY
    return true
  }

  /**
   * Takes what the fetch gave. `'ready'`: the stream was being created and is not any more. `'known'`: refusals were
   * doubted for want of this answer. Both are worth a probe. `isAnswer`: whether the service said anything; a call that was
   * throttled or did not get through says nothing of the stream.
   */
  told(status: ToldStatus, nowMs: number, isAnswer: boolean = true): 'ready' | 'known' | undefined {
    const wasCreating = this.isCreating
    this.#isAsking = false
    if (isAnswer) this.#answeredMs = this.#askedMs
    this.#oldMs = nowMs + this.#intervalMs * (1 - this.#random() * INTERVAL_JITTER)
    // A failed call does not end a creation: throttled calls are common while many producers wait for one stream.
    if (status !== undefined || !wasCreating) this.#status = status
    if (this.isCreating) {
      this.#planPoll(nowMs)
      return undefined
    }
    this.#polls = 0
    if (wasCreating) return 'ready'
    return this.#doubtedMs === undefined || this.#saysThere ? undefined : 'known'
  }

  /** The stream took a request. A summary that is older than the interval is fetched again; an idle stream asks nothing. */
  answered(nowMs: number): void {
    this.#doubtedMs = undefined
    if (this.isCreating) this.#status = undefined
    if (nowMs >= this.#oldMs && !this.#isAsking) this.ask(nowMs)
  }

  /**
   * A refusal that denies the stream should be believed by all other rules. Returns whether it is: never while the stream
   * is being created, and else once a fresh summary does not contradict it, or after `MAX_DOUBT_MS`.
   */
  believes(nowMs: number): boolean {
    if (this.isCreating) return false
    const isFresh = !this.#isAsking && nowMs - this.#answeredMs <= FRESH_MS
    this.#doubtedMs ??= nowMs
    const isBelieved = (isFresh && !this.#saysThere) || nowMs - this.#doubtedMs >= MAX_DOUBT_MS
    if (isBelieved) this.#doubtedMs = undefined
    else if (!this.#isAsking) this.ask(nowMs)
    return isBelieved
  }

  get #saysThere(): boolean {
    return this.#status !== undefined && this.#status !== 'MISSING' && this.#status !== 'DELETING'
  }

  #planPoll(nowMs: number): void {
    const waitMs = longestWaitMs(POLL_SPAN, this.#polls)
    this.#polls++
    this.#dueMs = nowMs + waitMs * (1 + this.#random() * POLL_JITTER)
  }
}
