import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type ConsumedRecord, type DeaggregateOptions, deaggregate } from '../../src/consumer/deaggregate.ts'
import { ConsumerError, DedupeWindow } from '../../src/consumer/dedupe.ts'
import { kinesisHandler, type LambdaStreamRecord } from '../../src/consumer/lambda.ts'
import { type InvalidRecordError, OptionsError } from '../../src/model/errors.ts'
import { KinesisProducer } from '../../src/producer/kinesis-producer.ts'
import { type FaultRule, readAsKcl, type SeededRandom, seededRandom } from '../../src/testing/index.ts'
import { decodeEnvelope } from '../../src/wire/decode.ts'
import { twinEnvelope } from '../reference/envelope.ts'
import { Harness, type HarnessOptions, STREAM } from '../support/harness.ts'

const invalid = (message: string) => new ConsumerError('KPL_ERR_INVALID_INPUT', message)
const idsOf = (count: number, from = 0) =>
  Array.from({ length: count }, (_, i) => ({ dedupeId: `producer.${from + i}` }))

describe('a window', () => {
  test('takes an id for new once, and whatever has none always', () => {
    const window = new DedupeWindow()
    const first = { dedupeId: 'producer.1' }

    const answers = [first, first, { dedupeId: 'producer.2' }, {}, {}, { dedupeId: undefined }, first].map(record =>
      window.isNew(record)
    )

    expect(answers).toEqual([true, false, true, true, true, true, false])
    expect(window.count).toBe(2)
  })

  test('remembers the ids that came last, as many as it was told, and forgets the oldest first', () => {
    const window = new DedupeWindow({ maxRecords: 3 })
    for (const record of idsOf(4)) window.isNew(record)

    const known = idsOf(5).map(record => window.has(record))
    const isForgottenNew = window.isNew({ dedupeId: 'producer.0' })
    const knownAfter = idsOf(5).map(record => window.has(record))

    expect(known).toEqual([false, true, true, true, false])
    expect([isForgottenNew, knownAfter, window.count]).toEqual([true, [true, false, true, true, false], 3])
  })

  test('does not remember an id for longer because it came again', () => {
    const window = new DedupeWindow({ maxRecords: 2 })

    const answers = ['a', 'b', 'a', 'c', 'a'].map(dedupeId => window.isNew({ dedupeId }))

    expect(answers).toEqual([true, true, false, true, true])
  })

  test('is asked and told apart by those who are done with a record only later', () => {
    const window = new DedupeWindow({ maxRecords: 2 })
    const record = { dedupeId: 'a' }

    const answers = [window.has(record), window.has(record), window.add(record), window.has(record), window.add({})]
    window.add(record)

    expect([answers, window.count, window.isNew(record)]).toEqual([
      [false, false, undefined, true, undefined],
      1,
      false
    ])
  })

  test('answers as a list of the last distinct ids does', () => {
    const anyIds = fc.array(fc.nat({ max: 30 }), { maxLength: 300 })

    fc.assert(
      fc.property(anyIds, fc.integer({ min: 1, max: 20 }), (ids, maxRecords) => {
        const window = new DedupeWindow({ maxRecords })
        let last: number[] = []
        for (const id of ids) {
          const isNew = !last.includes(id)
          if (isNew) last = [...last, id].slice(-maxRecords)
          expect([window.isNew({ dedupeId: String(id) }), window.count]).toEqual([isNew, last.length])
        }
      })
    )
  })

  test('holds 100,000 ids when it is told nothing, however many come', () => {
    const window = new DedupeWindow()

    const newCount = idsOf(250_000).filter(record => window.isNew(record)).length

    const edges = [149_999, 150_000, 249_999].map(number => window.has({ dedupeId: `producer.${number}` }))
    expect([newCount, window.count, edges]).toEqual([250_000, 100_000, [false, true, true]])
  })

  test.each([0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 8_000_001])('is not made for %d records', maxRecords => {
    expect(() => new DedupeWindow({ maxRecords })).toThrow(
      invalid(`maxRecords must be a whole number from 1 to 8000000, got ${maxRecords}`)
    )
  })

  test.each<[unknown, string]>([
    [500, 'options must be an object, got number'],
    [null, 'options must be an object, got null'],
    [[], 'options must be an object, got array'],
    [{ maxRecord: 500 }, 'maxRecord is not an option, did you mean maxRecords?'],
    [{ maxRecords: '500' }, 'maxRecords must be a whole number from 1 to 8000000, got string'],
    [{ maxRecords: null }, 'maxRecords must be a whole number from 1 to 8000000, got null']
  ])('is not made with %j', (options, message) => {
    expect(() => new DedupeWindow(options as never)).toThrow(invalid(message))
  })

  test('is not asked about an id alone, which would count as a record without one', () => {
    const window = new DedupeWindow()

    const calls = [window.isNew, window.has, window.add].map(method => () => method.call(window, 'id.1' as never))

    for (const call of calls) expect(call).toThrow(invalid('record must be a consumed record, got string'))
  })
})

