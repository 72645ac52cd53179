/**
 * The facts for an on-call person, written once a spell: outages, throttles, lost records and listings that fail. Events enter,
 * log lines leave; without a logger only the first outage of the process is said, as a warning.
 * Invariant: nothing here is asked by a put; nothing is said while a stream is in the middle of anything; what is said never
 * holds a payload or a partition key.
 */
import type { Failed, Outcome } from '../model/exchange.ts'
import { failuresOf, type MemberFailure } from '../model/failure-story.ts'
import type { Batch } from '../model/kinesis-record.ts'
import { classifyRequestError, STREAM_IN_USE, STREAM_NOT_FOUND } from '../model/service-errors.ts'
import { throttledByShard } from './diagnostics.ts'
import { FailureTally } from './failure-tally.ts'
import type { LogEvents, LogLine } from './log-line.ts'
import { type ControlCall, OutageSpells } from './outage-spells.ts'
import { CALM_MS, ThrottleSpells } from './throttle-spells.ts'

export interface SpellPorts {
  /** Unset: there is no logger. */
  readonly say: ((line: LogLine) => void) | undefined
  warn(code: string, message: string): void
  /** Host and port that requests go to, when the transport tells. */
  endpoint(): string | undefined
  /** Calls `tick` once, at or after `atMs`; the process may end before. */
  wakeAt(atMs: number): void
}

/** How often sums are said. */
const WINDOW_MS = CALM_MS

export class Spells {
  readonly #ports: SpellPorts
  readonly #outages = new OutageSpells()
  readonly #throttles = new ThrottleSpells()
  readonly #failures = new FailureTally()
  #isTicking = false

  constructor(ports: SpellPorts) {
    this.#ports = ports
  }

  /** A request ended and was acted upon. */
  requestEnded(streamName: string, batch: Batch, outcome: Outcome, isBreakerOpen: boolean): void {
    const { say, warn, endpoint } = this.#ports
    const line = this.#outages.requestEnded(streamName, outcome, isBreakerOpen, endpoint())
    if (say === undefined) {
      if (line?.message === 'breaker opened') warn('KPL_WARN_BREAKER_OPEN', outageText(line.fields))
      return
    }
    if (line !== undefined) say(line)
    if (!hasFailures(outcome)) return
    for (const [shardId, kinesisRecords] of throttledByShard(batch, outcome)) {
      const first = this.#throttles.throttled(streamName, shardId ?? '', kinesisRecords, outcome.endMs)
      if (first !== undefined) say(first)
    }
    this.#startTicking(outcome.endMs)
  }

  /** User records failed; before their callbacks run. */
  failed(streamName: string, settlement: Failed): void {
    if (this.#ports.say === undefined) return
    for (const { told, userRecords } of failuresOf(settlement)) this.#failures.add(streamName, told, userRecords)
  }

  /** One user record was taken back. */
  takenBack(streamName: string, told: MemberFailure, nowMs: number): void {
    if (this.#ports.say === undefined) return
    this.#failures.add(streamName, told, 1)
    this.#startTicking(nowMs)
  }

  /** A listing or a summary came, or failed with a text. */
  callEnded(streamName: string, call: ControlCall, nowMs: number, error?: string): void {
    const line = this.#outages.callEnded(streamName, call, nowMs, error)
    if (line !== undefined) this.#ports.say?.(line)
  }

  /** The streams are at rest, and every callback has run. */
  atRest(nowMs: number): void {
    if (this.#failures.isEmpty) return
    this.#sayAll(this.#failures.tellNew())
    this.#startTicking(nowMs)
  }

  /** Says the sums of a window that ended. */
  tick(nowMs: number): void {
    this.#isTicking = false
    this.#sayAll([...this.#failures.tellAll(), ...this.#throttles.end(nowMs, false)])
    this.#startTicking(nowMs)
  }

  /** Says what is left: nothing will come. */
  end(nowMs: number): void {
    this.#sayAll([...this.#failures.tellAll(), ...this.#throttles.end(nowMs, true)])
  }

  #sayAll(lines: readonly LogLine[]): void {
    for (const line of lines) this.#ports.say?.(line)
  }

  #startTicking(nowMs: number): void {
    const isCalm = this.#throttles.isCalm && this.#failures.isEmpty
    if (this.#isTicking || isCalm) return
    this.#isTicking = true
    this.#ports.wakeAt(nowMs + WINDOW_MS)
  }
}

function hasFailures(outcome: Outcome): boolean {
  return outcome.kind === 'failed' || outcome.records.some(({ errorCode }) => errorCode !== undefined)
}

/** One line for a producer without a logger: the event, and the fate of the records. */
function outageText(fields: LogEvents['breaker opened']): string {
  const { streamName, endpoint, errorCode, error, failedRequests } = fields
  const reason = error.replace(/\.$/, '')
  const where = endpoint === undefined ? '' : ` to ${endpoint}`
  const facts = failedRequests === 1 ? `a request${where} failed` : `${failedRequests} requests${where} failed`
  return `stream ${streamName}: ${facts}: ${reason}. ${fateOf(errorCode)} A logger shows more.`
}

function fateOf(errorCode: string): string {
  switch (classifyRequestError({ errorCode, persisted: 'no' })) {
    case 'refused':
      return errorCode === STREAM_NOT_FOUND || errorCode === STREAM_IN_USE
        ? 'Its records wait for up to recordTtlMs while DescribeStreamSummary says CREATING. Otherwise they fail (KPL_ERR_REJECTED).'
        : 'If this continues, the records of the stream fail (KPL_ERR_REJECTED).'
    case 'local':
      return 'If this continues, the records of the stream fail (KPL_ERR_CANNOT_SEND).'
    default:
      return 'Its records wait for up to recordTtlMs, and one request at a time tries again.'
  }
}
