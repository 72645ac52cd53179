/**
 * What the stream's summary says: whether the stream is there, how large its records may be, and who chooses shards.
 */
import { describe, expect, test } from 'vitest'
import type { Transport } from '../../src/model/ports.ts'
import { KinesisProducer } from '../../src/producer/kinesis-producer.ts'
import { Harness, STREAM } from '../support/harness.ts'

const START_MS = 1_000_000
/** The longest wait between two summaries, with its jitter. */
const POLL_MS = 6_250

describe('a stream that is being created', () => {
  test('is waited for: its records are delivered soon after it is there, with the refusals in their history', async () => {
    const harness = new Harness({ creatingMs: 20_000 })
    const slot = harness.put('k', 'v')

    await harness.settle(harness.producer.flush())

    const { result, atMs } = slot.settled!
    const { DescribeStreamSummary } = harness.transport.stats()
    expect(result?.shardId).toBe('shardId-000000000000')
    expect(result?.attempts.at(0)?.errorCode).toBe('ResourceNotFoundException')
    expect(atMs - START_MS).toBeGreaterThan(20_000)
    expect(atMs - START_MS).toBeLessThan(20_000 + POLL_MS)
    expect(DescribeStreamSummary?.requestCount).toBeLessThan(20)
  })

  test('is waited for until the time to live, which tells why', async () => {
    const harness = new Harness({ creatingMs: 60_000, recordTtlMs: 10_000 })
    const slot = harness.put('k', 'v')

    await harness.settle(harness.producer.flush())

    const { code, serviceCode, persisted } = slot.settled!.error!
    expect([code, serviceCode, persisted]).toEqual(['KPL_ERR_EXPIRED', 'ResourceNotFoundException', 'no'])
    expect(slot.settled!.atMs - START_MS).toBe(10_000)
  })

  test('is waited for when it was missing before', async () => {
    const harness = new Harness({ creatingMs: 20_000, shardCount: 0 })
    const early = harness.put('k', 'early')
    await harness.settle(harness.producer.flush())
    await harness.pass(20_000)

    harness.kinesis.createStream({ StreamName: STREAM, ShardCount: 1 })
    const late = harness.put('k', 'late')
    await harness.settle(harness.producer.flush())

    expect(early.settled?.error?.serviceCode).toBe('ResourceNotFoundException')
    expect(late.settled?.result?.shardId).toBe('shardId-000000000000')
  })

  test('is waited for when it took records before it was deleted', async () => {
    const harness = new Harness({ creatingMs: 50_000 })
    await harness.pass(50_000)
    await harness.warm()
    harness.kinesis.deleteStream({ StreamName: STREAM })
    await harness.pass(1_000)

    harness.kinesis.createStream({ StreamName: STREAM, ShardCount: 1 })
    const slot = harness.put('k', 'v')
    await harness.settle(harness.producer.flush())

    expect(slot.settled?.result?.shardId).toBe('shardId-000000000000')
  })

  test('is waited for when its summary comes after three refusals', async () => {
    const harness = new Harness({ creatingMs: 20_000 })
    harness.faults.add({ match: { operation: 'DescribeStreamSummary' }, action: { kind: 'delay', delayMs: 3_000 } })
    const slot = harness.put('k', 'v')

    await harness.settle(harness.producer.flush())

    expect(slot.settled?.result?.shardId).toBe('shardId-000000000000')
  })

  test('is waited for when some summaries cannot be had', async () => {
    const harness = new Harness({ creatingMs: 20_000 })
    harness.faults.add({
      match: { operation: 'DescribeStreamSummary', firstOrdinal: 3 },
      action: { kind: 'failRequest', errorCode: 'LimitExceededException', statusCode: 400 },
      times: 2
    })
    const slot = harness.put('k', 'v')

    await harness.settle(harness.producer.flush())

    expect(slot.settled?.result?.shardId).toBe('shardId-000000000000')
  })

  test('has no shards to list, which is no fault to warn about', async () => {
    const { harness, warnings } = heard({ creatingMs: 20_000 })
    harness.put('k', 'v')

    await harness.settle(harness.producer.flush())

    expect(warnings).toEqual([])
  })

  test('may be listed as empty by its endpoint, which is no fault to warn about', async () => {
    const { harness, logger, warnings } = heard({ creatingMs: 20_000 })
    const { clock, transport } = harness
    const isThere = () => clock.nowMs() >= START_MS + 20_000
    const between: Transport = {
      putRecords: request => transport.putRecords(request),
      listShards: stream => (isThere() ? transport.listShards(stream) : Promise.resolve([])),
      describeStream: stream => transport.describeStream(stream),
      close: () => transport.close()
    }
    const producer = new KinesisProducer({ streamName: STREAM, logger }, { transport: between, clock })

    await harness.settle(producer.put({ partitionKey: 'k', data: 'v' }))

    expect(warnings).toEqual([])
  })

  test('has its shards listed at once when it is there', async () => {
    const harness = new Harness({ creatingMs: 40_000 })
    harness.put('k', 'v')
    await harness.settle(harness.producer.flush())

    await harness.pass(2_000)

    expect(harness.producer.stats().streams[STREAM]?.openShards).toBe(1)
  })
})