describe('a producer with dedupeTags', () => {
  test('writes one id with every user record: its own, and the number of the record', async () => {
    const harness = new Harness({ dedupeTags: true, shardCount: 2 })
    for (let i = 0; i < 40; i++) harness.put(`key-${i}`, `data ${i}`)

    await harness.settle(harness.producer.flush())

    const read = consumed(harness).map(({ data, dedupeId = '' }) => [textOf(data), dedupeId])
    const producers = new Set(read.map(([, dedupeId]) => dedupeId!.slice(0, 12)))
    expect(producers.size).toBe(1)
    expect([...producers][0]).toMatch(/^[\w-]{11}\.$/)
    expect(read.map(([data, dedupeId]) => [data, Number.parseInt(dedupeId!.slice(12), 36)]).sort()).toEqual(
      Array.from({ length: 40 }, (_, i) => [`data ${i}`, i]).sort()
    )
  })

  test('has an id that follows from its randomness, and that no other producer has', async () => {
    const ids = await Promise.all(
      [1, 1, 2, 3].map(async seed => {
        const harness = new Harness({ dedupeTags: true, seed })
        harness.put('key', 'data')
        await harness.settle(harness.producer.flush())
        return consumed(harness)[0]?.dedupeId
      })
    )

    expect([ids[0] === ids[1], new Set(ids).size]).toEqual([true, 3])
  })

  test('wraps a record that travels alone, for whatever reason, and reads it as it was put', async () => {
    const options = [{}, { aggregationMaxCount: 1 }, { aggregationMaxBytes: 64 }, { containerKey: 'first' as const }]
    const large = 'x'.repeat(2000)

    const stored = await Promise.all(
      options.map(async option => {
        const harness = await new Harness({ ...option, dedupeTags: true }).warm()
        const slot = harness.put('key', large, 7n)
        await harness.settle(harness.producer.flush())
        const [, record] = harness.kinesis.storedRecords(STREAM)
        const members = decodeEnvelope(record!.data).map(member => ({ ...member, data: textOf(member.data) }))
        return [record!.partitionKey, members, slot.settled?.result?.subSequenceNumber]
      })
    )

    const expected = (partitionKey: string) => [
      partitionKey,
      [{ partitionKey: 'key', explicitHashKey: '7', data: large }],
      0
    ]
    expect(stored).toEqual([expected('a'), expected('a'), expected('a'), expected('key')])
  })

  test('keeps the id of a record through retries, reshards and new envelopes', async () => {
    const harness = await new Harness({ dedupeTags: true, shardCount: 1 }).warm()
    const lift = harness.faults.add({ match: { operation: 'PutRecords' }, action: { kind: 'reset', isApplied: true } })
    for (let i = 0; i < 20; i++) harness.put(`key-${i}`, `data ${i}`)
    await harness.pass(300)
    harness.kinesis.reshard(STREAM, 3)
    await harness.pass(2000)
    lift()
    await harness.settle(harness.producer.flush())

    const copies = new Map<string, Set<string>>()
    const all = consumed(harness, { outOfRange: 'keep' })
    for (const { data, dedupeId = '' } of all) {
      const ids = copies.get(textOf(data)) ?? new Set()
      copies.set(textOf(data), ids.add(dedupeId))
    }

    expect(all.length).toBeGreaterThan(60)
    expect(copies.size).toBe(21)
    expect(new Set([...copies.values()].map(ids => ids.size))).toEqual(new Set([1]))
    expect(new Set([...copies.values()].flatMap(ids => [...ids])).size).toBe(21)
  })

  test('writes no tag where the service chooses shards, for a KCL would drop what carries it', async () => {
    const warnings: string[] = []
    const logger = { debug() {}, info() {}, error() {}, warn: (message: string) => warnings.push(message) }
    const harness = new Harness({ dedupeTags: true, shardCount: 2, logger })
    const { StreamARN } = harness.kinesis.describeStreamSummary({ StreamName: STREAM }).StreamDescriptionSummary
    harness.kinesis.updateStreamMode({ StreamARN, StreamModeDetails: { StreamMode: 'ON_DEMAND' } })
    harness.kinesis.updateStreamRecordDistributionStrategy({ StreamARN, RecordDistributionStrategy: 'AUTO' } as never)
    for (let i = 0; i < 10; i++) harness.put(`key-${i}`, `data ${i}`)

    await harness.settle(harness.producer.flush())

    const read = consumed(harness, { outOfRange: 'kcl' })
    expect(read.map(record => [record.aggregated, 'dedupeId' in record])).toEqual(Array(10).fill([false, false]))
    expect(warnings).toEqual([
      `stream ${STREAM} chooses shards itself (its distribution strategy is AUTO); it gets no aggregates or dedupe tags, because consumers would drop them`
    ])
  })

  test('is read by a KCL as one without', async () => {
    const [tagged, untagged] = await Promise.all(
      [true, false].map(async dedupeTags => {
        const harness = await new Harness({ dedupeTags, shardCount: 3, aggregationMaxBytes: 500 }).warm()
        for (let i = 0; i < 200; i++)
          harness.put(`key-${i % 17}`, `data ${i}`, i % 5 === 0 ? BigInt(i) << 120n : undefined)
        await harness.settle(harness.producer.flush())
        const delivered = readAsKcl(harness.kinesis, STREAM).filter(({ isDelivered }) => isDelivered)
        return delivered
          .map(({ stored, partitionKey, data }) => `${stored.shardId} ${partitionKey} ${textOf(data)}`)
          .sort()
      })
    )

    expect(tagged).toEqual(untagged)
    expect(tagged?.length).toBe(201)
  })

  test('stores the bytes it always stored when it is told nothing', async () => {
    const harness = await new Harness().warm()

    harness.put('key', 'data')
    await harness.settle(harness.producer.flush())

    expect(harness.kinesis.storedRecords(STREAM).map(({ data }) => textOf(data))).toEqual(['warm', 'data'])
  })

  test('cannot be had without aggregates', () => {
    const making = () => new KinesisProducer({ dedupeTags: true, aggregationEnabled: false })

    expect(making).toThrow(OptionsError)
    expect(making).toThrow(
      'dedupeTags needs aggregates to carry the tags: it must be false while aggregationEnabled is, got true'
    )
  })
})

