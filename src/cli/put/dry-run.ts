/**
 * A put that sends nothing: the same producer before a fake Kinesis in memory.
 * Example: 1,000 records of one key over 4 shards: all of them in one shard, 2 Kinesis records.
 * Invariant: nothing reaches the network; the report counts the requests that the producer really made.
 */
import { KinesisProducer, type ProducerOptions, type ProducerStats } from '../../index.ts'
import { FakeKinesis, InMemoryTransport } from '../../testing/index.ts'
import type { Json } from '../output/json.ts'
import { grouped } from '../output/progress.ts'
import type { Session } from '../session.ts'

const PAYLOAD_UNIT_BYTES = 25_600

export interface DryRun {
  readonly producer: KinesisProducer
  report(stats: ProducerStats): Readonly<Record<string, Json>>
  text(stats: ProducerStats): string
}

export function dryRun({ host }: Session, options: ProducerOptions, shardCount: number): DryRun {
  const { clock, random } = host
  const kinesis = new FakeKinesis({ nowMs: () => clock.nowMs(), throughputLimits: false, storage: 'discard' })
  const name = (options.streamName ?? 'stream').replace(/^arn:.*\//, '')
  kinesis.createStream({ StreamName: name, ShardCount: shardCount })
  const transport = new InMemoryTransport({ kinesis, clock })
  const { endpoint: _, credentials: __, region: ___, ...rest } = options
  // No shard holds back what only a real one would.
  const dryOptions = { ...rest, streamName: name, rateLimitPercent: 1_000_000 }
  const producer = new KinesisProducer(dryOptions, { transport, clock, random })
  return { producer, report: stats => ({ shards: shardsOf(stats), ...ratioOf(stats) }), text }
}

function shardsOf({ streams }: ProducerStats): readonly Json[] {
  return Object.values(streams).flatMap(stream =>
    Object.entries(stream.shards).map(([shardId, shard]) => ({
      shardId,
      records: shard.userRecordsPut,
      bytes: shard.userRecordsDataPut,
      kinesisRecords: shard.kinesisRecordsPut
    }))
  )
}

function ratioOf({ streams }: ProducerStats): Readonly<Record<string, number>> {
  let userRecords = 0
  let kinesisRecords = 0
  let bytes = 0
  for (const stream of Object.values(streams)) {
    userRecords += stream.userRecordsPut
    kinesisRecords += stream.kinesisRecordsPut
    bytes += stream.kinesisRecordsDataPut
  }
  return {
    aggregationRatio: kinesisRecords === 0 ? 0 : userRecords / kinesisRecords,
    // At least one unit for each Kinesis record; exact for records of up to 25 KiB.
    payloadUnitsAtLeast: Math.max(kinesisRecords, Math.ceil(bytes / PAYLOAD_UNIT_BYTES))
  }
}

function text(stats: ProducerStats): string {
  const { aggregationRatio = 0, payloadUnitsAtLeast = 0 } = ratioOf(stats)
  const shards = Object.values(stats.streams).flatMap(stream =>
    Object.entries(stream.shards).map(([id, shard]) => `  ${id}  ${grouped(shard.userRecordsPut)} records`)
  )
  const head = `${aggregationRatio.toFixed(1)} records in a Kinesis record, ${grouped(payloadUnitsAtLeast)} payload units or more`
  return [head, ...shards].join('\n')
}
