/**
 * The test's own books: every record that was accepted, what was sent of it, what was said about it.
 * Invariant: `puts[n]` is the record that the producer numbered n; nothing here is read from the producer's state.
 */
import type { RecordFailedError } from '../../src/model/errors.ts'
import type { AbortTicket } from '../../src/model/kinesis-record.ts'
import type { PutResult } from '../../src/model/results.ts'

/** The answer to one sending of a record, as the client got it. */
export type Told = 'delivered' | 'misrouted' | 'unknownShard' | 'definite' | 'ambiguous'

/** One accepted user record and its story. */
export interface Put {
  readonly id: number
  readonly streamName: string
  readonly partitionKey: string
  /** Canonical decimal, as it must come out. */
  readonly explicitHashKey: string | undefined
  readonly data: Uint8Array
  readonly hashKey: bigint
  readonly budgetBytes: number
  readonly acceptedMs: number
  readonly isPoison: boolean
  /** Put after the faults were over: must be delivered. */
  readonly isProbe: boolean
  ticket: AbortTicket | undefined
  settledMs: number | undefined
  settledCount: number
  error: RecordFailedError | undefined
  result: PutResult | undefined
  /** How often it was handed to the network, unanswered ones, and what was told of the others. */
  sentCount: number
  inFlightCount: number
  readonly told: Told[]
  /** The client gave its request up (close). */
  wasGivenUp: boolean
  /** A request with it was refused as a whole for a reason that is not the record's. */
  wasRefused: boolean
  /** An answer about it came while the client had no shard map. */
  wasBlind: boolean
  /** Its user took it back. */
  wasAborted: boolean
  /** The put threw an error of a core that the simulation made throw: nothing was taken. */
  wasThrown: boolean
}

export class Ledger {
  readonly puts: Put[] = []
  /** Puts that were refused, by reason. */
  fullCount = 0
  invalidCount = 0
  settledCount = 0
  deliveredCount = 0
  /** BufferBudget bytes of records that are accepted and not settled. */
  outstandingBytes = 0
  /** Every put below this one has settled. */
  #settledBelow = 0

  get outstanding(): number {
    return this.puts.length - this.settledCount
  }

  /** Whether every put with a lower id has settled. Amortised O(1). */
  isSettledBelow(id: number): boolean {
    while (this.#settledBelow < this.puts.length && this.puts[this.#settledBelow]!.settledMs !== undefined) {
      this.#settledBelow++
    }
    return this.#settledBelow >= id
  }

  accepted(put: Put): void {
    this.puts.push(put)
    this.outstandingBytes += put.budgetBytes
  }

  /** The buffer was full after all. */
  refused(put: Put): void {
    this.puts.pop()
    this.outstandingBytes -= put.budgetBytes
  }

  settled(put: Put, error: RecordFailedError | undefined, result: PutResult | undefined, nowMs: number): void {
    put.settledCount++
    if (put.settledCount > 1) return
    put.settledMs = nowMs
    put.error = error
    put.result = result
    this.settledCount++
    if (result !== undefined) this.deliveredCount++
    this.outstandingBytes -= put.budgetBytes
  }
}