describe('the largest record', () => {
  const MOST = (1n << 128n) - 1n
  const plain = (bytes: number) => Buffer.alloc(bytes, 'x')
  const aggregate = (bytes: number) =>
    twinEnvelope([{ partitionKey: 'inner', explicitHashKey: undefined, data: plain(bytes - 40) }])

  test.each([
    // Kept free: for ten more digits of the number, and for a container key as long as the record's own.
    ['with a tag', true, undefined, 'a', plain, 14],
    ['with a tag and an explicit hash key', true, MOST, 'a', plain, 14],
    ['with a tag and its own key outside', true, MOST, 'first', plain, 10],
    ['that is an aggregate', false, undefined, 'a', aggregate, 4],
    ['that is an aggregate, with an explicit hash key', false, MOST, 'a', aggregate, 4],
    ['that is an aggregate, with its own key outside', false, MOST, 'first', aggregate, 0]
  ] as const)(
    '%s is one that fits with its envelope',
    async (_, dedupeTags, explicitHashKey, containerKey, dataOf, spareBytes) => {
      const harness = new Harness({ dedupeTags, containerKey, maxUserRecordBytes: 3000, aggregationMaxBytes: 64 })
      const accepts = (bytes: number) => {
        try {
          return harness.producer.tryPut({ partitionKey: 'key\u00e9', data: dataOf(bytes), explicitHashKey })
        } catch (error) {
          return (error as InvalidRecordError).code
        }
      }
      const answers: unknown[] = []
      for (let bytes = 3000; answers.at(-1) !== true; bytes--) answers.push(accepts(bytes))
      await harness.settle(harness.producer.flush())

      const [largest] = harness.kinesis.storedRecords(STREAM)
      expect(largest!.data.length + Buffer.byteLength(largest!.partitionKey ?? '')).toBe(3000 - spareBytes)
      expect(new Set(answers)).toEqual(new Set(['KPL_ERR_RECORD_TOO_LARGE', true]))
    }
  )

  test('says of what its size is made', () => {
    const { producer } = new Harness({ dedupeTags: true, maxUserRecordBytes: 1000 })

    const putting = () => producer.tryPut({ partitionKey: 'k', data: 'x'.repeat(1000) })

    expect(putting).toThrow(
      'data must be at most 1000 bytes (maxUserRecordBytes; data, partitionKey and the envelope with its dedupe tag), got 1066'
    )
  })
})

