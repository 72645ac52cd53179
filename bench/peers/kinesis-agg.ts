/**
 * aws-kinesis-agg in front of the SDK's best way: aggregates of 50 KB, 100 to a request.
 * Invariant: aggregates are as large as ours, so that requests are comparable. One aggregator for the whole stream, as
 * its documentation has it: an aggregate goes to the shard of its first record, whoever owns the others.
 */
import { createRequire } from 'node:module'
import type { PutRecordsRequestEntry } from '@aws-sdk/client-kinesis'
import { CONCURRENCY, type Contestant, type ContestantSetting } from './contestant.ts'
import { bestClient, putAll } from './sdk.ts'

const AGGREGATE_BYTES = 51_200
/** More than a key, the tags and the frame take: its own limit is 1 MiB and fixed. */
const OVERHEAD_BYTES = 64
const REQUEST_AGGREGATES = 100

interface Aggregator {
  readonly totalBytes: number
  addUserRecord(record: { readonly partitionKey: string; readonly data: Buffer }): void
  build(): { readonly partitionKey: string; readonly data: Buffer }
}

const { RecordAggregator } = createRequire(import.meta.url)('aws-kinesis-agg') as {
  RecordAggregator: new () => Aggregator
}

export function openKinesisAgg({ endpoint, pool }: ContestantSetting): Contestant {
  const client = bestClient(endpoint)
  const aggregator = new RecordAggregator()
  return {
    async drive(count) {
      const requests = new Set<Promise<void>>()
      let entries: PutRecordsRequestEntry[] = []
      const send = async () => {
        const request = putAll(client, entries)
        entries = []
        requests.add(request)
        request.then(() => requests.delete(request)).catch(() => {})
        if (requests.size >= CONCURRENCY) await Promise.race(requests)
      }
      const emit = () => {
        const { partitionKey, data } = aggregator.build()
        entries.push({ PartitionKey: partitionKey, Data: data })
      }
      for (let i = 0; i < count; i++) {
        const { partitionKey, data } = pool[i % pool.length]!
        if (aggregator.totalBytes + data.length + OVERHEAD_BYTES > AGGREGATE_BYTES) emit()
        if (entries.length === REQUEST_AGGREGATES) await send()
        aggregator.addUserRecord({ partitionKey, data })
      }
      emit()
      await send()
      await Promise.all(requests)
    },
    close: async () => client.destroy()
  }
}
