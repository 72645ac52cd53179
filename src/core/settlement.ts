/**
 * The last station: what is decided and not called back yet. Settlements enter as streams make them, and leave when every
 * stream is at rest, so a callback may put, flush or close.
 * Invariant: every accepted record passes here exactly once (an aborted one passed when it was aborted); the buffer and the
 * counters are right before its callback runs, and whatever the callback, a subscriber or a counter throws keeps no other
 * record from being called back.
 */

import { Fifo } from '../lanes/fifo.ts'
import { RecordFailedError } from '../model/errors.ts'
import type { Delivered, Settlement } from '../model/exchange.ts'
import { attemptsOf, memberFailure, shardOf } from '../model/failure-story.ts'
import { type AbortTicket, isJoiner, isTicket, type SharedSettle } from '../model/kinesis-record.ts'
import type { ContextCallback, PutResult } from '../model/results.ts'
import { publishFailed, publishFailure } from '../stats/diagnostics.ts'
import type { StreamTelemetry } from '../stats/telemetry.ts'
import type { BlockPool } from '../wire/block-pool.ts'
import type { BufferBudget } from './buffer-budget.ts'
import type { CoreHost } from './core-host.ts'
import { internalFailure } from './failures.ts'
import type { FlushLedger } from './flush-ledger.ts'
import { takenBack } from './members.ts'

/** The stream that a settlement belongs to. */
export interface SettledStream {
  readonly streamName: string
  readonly telemetry: StreamTelemetry
}

/** The books that are right before a callback runs. */
export interface Books {
  readonly buffer: BufferBudget
  readonly ledger: FlushLedger
  readonly memory: BlockPool | undefined
}

export class Settlements {
  readonly #books: Books
  readonly #host: CoreHost
  readonly #waiting = new Fifo<{ readonly stream: SettledStream; readonly settlement: Settlement }>()
  #isRunning = false
  #delivered = 0
  #failed = 0

  constructor(books: Books, host: CoreHost) {
    this.#books = books
    this.#host = host
  }

  /** Settlements that wait for `run`. */
  get count(): number {
    return this.#waiting.count
  }

  /** User records that were acknowledged. */
  get delivered(): number {
    return this.#delivered
  }

  /** User records that failed, aborted ones included. */
  get failed(): number {
    return this.#failed
  }

  add(stream: SettledStream, settlement: Settlement): void {
    this.#waiting.push({ stream, settlement })
  }

  /** Calls the callbacks of settled records. Records that a callback settles wait for their turn. */
  run(nowMs: number): void {
    if (this.#isRunning) return
    this.#isRunning = true
    try {
      for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
        this.#settle(next.stream, next.settlement, nowMs)
      }
    } finally {
      this.#isRunning = false
      this.tell(() => this.#host.spells?.atRest(nowMs))
    }
  }

  /** Settles one record of members that are not decided, at once: its AbortSignal has fired. */
  abort(ticket: AbortTicket, telemetry: StreamTelemetry | undefined, nowMs: number): void {
    const { members, index, streamName } = ticket
    if (members === undefined || members.isDecided) return
    const told = takenBack(members, index, nowMs)
    members.settles[index] = undefined
    members.abortedCount++
    ticket.members = undefined
    this.#failed++
    this.tell(() => {
      telemetry?.failed('KPL_ERR_ABORTED', 1, shardOf({ members }))
      publishFailure(streamName, told, shardOf({ members }), 1)
      this.#host.spells?.takenBack(streamName, told, nowMs)
    })
    try {
      ticket.settle(new RecordFailedError(told), undefined)
    } catch (thrown) {
      this.#host.callbackThrew(thrown)
    }
    this.#books.ledger.settled(members.numbers[index]!)
  }

  /** For what only counts or tells: when it throws, no record is touched. */
  tell(work: () => void): void {
    try {
      work()
    } catch (error) {
      this.tellingThrew(error)
    }
  }

  /** Something that only counts or tells threw. */
  tellingThrew(error: unknown): void {
    this.#host.warn('KPL_WARN_INTERNAL', internalFailure(error).message)
  }

  #settle({ telemetry, streamName }: SettledStream, settlement: Settlement, nowMs: number): void {
    const { buffer, ledger, memory } = this.#books
    const { members } = settlement
    const isDelivered = settlement.kind === 'delivered'
    const liveCount = members.count - members.abortedCount
    buffer.release(members.budgetBytes, members.count)
    if (isDelivered) this.#delivered += liveCount
    else this.#failed += liveCount
    this.tell(() => {
      telemetry.settled(settlement, nowMs)
      publishFailed(streamName, settlement)
      if (settlement.kind === 'failed') this.#host.spells?.failed(streamName, settlement)
    })
    const callbackThrew = (error: unknown) => this.#host.callbackThrew(error)
    callBack(settlement, number => ledger.settled(number), callbackThrew)
    // A request without an answer may still read its bytes, so a record with an unclear attempt keeps its memory.
    const isUnread = isDelivered && settlement.persisted === 'no'
    if (isUnread && members.sealedAs !== undefined) memory?.release(members.sealedAs.data)
  }
}

/**
 * Tells each member's caller, then `onSettled` its number: a flush ends after the last callback, not before it. `onThrow` gets
 * the error of a callback that threw. Members that were aborted were called back then.
 */
export function callBack(
  settlement: Settlement,
  onSettled: (number: number) => void,
  onThrow: (error: unknown) => void
): void {
  const { members } = settlement
  for (let i = 0; i < members.count; i++) {
    const settler = members.settles[i]
    if (isJoiner(settler)) continue
    const settle = callbackOf(settler)
    if (settle === undefined) continue
    members.settles[i] = undefined
    try {
      const returned: unknown =
        settlement.kind === 'delivered'
          ? settle(undefined, resultOf(settlement, i), members.contextOf(i))
          : settle(new RecordFailedError(memberFailure(settlement, i)), undefined, members.contextOf(i))
      // An async function is taken for a callback by the types: its rejection is a throw.
      if (returned !== undefined) watch(returned, onThrow)
    } catch (error) {
      onThrow(error)
    }
    onSettled(members.numbers[i]!)
  }
  if (members.shared !== undefined) tellShared(settlement, members.shared, onSettled, onThrow)
}

function tellShared(
  settlement: Settlement,
  shared: SharedSettle,
  onSettled: (number: number) => void,
  onThrow: (error: unknown) => void
): void {
  const { settles, numbers, count } = settlement.members
  try {
    shared.decide(index => {
      if (settlement.kind === 'delivered') return resultOf(settlement, index)
      throw new RecordFailedError(memberFailure(settlement, index))
    })
  } catch (error) {
    onThrow(error)
  }
  for (let i = 0; i < count; i++) if (isJoiner(settles[i])) onSettled(numbers[i]!)
}

function watch(returned: unknown, onThrow: (error: unknown) => void): void {
  const { then } = Object(returned) as { readonly then?: unknown }
  if (typeof then === 'function') then.call(returned, undefined, onThrow)
}

function callbackOf(settle: ContextCallback<unknown> | AbortTicket | undefined): ContextCallback<unknown> | undefined {
  if (!isTicket(settle)) return settle
  settle.members = undefined
  return settle.settle
}

function resultOf(settlement: Delivered, index: number): PutResult {
  const { shardId, sequenceNumber, isAggregate } = settlement
  const attempts = attemptsOf(settlement, index)
  return isAggregate
    ? { shardId, sequenceNumber, subSequenceNumber: index, attempts }
    : { shardId, sequenceNumber, attempts }
}
