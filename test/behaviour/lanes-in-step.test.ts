import { expect, test } from 'vitest'
import { seededRandom } from '../../src/testing/index.ts'
import { Harness } from '../support/harness.ts'

const SECONDS = 5

interface Load {
  readonly shardCount: number
  readonly recordsPerSecond: number
  readonly recordBytes: number
}

/** The producer's requests and Kinesis records a second, at a steady rate and with keys at random. */
async function rates({ shardCount, recordsPerSecond, recordBytes }: Load) {
  const harness = await new Harness({ shardCount, throughputLimits: false }).warm()
  const random = seededRandom('keys')
  const data = Buffer.alloc(recordBytes)
  const state = () => harness.producer.stats().streams['orders']!
  const before = state()
  for (let ms = 0; ms < SECONDS * 1000; ms++) {
    for (let n = 0; n < recordsPerSecond / 1000; n++) {
      harness.producer.tryPut({ partitionKey: `user-${Math.floor(random() * 1e6)}`, data })
    }
    await harness.pass(1)
  }
  await harness.settle(harness.producer.flush())
  const after = state()
  return {
    requests: (after.requests - before.requests) / SECONDS,
    kinesisRecords: (after.kinesisRecordsPut - before.kinesisRecordsPut) / SECONDS
  }
}

test.each<Load>([
  { shardCount: 4, recordsPerSecond: 1000, recordBytes: 300 },
  { shardCount: 64, recordsPerSecond: 1000, recordBytes: 300 },
  { shardCount: 16, recordsPerSecond: 5000, recordBytes: 1000 }
])(
  '$shardCount shards at $recordsPerSecond records/s share their requests: ten a second, and few Kinesis records more',
  async load => {
    const { requests, kinesisRecords } = await rates(load)

    // With a step of its own, a lane opens an envelope with a record, and seals it 100 ms later.
    const perShard = load.recordsPerSecond / load.shardCount
    const kinesisRecordsAlone = load.shardCount * (perShard / (1 + perShard * 0.1))
    expect(requests).toBeGreaterThanOrEqual(9.5)
    expect(requests).toBeLessThanOrEqual(10.5)
    expect(kinesisRecords / kinesisRecordsAlone).toBeLessThan(1.35)
  }
)
