/**
 * One stream whose requests are answered by hand, at times that the test says.
 * Invariant: nothing happens between two calls; backing off takes no time, because `random` is always 0.
 */

import { RecordValidator } from '../../src/core/record-validator.ts'
import { callBack } from '../../src/core/settlement.ts'
import { Stream } from '../../src/core/stream.ts'
import { streamOptions } from '../../src/core/stream-options.ts'
import type { LaneBatch } from '../../src/lanes/lane.ts'
import { TransportError } from '../../src/model/errors.ts'
import type { Settlement } from '../../src/model/exchange.ts'
import type { ProducerOptions } from '../../src/model/options.ts'
import type { PutRecordsAnswer, ShardHashRange } from '../../src/model/ports.ts'
import { resolveOptions } from '../../src/model/resolve-options.ts'
import type { Persisted, SettleCallback } from '../../src/model/results.ts'
import { MAX_HASH_KEY } from '../../src/wire/hash-key.ts'
import { accepted } from '../support/accepted.ts'

const DEFAULT_TTL_MS = 30_000

export type Fate = Parameters<SettleCallback>

export class PipelineWorld {
  readonly stream: Stream
  /** Requests that were not answered yet, oldest first. */
  readonly sent: LaneBatch[] = []
  fetchCount = 0
  #isFlushing = false
  #nowMs = 1000
  readonly #recordTtlMs: number
  readonly #settlements: Settlement[] = []

  /** Opens the stream with these shards, or waits for its first listing; what happened until then is not counted. */
  constructor(listing: readonly ShardHashRange[] | undefined, given: ProducerOptions = {}) {
    const options = streamOptions(resolveOptions(given))
    this.#recordTtlMs = given.recordTtlMs ?? DEFAULT_TTL_MS
    this.stream = new Stream('s', options, {
      random: () => 0,
      validator: new RecordValidator(options.maxUserRecordBytes),
      isFlushing: () => this.#isFlushing,
      hasFreeSlot: () => true,
      send: (_, batch) => this.sent.push(batch),
      fetchShards: () => this.fetchCount++,
      fetchSummary: () => {},
      settle: (_, settlement) => this.#settlements.push(settlement),
      warn: () => {}
    })
    this.stream.advance(this.#nowMs)
    if (listing !== undefined) this.stream.shardsListed(listing, this.#nowMs)
    this.stream.described({ status: 'ACTIVE', recordDistribution: 'USER_PARTITION_KEY' }, this.#nowMs)
    if (listing !== undefined) this.#nowMs += 5000
    this.fetchCount = 0
  }

  get nowMs(): number {
    return this.#nowMs
  }

  put(data: string, hashKey: bigint): { fate?: Fate } {
    const slot: { fate?: Fate } = {}
    const settle: SettleCallback = (error, result) => {
      if (slot.fate !== undefined) throw new Error('settled twice')
      slot.fate = [error, result]
    }
    const now = this.#nowMs
    const times = { acceptedMs: now, sealByMs: now + 80, deadlineMs: now + 100, expirationMs: now + this.#recordTtlMs }
    const record = accepted('key', data, { explicitHashKey: String(hashKey), settle, ...times })
    const placing = this.stream.place(record, undefined, this.#nowMs)
    this.stream.telemetry.received(this.#nowMs)
    if (placing === 'sealed') this.stream.pump()
    return slot
  }

  /** Seals and sends all that waits, and returns the one request that came of it. */
  flush(): LaneBatch {
    this.#isFlushing = true
    this.stream.flush(this.#nowMs)
    this.#isFlushing = false
    return this.takeSent()
  }

  takeSent(): LaneBatch {
    const [batch, ...others] = this.sent.splice(0)
    if (batch === undefined || others.length > 0) throw new Error(`${others.length + Number(!!batch)} requests, not 1`)
    return batch
  }

  /** Answers a request that was sent now, `tookMs` later. */
  answer(batch: LaneBatch, records: readonly PutRecordsAnswer[], tookMs = 10): void {
    const startMs = this.#nowMs
    this.#nowMs += tookMs
    this.stream.complete(batch, { startMs, endMs: this.#nowMs, kind: 'answered', records }, this.#nowMs)
    this.#settle()
  }

  /** Lets a request fail as a whole. */
  fail(batch: LaneBatch, errorCode: string, message: string, persisted: Persisted): void {
    const startMs = this.#nowMs
    this.#nowMs += 10
    const error = new TransportError({ errorCode, message, persisted })
    this.stream.complete(batch, { startMs, endMs: this.#nowMs, kind: 'failed', error }, this.#nowMs)
    this.#settle()
  }

  /** Passes time. */
  pass(ms: number): void {
    const untilMs = this.#nowMs + ms
    while (this.stream.nextDeadlineMs <= untilMs) {
      this.#nowMs = Math.max(this.#nowMs, this.stream.nextDeadlineMs)
      this.stream.advance(this.#nowMs)
      this.#settle()
    }
    this.#settle()
    this.#nowMs = untilMs
  }

  /** Answers the fetch that is under way, which is begun if it is due. */
  list(listing: readonly ShardHashRange[]): void {
    this.stream.advance(this.#nowMs)
    this.stream.shardsListed(listing, this.#nowMs)
    this.#settle()
  }

  #settle(): void {
    for (const settlement of this.#settlements.splice(0)) {
      callBack(
        settlement,
        () => {},
        error => {
          throw error
        }
      )
    }
  }
}

export function idOf(index: number): string {
  return `shardId-${String(index).padStart(12, '0')}`
}

/** Open shards from their numbers and last hash keys, in order; the last one ends where hash keys do. */
export function shards(...lasts: readonly (readonly [index: number, end?: bigint])[]): ShardHashRange[] {
  let next = 0n
  return lasts.map(([index, end = MAX_HASH_KEY]) => {
    const range = { shardId: idOf(index), startingHashKey: String(next), endingHashKey: String(end) }
    next = end + 1n
    return range
  })
}
