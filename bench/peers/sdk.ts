/**
 * The AWS SDK without a producer, the naive way and the best way.
 * Invariant: every record is acknowledged; the best way sends failed records again, the naive way stops at one.
 */
import { Agent } from 'node:https'
import { KinesisClient, PutRecordsCommand, type PutRecordsRequestEntry } from '@aws-sdk/client-kinesis'
import { NodeHttpHandler } from '@smithy/node-http-handler'
import {
  CONCURRENCY,
  type Contestant,
  type ContestantSetting,
  CREDENTIALS,
  concurrently,
  REGION,
  REQUEST_RECORDS,
  STREAM_NAME
} from './contestant.ts'

const MAX_ATTEMPTS = 3

/** The default client, one request of 500 records after the other. */
export function openNaive({ endpoint, pool }: ContestantSetting): Contestant {
  const client = new KinesisClient({ endpoint, region: REGION, credentials: CREDENTIALS })
  const entries = entriesOf(pool)
  return {
    async drive(count) {
      for (let first = 0; first < count; first += REQUEST_RECORDS) {
        const Records = slice(entries, first, Math.min(REQUEST_RECORDS, count - first))
        const { FailedRecordCount } = await client.send(new PutRecordsCommand({ StreamName: STREAM_NAME, Records }))
        if (FailedRecordCount !== 0) throw new Error(`${FailedRecordCount} records failed`)
      }
    },
    close: async () => client.destroy()
  }
}

/** Kept HTTP/1.1 connections, as many requests at a time as our producer has, failed records sent again. */
export function openBest({ endpoint, pool }: ContestantSetting): Contestant {
  const client = bestClient(endpoint)
  const entries = entriesOf(pool)
  return {
    drive(count) {
      return concurrently(Math.ceil(count / REQUEST_RECORDS), index => {
        const first = index * REQUEST_RECORDS
        return putAll(client, slice(entries, first, Math.min(REQUEST_RECORDS, count - first)))
      })
    },
    close: async () => client.destroy()
  }
}

export function bestClient(endpoint: string): KinesisClient {
  return new KinesisClient({
    endpoint,
    region: REGION,
    credentials: CREDENTIALS,
    maxAttempts: MAX_ATTEMPTS,
    requestHandler: new NodeHttpHandler({ httpsAgent: new Agent({ keepAlive: true, maxSockets: CONCURRENCY }) })
  })
}

/** Sends the records, and those of them that failed again, at most `MAX_ATTEMPTS` times. */
export async function putAll(client: KinesisClient, records: readonly PutRecordsRequestEntry[]): Promise<void> {
  let left = records
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    const Records = [...left]
    const answer = await client.send(new PutRecordsCommand({ StreamName: STREAM_NAME, Records }))
    if (answer.FailedRecordCount === 0) return
    left = Records.filter((_, i) => answer.Records?.[i]?.ErrorCode !== undefined)
  }
  throw new Error(`${left.length} records failed`)
}

function entriesOf(pool: ContestantSetting['pool']): PutRecordsRequestEntry[] {
  return pool.map(({ partitionKey, data }) => ({ PartitionKey: partitionKey, Data: data }))
}

/** `count` records from number `first` on, round and round. */
function slice(entries: readonly PutRecordsRequestEntry[], first: number, count: number): PutRecordsRequestEntry[] {
  return Array.from({ length: count }, (_, i) => entries[(first + i) % entries.length]!)
}
