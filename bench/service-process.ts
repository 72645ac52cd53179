/**
 * A service that puts a record now and then, in a process of its own: the ways in which it may do so.
 * Invariant: every record that is due is put, and a run ends when each of its records is acknowledged.
 */
import { type KinesisClient, PutRecordCommand, type PutRecordsRequestEntry } from '@aws-sdk/client-kinesis'
import type { ProducerOptions } from '../src/index.ts'
import { type LoadRecord, makePool, type PoolOptions } from './harness/load.ts'
import { meter, type Spent } from './harness/meter.ts'
import { LOAD_ALONE, putAtRate, type Way } from './harness/steady-puts.ts'
import { REQUEST_RECORDS, STREAM_NAME } from './peers/contestant.ts'
import { bestClient, putAll } from './peers/sdk.ts'
import { sinkProducer } from './sink/producer.ts'

/** As our producer's default `recordMaxBufferedTimeMs`. */
const BATCH_MS = 100

export const WAYS: Readonly<Record<string, (endpoint: string) => Way>> = {
  'the load alone': () => LOAD_ALONE,
  'kinesis-producer, put': endpoint => ours(endpoint),
  'kinesis-producer, put, CBOR': endpoint => ours(endpoint, { wireFormat: 'cbor' }),
  'SDK, PutRecords batched by hand': endpoint => batched(bestClient(endpoint)),
  'SDK, PutRecord for each record': endpoint => single(bestClient(endpoint))
}

function ours(endpoint: string, more: Partial<ProducerOptions> = {}): Way {
  const producer = sinkProducer(endpoint, more)
  return {
    put: ({ partitionKey, text }) => producer.put({ partitionKey, data: text }),
    close: () => producer.close()
  }
}

interface Batch {
  readonly entries: PutRecordsRequestEntry[]
  readonly sent: Promise<void>
  send(): void
}

/** Batches of up to 500 records or 100 ms; failed records are sent again. */
function batched(client: KinesisClient): Way {
  let open: Batch | undefined
  const newBatch = (): Batch => {
    const entries: PutRecordsRequestEntry[] = []
    let send = () => {}
    const sent = new Promise<void>((resolve, reject) => {
      send = () => {
        clearTimeout(timer)
        open = undefined
        putAll(client, entries).then(resolve, reject)
      }
    })
    const timer = setTimeout(send, BATCH_MS)
    return { entries, sent, send }
  }
  return {
    put({ partitionKey, text }) {
      open ??= newBatch()
      const { entries, sent, send } = open
      entries.push({ PartitionKey: partitionKey, Data: Buffer.from(text) })
      if (entries.length === REQUEST_RECORDS) send()
      return sent
    },
    close: async () => client.destroy()
  }
}

function single(client: KinesisClient): Way {
  return {
    put({ partitionKey, text }) {
      const Data = Buffer.from(text)
      return client.send(new PutRecordCommand({ StreamName: STREAM_NAME, PartitionKey: partitionKey, Data }))
    },
    close: async () => client.destroy()
  }
}

let way: Way | undefined
let pool: LoadRecord[] = []

export function open(name: string, endpoint: string, options: PoolOptions): void {
  way = WAYS[name]!(endpoint)
  pool = makePool(options)
}

/** Puts the first `count` records of the pool in turn, `ratePerSecond` of them a second. */
export function serve(count: number, ratePerSecond: number): Promise<Spent> {
  return meter(() => putAtRate(way!, pool, count, ratePerSecond))
}

export async function close(): Promise<void> {
  await way!.close()
}
