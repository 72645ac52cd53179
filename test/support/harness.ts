/**
 * A producer, a fake Kinesis and a virtual clock, wired together.
 * Invariant: nothing happens in real time; the same calls give the same trace.
 */

import { deaggregateAll } from '../../src/consumer/deaggregate.ts'
import type { RecordFailedError } from '../../src/model/errors.ts'
import type { ProducerOptions } from '../../src/model/options.ts'
import type { PutResult } from '../../src/model/results.ts'
import { KinesisProducer } from '../../src/producer/kinesis-producer.ts'
import { FakeKinesis, FaultPlan, InMemoryTransport, seededRandom, VirtualClock } from '../../src/testing/index.ts'
import { SILENT } from './silent.ts'

export interface HarnessOptions extends ProducerOptions {
  readonly shardCount?: number
  readonly latencyMs?: number
  readonly throughputLimits?: boolean
  readonly creatingMs?: number
  readonly deletingMs?: number
  readonly updatingMs?: number
  readonly seed?: number
}

export interface Settled {
  readonly error?: RecordFailedError
  readonly result?: PutResult
  readonly atMs: number
}

export const STREAM = 'orders'

export class Harness {
  readonly clock: VirtualClock
  readonly kinesis: FakeKinesis
  readonly faults: FaultPlan
  readonly transport: InMemoryTransport
  readonly producer: KinesisProducer

  constructor(options: HarnessOptions = {}) {
    const { shardCount = 1, latencyMs = 5, throughputLimits = true, seed = 1, ...others } = options
    const { creatingMs, deletingMs, updatingMs, ...producerOptions } = others
    const random = seededRandom(seed)
    this.clock = new VirtualClock(1_000_000)
    this.kinesis = new FakeKinesis({
      nowMs: () => this.clock.nowMs(),
      random: random.split('service'),
      throughputLimits,
      creatingMs,
      deletingMs,
      updatingMs
    })
    if (shardCount > 0) this.kinesis.createStream({ StreamName: STREAM, ShardCount: shardCount })
    this.faults = new FaultPlan([], random.split('faults'))
    const { clock, kinesis, faults } = this
    this.transport = new InMemoryTransport({ kinesis, clock, faults, latencyMs, requestTimeoutMs: 6000 })
    this.producer = new KinesisProducer(
      { streamName: STREAM, logger: SILENT, ...producerOptions },
      { transport: this.transport, clock, random: random.split('producer') }
    )
  }

  /** Puts without waiting; the answer comes into the returned object. */
  put(partitionKey: string, data: string | Uint8Array, explicitHashKey?: string | bigint): { settled?: Settled } {
    const slot: { settled?: Settled } = {}
    const isTaken = this.producer.tryPut({ partitionKey, data, explicitHashKey }, (error, result) => {
      if (slot.settled !== undefined) throw new Error('settled twice')
      const atMs = this.clock.nowMs()
      slot.settled = { atMs, ...(error && { error }), ...(result && { result }) }
    })
    if (!isTaken) throw new Error('the buffer is full')
    return slot
  }

  /** Opens the stream with a record of its own, so that its shard map is there and later records keep their times. */
  async warm(): Promise<this> {
    this.producer.tryPut({ partitionKey: 'warm', data: 'warm' })
    await this.settle(this.producer.flush())
    return this
  }

  /** Lets virtual time pass, promises included. */
  async pass(ms: number): Promise<void> {
    const untilMs = this.clock.nowMs() + ms
    await microtasks()
    while ((this.clock.nextAtMs ?? Number.POSITIVE_INFINITY) <= untilMs) {
      this.clock.runNext()
      await microtasks()
    }
    this.clock.advanceTo(untilMs)
    await microtasks()
  }

  /** Passes time until a promise settles, at most `limitMs`. */
  async settle<T>(promise: Promise<T>, limitMs = 600_000): Promise<T> {
    let isSettled = false
    const watched = promise.finally(() => {
      isSettled = true
    })
    watched.catch(() => {})
    const untilMs = this.clock.nowMs() + limitMs
    await microtasks()
    while (!isSettled && (this.clock.nextAtMs ?? Number.POSITIVE_INFINITY) <= untilMs) {
      this.clock.runNext()
      await microtasks()
    }
    if (!isSettled) throw new Error(`not settled within ${limitMs} ms of virtual time`)
    return watched
  }

  /** The bytes of all user records as a plain reader sees them. */
  storedBytes(): Uint8Array[] {
    return this.kinesis.storedRecords(STREAM).flatMap(({ data }) => [...deaggregateAll([data])].map(user => user.data))
  }

  /** User records as a plain reader sees them, in the order of storage within each shard. */
  stored(): {
    shardId: string
    sequenceNumber: string
    subSequenceNumber: number
    partitionKey: string
    data: string
  }[] {
    return this.kinesis.storedRecords(STREAM).flatMap(record =>
      [
        ...deaggregateAll([
          { Data: record.data, PartitionKey: record.partitionKey, SequenceNumber: record.sequenceNumber }
        ])
      ].map(user => ({
        shardId: record.shardId,
        sequenceNumber: user.sequenceNumber,
        subSequenceNumber: user.subSequenceNumber,
        partitionKey: user.partitionKey,
        data: new TextDecoder().decode(user.data)
      }))
    )
  }
}

/** Lets every promise that can run, run. */
export function microtasks(): Promise<void> {
  return new Promise(resolve => setImmediate(resolve))
}