/** `SEED=7 npx vitest run test/consumer/dedupe.test.ts` runs one seed, `SEEDS=500` so many. */
const { SEED, SEEDS = 25 } = process.env
const [firstSeed, lastSeed] = SEED === undefined ? [1, Number(SEEDS)] : [Number(SEED), Number(SEED)]

describe('a consumer with a window', () => {
  test(`gets every record once, whatever was lost, reset, stored twice or resharded (seeds ${firstSeed} to ${lastSeed})`, async () => {
    const violations: string[] = []
    let duplicates = 0

    for (let seed = firstSeed; seed <= lastSeed; seed++) {
      const { harness, slots } = await disturbed(seed)
      for (const outOfRange of ['filter', 'kcl', 'keep'] as const) {
        const all = consumed(harness, { outOfRange })
        const window = new DedupeWindow()
        const times = new Map<string, number>()
        for (const record of all) {
          const isNew = window.isNew(record)
          const data = textOf(record.data)
          times.set(data, (times.get(data) ?? 0) + Number(isNew))
          duplicates += Number(!isNew)
        }
        slots.forEach(({ settled }, i) => {
          const count = times.get(dataOf(i)) ?? 0
          const where = `SEED=${seed} ${outOfRange} record ${i}`
          if (settled === undefined) violations.push(`${where}: never settled`)
          if (settled?.result !== undefined && count === 0) violations.push(`${where}: lost`)
          if (settled?.error?.persisted === 'no' && count > 0) violations.push(`${where}: stored all the same`)
          if (count > 1) violations.push(`${where}: ${count} times`)
        })
        if (all.some(record => record.dedupeId === undefined)) violations.push(`SEED=${seed}: a record without id`)
      }
    }

    expect(violations).toEqual([])
    // Otherwise nothing was tested.
    expect(duplicates).toBeGreaterThan((lastSeed - firstSeed) * 100)
  }, 60_000)

  test('whose window is too small gets duplicates, and loses nothing', async () => {
    const { harness } = await disturbed(1)
    const all = consumed(harness, { outOfRange: 'keep' })

    const lefts = [1, 10, 100_000].map(maxRecords => {
      const window = new DedupeWindow({ maxRecords })
      return all.filter(record => window.isNew(record)).map(({ data }) => textOf(data))
    })

    const distinct = new Set(all.map(({ data }) => textOf(data)))
    expect(lefts.map(left => new Set(left).size)).toEqual([distinct.size, distinct.size, distinct.size])
    expect(lefts[2]!.length).toBe(distinct.size)
    expect(lefts[0]!.length).toBeGreaterThan(lefts[1]!.length)
    expect(lefts[1]!.length).toBeGreaterThan(distinct.size)
  })
})

describe('a Lambda function with a window as its memory', () => {
  test('skips copies, and does a failed record again', async () => {
    const harness = new Harness({ dedupeTags: true })
    harness.faults.add({ match: { operation: 'PutRecords' }, action: { kind: 'reset', isApplied: true }, times: 1 })
    for (const data of ['a', 'b', 'c']) harness.put(data, data)
    await harness.settle(harness.producer.flush())
    const Records = eventRecords(harness)
    const window = new DedupeWindow()
    const seen = {
      has: (_: string, record: ConsumedRecord) => window.has(record),
      add: (_: string, record: ConsumedRecord) => window.add(record)
    }
    const done: string[] = []
    let isFailing = true
    const handler = kinesisHandler(
      record => {
        if (textOf(record.data) === 'b' && isFailing) throw new Error('not now')
        done.push(textOf(record.data))
      },
      { seen, concurrency: 1, onError: () => {}, afterFailure: 'continue' }
    )
    const context = { getRemainingTimeInMillis: () => 300_000 }

    const first = await handler({ Records }, context)
    isFailing = false
    const second = await handler({ Records }, context)

    expect(Records.length).toBe(2)
    expect([first.batchItemFailures.length, second.batchItemFailures.length]).toEqual([1, 0])
    expect(done).toEqual(['a', 'c', 'b'])
  })
})

