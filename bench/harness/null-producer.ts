/**
 * A producer in front of a transport that acknowledges and forgets: the put path without the network.
 * Invariant: nothing is throttled and nothing is refused, so that only the producer's own work is measured.
 */
import { deaggregateAll } from '../../src/consumer/deaggregate.ts'
import { readFrame } from '../../src/glue/index.ts'
import {
  KinesisProducer,
  type PutRecordsRequest,
  type PutRecordsResponse,
  type RecordFrame,
  type Transport,
  type UserRecord
} from '../../src/index.ts'
import { DiscardTransport } from '../../src/testing/index.ts'
import type { Ledger } from './load.ts'
import { meter, perSecond } from './meter.ts'
import { type Call, pump, source } from './pump.ts'

/** No limit at all: nobody throttles here. */
export const UNLIMITED_PERCENT = 1_000_000_000
const BUFFER_BYTES = 4 * 1024 ** 3
const BUFFER_RECORDS = 10_000_000

export interface PutCase {
  readonly call: Call
  readonly recordBytes: number
  readonly shards: number
  /** Different partition keys, or a new one for every record. More than the pool has are made as they are needed. */
  readonly keys: number | 'unique'
  /** Data is text. */
  readonly isText?: boolean
  /** Every record has a schema of Glue. */
  readonly isFramed?: boolean
}

export interface Rates {
  readonly perSecond: number
  readonly perCpuSecond: number
}

export function nullProducer(transport: Transport): KinesisProducer {
  return new KinesisProducer(
    {
      streamName: 'bench',
      rateLimitPercent: UNLIMITED_PERCENT,
      bufferMaxBytes: BUFFER_BYTES,
      bufferMaxRecords: BUFFER_RECORDS
    },
    { transport }
  )
}

/** Notes the user records of every request. */
export class CheckingTransport extends DiscardTransport {
  readonly #ledger: Ledger

  constructor(shards: number, ledger: Ledger) {
    super({ shards })
    this.#ledger = ledger
  }

  override putRecords(request: PutRecordsRequest): Promise<PutRecordsResponse> {
    for (const { partitionKey, data } of request.entries) {
      const record = { partitionKey, data, sequenceNumber: '1' }
      for (const userRecord of deaggregateAll([record])) {
        this.#ledger.note(userRecord.partitionKey, readFrame(userRecord.data)?.payload ?? userRecord.data)
      }
    }
    return super.putRecords(request)
  }
}

const SCHEMA: RecordFrame = { prefix: Uint8Array.of(3, 0, ...Array.from({ length: 16 }, (_, i) => i)) }

/** The same records, each with a schema. */
export function framed(next: () => UserRecord): () => UserRecord {
  return () => {
    const { partitionKey, data } = next()
    return { partitionKey, data, schema: SCHEMA }
  }
}

/** Times `count` records through a fresh producer, after `warmUp` records through the same. */
export async function timePuts(
  { call, shards, keys, isText, isFramed = false }: PutCase,
  pool: Parameters<typeof source>[0],
  warmUp: number,
  count: number
): Promise<Rates> {
  const producer = nullProducer(new DiscardTransport({ shards }))
  const own = keys === 'unique' ? Number.POSITIVE_INFINITY : keys
  const plain = source(pool, { keys: own > pool.length ? own : undefined, isText: isText === true })
  const next = isFramed ? framed(plain) : plain
  await pump(producer, call, next, warmUp)
  const { wallMs, cpuMs } = await meter(() => pump(producer, call, next, count))
  const { delivered, failed } = producer.stats()
  if (delivered !== warmUp + count || failed !== 0) throw new Error(`${delivered} delivered, ${failed} failed`)
  await producer.close()
  return { perSecond: perSecond(count, wallMs), perCpuSecond: perSecond(count, cpuMs) }
}
