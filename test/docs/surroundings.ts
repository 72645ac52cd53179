/**
 * The names that an example of a comment finds around it: a producer, its fake Kinesis, records, clients.
 * Example: `producer.put(record)` runs with a producer that puts into a stream `orders` of one shard, in memory.
 * Invariant: every example has its own; nothing is started that the example does not name; `leave` ends all of it.
 */
import { GlueClient } from '@aws-sdk/client-glue'
import { KinesisClient } from '@aws-sdk/client-kinesis'
import { NodeHttpHandler } from '@smithy/node-http-handler'
import { expect } from 'vitest'
import { aggregate, type SdkKinesisRecord } from '../../src/consumer/deaggregate.ts'
import { KinesisProducer, type UserRecord } from '../../src/index.ts'
import {
  FakeKinesis,
  InMemoryTransport,
  kinesisEvent,
  lambdaContext,
  startFakeGlue,
  startFakeKinesisServer
} from '../../src/testing/index.ts'
import { realClock } from '../../src/testing/real-time.ts'

const SDK = { region: 'us-east-1', credentials: { accessKeyId: 'any', secretAccessKey: 'any' } }
const streamName = 'orders'
const records: readonly UserRecord[] = [1, 2, 3].map(n => ({ partitionKey: `user-${n}`, data: `{"total":${n}}` }))

const cleanUps: (() => unknown)[] = []
const checked = new Set<number>()

/** What examples may name. */
export interface Surroundings {
  readonly producer: KinesisProducer
  readonly kinesis: FakeKinesis
  readonly transport: InMemoryTransport
  readonly record: UserRecord
  readonly records: readonly UserRecord[]
  /** One Kinesis record that holds `records`. */
  readonly kinesisRecord: SdkKinesisRecord
  readonly kinesisRecords: readonly SdkKinesisRecord[]
  readonly event: ReturnType<typeof kinesisEvent>
  readonly context: ReturnType<typeof lambdaContext>
  readonly client: KinesisClient
  readonly glue: GlueClient
}

export const SURROUNDING_NAMES: readonly (keyof Surroundings)[] = [
  'producer',
  'kinesis',
  'transport',
  'record',
  'records',
  'kinesisRecord',
  'kinesisRecords',
  'event',
  'context',
  'client',
  'glue'
]

/** Makes what the example names; clients, which need a server, only if they are among `names`. */
export async function around(names: readonly string[]): Promise<Surroundings> {
  const kinesis = new FakeKinesis({ nowMs: () => realClock.nowMs() })
  kinesis.createStream({ StreamName: streamName, ShardCount: 1 })
  const transport = new InMemoryTransport({ kinesis, clock: realClock })
  const producer = new KinesisProducer({ streamName, recordMaxBufferedTimeMs: 5 }, { transport })
  cleanUps.push(() => producer.close())
  const kinesisRecords = [...aggregate(records)].map(({ data, partitionKey }, i) => ({
    Data: data,
    PartitionKey: partitionKey,
    SequenceNumber: String(i + 1)
  }))
  return {
    producer,
    kinesis,
    transport,
    record: records[0]!,
    records,
    kinesisRecord: kinesisRecords[0]!,
    kinesisRecords,
    event: kinesisEvent(records),
    context: lambdaContext(),
    client: names.includes('client') ? await kinesisClient(kinesis) : new KinesisClient(SDK),
    glue: names.includes('glue') ? await glueClient() : new GlueClient(SDK)
  }
}

/** A line `actual // => expected` of an example. */
export function check(id: number, actual: unknown, expected: unknown): void {
  checked.add(id)
  expect(actual).toEqual(expected)
}

/** Ends what an example started; returns the numbers of the lines that were checked. */
export async function leave(): Promise<number[]> {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp()
  const numbers = [...checked].sort((left, right) => left - right)
  checked.clear()
  return numbers
}

async function kinesisClient(kinesis: FakeKinesis): Promise<KinesisClient> {
  const { endpoint, close } = await startFakeKinesisServer({ kinesis })
  const client = new KinesisClient({ ...SDK, endpoint, requestHandler: new NodeHttpHandler() })
  cleanUps.push(close, () => client.destroy())
  return client
}

async function glueClient(): Promise<GlueClient> {
  const { endpoint, close } = await startFakeGlue()
  const client = new GlueClient({ ...SDK, endpoint })
  cleanUps.push(close, () => client.destroy())
  return client
}