function textOf(data: Uint8Array): string {
  return Buffer.from(data).toString()
}

/** What one consumer of all shards reads, parents before children, each with its shard's range. */
function consumed(harness: Harness, options: DeaggregateOptions = {}): ConsumedRecord[] {
  const { Shards } = harness.kinesis.listShards({ StreamName: STREAM, ShardFilter: { Type: 'FROM_TRIM_HORIZON' } })
  const ranges = new Map(Shards.map(shard => [shard.ShardId, shard.HashKeyRange]))
  return harness.kinesis.storedRecords(STREAM).flatMap(({ shardId, data, partitionKey, sequenceNumber }) => {
    const record = { Data: data, PartitionKey: partitionKey, SequenceNumber: sequenceNumber }
    return [...deaggregate(record, { shardRange: ranges.get(shardId), ...options })]
  })
}

function eventRecords(harness: Harness): LambdaStreamRecord[] {
  return harness.kinesis.storedRecords(STREAM).map(({ data, partitionKey = '', sequenceNumber }) => ({
    kinesis: { data: Buffer.from(data).toString('base64'), partitionKey, sequenceNumber }
  }))
}

const dataOf = (i: number) => `${i}:${'x'.repeat((i * 37) % 900)}`

/** A stream on which many records are stored more than once, some of them in other shards than at first. */
async function disturbed(seed: number) {
  const random = seededRandom(seed).split('dedupe')
  const harness = new Harness(drawOptions(random.split('options'), seed))
  const lifts = drawFaults(random.split('faults')).map(rule => harness.faults.add(rule))
  const work = random.split('work')
  const slots: ReturnType<Harness['put']>[] = []
  for (let i = 0; i < 300; i++) {
    const hashKey = work() < 0.1 ? BigInt(Math.floor(work() * 2 ** 52)) << 76n : undefined
    slots.push(harness.put(`key-${i % 30}`, dataOf(i), hashKey))
    if (work() < 0.15) await harness.pass(work() * 300)
    if (work() < 0.02) harness.kinesis.reshard(STREAM, 1 + Math.floor(work() * 5))
    if (work() < 0.02) void harness.producer.flush()
  }
  for (const lift of lifts) lift()
  await harness.settle(harness.producer.flush(), 3_600_000)
  // What a request left behind that was given up is applied.
  await harness.pass(30_000)
  return { harness, slots }
}

function drawOptions(random: SeededRandom, seed: number): HarnessOptions {
  const pick = <T>(...values: readonly T[]): T => values[Math.floor(random() * values.length)]!
  return {
    seed,
    dedupeTags: true,
    shardCount: pick(1, 2, 5),
    latencyMs: pick(0, 5, 80),
    aggregationMaxBytes: pick(64, 2000, 51_200),
    aggregationMaxCount: pick(1, 3, 100_000),
    collectionMaxCount: pick(1, 20, 500),
    containerKey: pick('a', 'first'),
    ordering: pick('none', 'none', 'key'),
    recordMaxBufferedTimeMs: pick(0, 20, 100),
    recordTtlMs: pick(3000, 120_000, Number.POSITIVE_INFINITY)
  }
}

function drawFaults(random: SeededRandom): FaultRule[] {
  const put = { operation: 'PutRecords' } as const
  const part = () => random() * 0.4
  return [
    { match: { ...put, probability: part() }, action: { kind: 'reset', isApplied: true } },
    { match: { ...put, probability: part() }, action: { kind: 'reset', isApplied: false } },
    { match: { ...put, probability: part() / 2 }, action: { kind: 'silence', isApplied: true } },
    { match: { ...put, probability: part() }, action: { kind: 'delay', delayMs: 9000, of: 'request' } },
    {
      match: { ...put, probability: part() },
      action: { kind: 'failRequest', errorCode: 'InternalFailure', isApplied: true }
    },
    {
      match: { ...put, probability: part() },
      action: { kind: 'failRecords', errorCode: 'InternalFailure', isStored: true, records: { probability: 0.5 } }
    },
    { match: { ...put, probability: part() / 2 }, action: { kind: 'throttle' } },
    { match: { ...put, probability: part() }, action: { kind: 'shuffle' } },
    { match: { operation: 'ListShards', probability: part() }, action: { kind: 'staleShards', agoMs: 1500 } },
    { match: { operation: 'ListShards', probability: part() }, action: { kind: 'delay', delayMs: 2500 } }
  ]
}
