/**
 * Holds a stream's requests back while asking is pointless: failures of whole requests enter, permission to send leaves.
 * Closed: everything may go. Open: one probe at a time, at growing intervals, until an answer comes.
 * Invariant: while open at most one request is out that was allowed by `mayStart`; a single answer closes it.
 */
import { halfJitterMs } from '../lanes/backoff.ts'
import type { Random } from '../model/ports.ts'

/** Whole-request failures in a row that open it. A refusal opens it at once: the next request would meet it too. */
const FAILURES_TO_OPEN = 5
const OUTAGE_PROBE_MS = 1_000
/** Refusals are asked again sooner at first, so that a missing stream or permission is reported within a second. */
const REFUSAL_PROBE_MS = 100
const PROBE_CAP_MS = 30_000
/** Probes that nothing leaves for cost the service nothing, and what is put later should not wait for its failure. */
const LOCAL_PROBE_CAP_MS = 400
/** A fault on this side is believed after this long, also before the third try: a provider may hang in each. */
const LOCAL_PATIENCE_MS = 1_500
/** Refusals that are believed of a stream that never took a record. */
const CONFIRMING_REFUSALS = 3
/** Time until refusals are believed on a stream that has taken records: permissions and keys come back. */
const REFUSAL_GRACE_MS = 30_000

export class Breaker {
  readonly #random: Random
  #failures = 0
  #refusals = 0
  #firstRefusalMs = 0
  #firstTryMs = 0
  #probes = 0
  #isOpen = false
  #isProbing = false
  #waitedMs = Number.NEGATIVE_INFINITY
  #nextProbeMs = 0
  #hasSucceeded = false

  constructor(random: Random) {
    this.#random = random
  }

  get isOpen(): boolean {
    return this.#isOpen
  }

  /** When `mayStart` will say yes again while open; 0 when closed, Infinity while a probe is out. */
  get nextDeadlineMs(): number {
    if (!this.#isOpen) return 0
    return this.#isProbing ? Number.POSITIVE_INFINITY : this.#nextProbeMs
  }

  mayStart(nowMs: number): boolean {
    return !this.#isOpen || (!this.#isProbing && nowMs >= this.#nextProbeMs)
  }

  /** A request goes out. */
  started(): void {
    if (this.#isOpen) this.#isProbing = true
  }

  /** A request was taken by the stream. Returns true when that ended an open state. */
  answered(): boolean {
    this.#hasSucceeded = true
    return this.reached()
  }

  /** The service was reached, and refused the request for what was in it. Returns true when that ended an open state. */
  reached(): boolean {
    const wasOpen = this.#isOpen
    this.#isOpen = false
    this.#isProbing = false
    this.#failures = 0
    this.#refusals = 0
    this.#probes = 0
    return wasOpen
  }

  /**
   * A summary has the stream's state: the next probe may go at once. `isReady`: the stream became ready, so earlier refusals do
   * not count any more.
   */
  probeNow(nowMs: number, isReady: boolean): void {
    if (!this.#isOpen) return
    this.#nextProbeMs = nowMs
    this.#probes = 0
    if (isReady) this.#refusals = 0
  }

  /** A request that began at `startMs` failed as a whole without a refusal. */
  failed(startMs: number, nowMs: number): void {
    if (startMs < this.#waitedMs) return
    this.#failures++
    if (this.#refusals > 0) this.#begin()
    this.#refusals = 0
    if (this.#isOpen || this.#failures >= FAILURES_TO_OPEN) this.#wait(nowMs, OUTAGE_PROBE_MS)
  }

  /**
   * The stream, the permission, the key or the credentials were refused to a request that began at `startMs`. Returns
   * true when that is to be believed: what waits for the stream should fail with the service's own code now.
   */
  refused(startMs: number, nowMs: number): boolean {
    return this.#refused(startMs, nowMs, PROBE_CAP_MS)
  }

  /**
   * As `refused`, for a request that nothing left this process for: believed sooner, and asked about more often. `mayPass`: what
   * it waits for may be busy for a moment, such as a provider of credentials, so its whole time is waited.
   */
  refusedHere(startMs: number, nowMs: number, mayPass: boolean): boolean {
    const isConfirmed = this.#refused(startMs, nowMs, LOCAL_PROBE_CAP_MS)
    if (this.#hasSucceeded) return isConfirmed
    const isOver = nowMs - this.#firstTryMs >= LOCAL_PATIENCE_MS
    return isOver || (isConfirmed && !mayPass)
  }

  #refused(startMs: number, nowMs: number, capMs: number): boolean {
    if (startMs >= this.#waitedMs) {
      if (this.#refusals === 0) {
        this.#firstRefusalMs = nowMs
        this.#firstTryMs = startMs
        this.#begin()
      }
      this.#refusals++
      this.#wait(nowMs, REFUSAL_PROBE_MS, capMs)
    }
    return this.#hasSucceeded ? nowMs - this.#firstRefusalMs >= REFUSAL_GRACE_MS : this.#refusals >= CONFIRMING_REFUSALS
  }

  /** Trouble of another kind: waits that grew with the former kind say nothing of it. */
  #begin(): void {
    this.#probes = 0
  }

  /**
   * Sequence that `startMs` is for: 24 requests start -> the first fails and a wait begins -> the other 23 fail, but they
   * began before the wait and say nothing new, so neither the count nor the wait grows.
   */
  #wait(nowMs: number, baseMs: number, capMs: number = PROBE_CAP_MS): void {
    const waitMs = halfJitterMs({ baseMs, capMs }, this.#probes, this.#random)
    this.#isOpen = true
    this.#isProbing = false
    this.#waitedMs = nowMs
    this.#probes++
    this.#nextProbeMs = nowMs + waitMs
  }
}
