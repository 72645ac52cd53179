/**
 * What is decided and not called back yet: settlements enter as streams make them, and leave when every stream is at
 * rest, so a callback may put, flush or close.
 * Invariant: a record is called back once; the buffer and the counters are right before its callback runs, and whatever the
 * callback, a subscriber or a counter throws keeps no other record from being called back.
 */

import type { EnvelopeMemory } from '../lanes/envelope-memory.ts'
import { Fifo } from '../lanes/fifo.ts'
import { RecordFailedError } from '../model/errors.ts'
import type { Settlement } from '../model/exchange.ts'
import { shardOf } from '../model/failure-story.ts'
import type { AbortTicket } from '../model/kinesis-record.ts'
import { publishFailed, publishFailure } from '../stats/diagnostics.ts'
import type { Spells } from '../stats/spells.ts'
import type { StreamTelemetry } from '../stats/telemetry.ts'
import type { BufferBudget } from './buffer-budget.ts'
import type { FlushLedger } from './flush-ledger.ts'
import { takenBack } from './members.ts'
import { callBack } from './settlement.ts'

/** The stream that a settlement belongs to. */
export interface SettledStream {
  readonly streamName: string
  readonly telemetry: StreamTelemetry
}

export interface SettlementsContext {
  readonly budget: BufferBudget
  readonly ledger: FlushLedger
  readonly memory: EnvelopeMemory | undefined
  readonly spells: Spells | undefined
  /** A user's callback threw. */
  callbackThrew(error: unknown): void
  /** Something that only counts or tells threw. */
  tellingThrew(error: unknown): void
}

export class Settlements {
  readonly #context: SettlementsContext
  readonly #waiting = new Fifo<{ readonly stream: SettledStream; readonly settlement: Settlement }>()
  #isRunning = false
  #delivered = 0
  #failed = 0

  constructor(context: SettlementsContext) {
    this.#context = context
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

  /** Calls back whoever waits for a settlement. What a callback settles waits its turn. */
  run(nowMs: number): void {
    if (this.#isRunning) return
    this.#isRunning = true
    try {
      for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
        this.#settle(next.stream, next.settlement, nowMs)
      }
    } finally {
      this.#isRunning = false
      this.#tell(() => this.#context.spells?.atRest(nowMs))
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
    this.#tell(() => {
      telemetry?.failed('KPL_ERR_ABORTED', 1, shardOf({ members }))
      publishFailure(streamName, told, shardOf({ members }), 1)
      this.#context.spells?.takenBack(streamName, told, nowMs)
    })
    try {
      ticket.settle(new RecordFailedError(told), undefined)
    } catch (thrown) {
      this.#context.callbackThrew(thrown)
    }
    this.#context.ledger.settled(members.numbers[index]!)
  }

  #settle({ telemetry, streamName }: SettledStream, settlement: Settlement, nowMs: number): void {
    const { budget, ledger, memory, callbackThrew } = this.#context
    const { members, failure } = settlement
    const liveCount = members.count - members.abortedCount
    budget.release(members.budgetBytes, members.count)
    if (failure === undefined) this.#delivered += liveCount
    else this.#failed += liveCount
    this.#tell(() => {
      telemetry.settled(settlement, nowMs)
      publishFailed(streamName, settlement)
      if (failure !== undefined) this.#context.spells?.settled(streamName, settlement)
    })
    callBack(settlement, number => ledger.settled(number), callbackThrew)
    // Whoever did not answer may still be reading, so a record with a doubtful attempt keeps its memory.
    const isUnread = failure === undefined && settlement.persisted === 'no'
    if (isUnread && members.sealedAs !== undefined) memory?.release(members.sealedAs.data)
  }

  #tell(work: () => void): void {
    try {
      work()
    } catch (error) {
      this.#context.tellingThrew(error)
    }
  }
}