describe('a stream that is refused although its summary says that it is there', () => {
  test('fails after five seconds', async () => {
    const harness = new Harness()
    harness.faults.add({
      match: { operation: 'PutRecords' },
      action: { kind: 'failRequest', errorCode: 'ResourceNotFoundException', statusCode: 400 }
    })
    const slot = harness.put('k', 'v')

    await harness.settle(harness.producer.flush())

    expect(slot.settled?.error?.code).toBe('KPL_ERR_REJECTED')
    expect(slot.settled!.atMs - START_MS).toBeGreaterThan(5_000)
    expect(slot.settled!.atMs - START_MS).toBeLessThan(15_000)
  })
})

describe('the largest record of the stream', () => {
  test('is compared with maxUserRecordBytes: one warning tells both, however often the summary comes', async () => {
    const { harness, warnings } = heard({ maxUserRecordBytes: 2_097_152, describeStreamSummaryIntervalMs: 1 })
    await harness.warm()
    await harness.pass(5_000)
    await harness.warm()
    await harness.pass(5_000)

    expect(harness.transport.stats()['DescribeStreamSummary']?.requestCount).toBe(3)
    expect(warnings).toEqual([
      [
        'KPL_WARN_RECORD_SIZE',
        `stream ${STREAM} takes records of at most 1048576 bytes, and maxUserRecordBytes allows 2097152; Kinesis refuses larger ones`
      ]
    ])
  })
})

describe('recordDistributionDefault', () => {
  test("'USER_PARTITION_KEY': records of one key share an envelope where neither shards nor summary may be asked for", async () => {
    const harness = denied({ recordDistributionDefault: 'USER_PARTITION_KEY' })

    const slots = Array.from({ length: 10 }, (_, i) => harness.put(`k${i % 2}`, `${i}`))
    await harness.settle(harness.producer.flush())

    expect(slots.map(({ settled }) => settled?.result?.subSequenceNumber)).toEqual([0, 0, 1, 1, 2, 2, 3, 3, 4, 4])
    expect(harness.kinesis.storedRecords(STREAM).length).toBe(2)
  })

  test("'AUTO': nothing is aggregated although the shards are known, until the summary says that keys decide", async () => {
    const harness = new Harness({ recordDistributionDefault: 'AUTO' })
    const lift = harness.faults.add(denial('DescribeStreamSummary'))
    await harness.warm()

    const before = await putTen(harness)
    lift()
    await harness.pass(300_000)
    await harness.warm()
    await harness.pass(10)
    const after = await putTen(harness)

    expect([before, after]).toEqual([10, 1])
  })
})

describe('describeStreamSummaryIntervalMs', () => {
  test('is the time after which a stream in use that no longer chooses shards itself gets aggregates again', async () => {
    const harness = new Harness({ shardCount: 0, describeStreamSummaryIntervalMs: 60_000 })
    const mode = { StreamMode: 'ON_DEMAND' } as const
    harness.kinesis.createStream({
      StreamName: STREAM,
      ShardCount: 2,
      StreamModeDetails: mode,
      RecordDistributionStrategy: 'AUTO'
    })
    await harness.warm()
    const before = await putTen(harness)

    harness.kinesis.updateStreamRecordDistributionStrategy({
      StreamName: STREAM,
      RecordDistributionStrategy: 'USER_PARTITION_KEY'
    })
    await harness.pass(60_000)
    await harness.warm()
    await harness.pass(10)
    const after = await putTen(harness)

    expect([before, after]).toEqual([10, 1])
  })

  test('is of no effect on an idle stream: nothing is asked and no timer waits', async () => {
    const harness = await new Harness({ describeStreamSummaryIntervalMs: 60_000 }).warm()

    await harness.pass(10_000)
    const nextAtMs = harness.clock.nextAtMs
    await harness.pass(600_000)

    expect([nextAtMs, harness.transport.stats()['DescribeStreamSummary']?.requestCount]).toEqual([undefined, 1])
  })
})

/** Puts ten records of one key at once and returns in how many Kinesis records they arrived. */
async function putTen(harness: Harness): Promise<number> {
  const before = harness.kinesis.storedRecords(STREAM).length
  for (let i = 0; i < 10; i++) harness.put('k', `${i}`)
  await harness.settle(harness.producer.flush())
  return harness.kinesis.storedRecords(STREAM).length - before
}

function denied(options: ConstructorParameters<typeof Harness>[0]): Harness {
  const harness = new Harness(options)
  harness.faults.add(denial('ListShards'))
  harness.faults.add(denial('DescribeStreamSummary'))
  return harness
}

function denial(operation: string) {
  const action = { kind: 'failRequest', errorCode: 'AccessDeniedException', statusCode: 400 } as const
  return { match: { operation }, action }
}

function heard(options: ConstructorParameters<typeof Harness>[0]) {
  const warnings: [unknown, string][] = []
  const warn = (message: string, fields?: Readonly<Record<string, unknown>>) =>
    void warnings.push([fields?.['code'], message])
  const logger = { debug() {}, info() {}, warn, error() {} }
  return { harness: new Harness({ ...options, logger }), logger, warnings }
}
