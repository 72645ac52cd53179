import { expect, test } from 'vitest'
import { type FaultRule, type SeededRandom, seededRandom } from '../src/testing/index.ts'
import { Harness, type HarnessOptions, STREAM } from './support/harness.ts'
import { kclDelivers } from './support/kcl-reader.ts'

/**
 * Random faults, reshards and options, one configuration per seed; then the faults end and everything must be accounted
 * for. `SEED=7 npm test` runs one seed, `SEEDS=5000 npx vitest run test/chaos.test.ts` many.
 */
const OFF_PROBABILITY = 0.4
const RECORDS = 400
const env = process.env
const seeds = env['SEED'] === undefined ? range(1, Number(env['SEEDS'] ?? 60)) : [Number(env['SEED'])]

test.each(seeds)('every record is accounted for after faults and reshards (SEED=%i)', async seed => {
  const random = seededRandom(seed)
  const harness = new Harness(swarm(random.split('options'), seed))
  const lifts = faults(random.split('faults')).map(rule => harness.faults.add(rule))
  const work = random.split('work')

  const slots = []
  for (let i = 0; i < RECORDS; i++) {
    const hashKey = work() < 0.1 ? BigInt(Math.floor(work() * 2 ** 52)) << 76n : undefined
    const data = `${i}:${'x'.repeat(Math.floor(work() * work() * 3000))}`
    slots.push({ data, key: `key-${Math.floor(work() * 30)}`, slot: harness.put(`key-${i % 30}`, data, hashKey) })
    if (work() < 0.2) await harness.pass(work() * 200)
    if (work() < 0.01) harness.kinesis.reshard(STREAM, 1 + Math.floor(work() * 5))
    if (work() < 0.02) void harness.producer.flush()
  }
  for (const lift of lifts) lift()
  await harness.settle(harness.producer.flush(), 3_600_000)
  await harness.pass(30_000)

  const delivered = new Map(kclDelivers(harness.kinesis, STREAM).map(copy => [placeOf(copy), copy.data]))
  const stored = new Set(harness.stored().map(copy => copy.data))
  const violations = slots.flatMap(({ data, slot: { settled } }) => {
    if (settled === undefined) return ['never settled']
    const { result, error } = settled
    if (result !== undefined && delivered.get(placeOf({ subSequenceNumber: 0, ...result })) !== data)
      return ['acknowledged, not delivered']
    if (error?.persisted === 'no' && stored.has(data)) return ["failed with persisted 'no', but stored"]
    return []
  })
  const copies = new Map<string, number>()
  for (const { data } of harness.stored()) copies.set(data, (copies.get(data) ?? 0) + 1)
  for (const { data, slot } of slots) {
    const attempts = slot.settled?.result?.attempts ?? slot.settled?.error?.attempts ?? []
    if ((copies.get(data) ?? 0) > Math.max(1, attempts.length) && attempts.length < 16)
      violations.push('more copies than attempts')
  }
  expect(violations).toEqual([])
  const { bufferedRecords, bufferedBytes, inFlightRequests } = harness.producer.stats()
  expect({ bufferedRecords, bufferedBytes, inFlightRequests }).toEqual({
    bufferedRecords: 0,
    bufferedBytes: 0,
    inFlightRequests: 0
  })
})

function placeOf(place: { shardId: string; sequenceNumber: string; subSequenceNumber: number }): string {
  return `${place.shardId} ${place.sequenceNumber} ${place.subSequenceNumber}`
}

function swarm(random: SeededRandom, seed: number): HarnessOptions {
  const pick = <T>(...values: readonly T[]): T => values[Math.floor(random() * values.length)]!
  const options = {
    seed,
    shardCount: pick(1, 2, 5, 12),
    latencyMs: pick(0, 5, 80),
    throughputLimits: pick(true, false),
    aggregationEnabled: random() > 0.25,
    aggregationMaxBytes: pick(64, 2000, 51_200),
    aggregationMaxCount: pick(1, 3, 100_000),
    collectionMaxCount: pick(1, 20, 500),
    containerKey: pick('a' as const, 'first' as const),
    maxInFlightRequests: pick(1, 3, 24),
    ordering: pick('none' as const, 'none' as const, 'key' as const),
    recordMaxBufferedTimeMs: pick(0, 20, 100),
    recordTtlMs: pick(800, 20_000, 120_000, Number.POSITIVE_INFINITY),
    failIfThrottled: random() < 0.1
  }
  return { ...options, dedupeTags: options.aggregationEnabled && random() < 0.3 }
}

function faults(random: SeededRandom): FaultRule[] {
  const put = { operation: 'PutRecords' } as const
  const often = () => random() * 0.3
  const known: FaultRule[] = [
    { match: { ...put, probability: often() }, action: { kind: 'reset', isApplied: true } },
    { match: { ...put, probability: often() }, action: { kind: 'reset', isApplied: false } },
    {
      match: { ...put, probability: often() },
      action: { kind: 'failRequest', errorCode: 'InternalFailure', statusCode: 500, isApplied: true }
    },
    {
      match: { ...put, probability: often() },
      action: { kind: 'failRequest', errorCode: 'ServiceUnavailable', statusCode: 503 }
    },
    {
      match: { ...put, probability: often() },
      action: { kind: 'failRequest', errorCode: 'LimitExceededException', statusCode: 400 }
    },
    {
      match: { ...put, probability: often() },
      action: { kind: 'failRequest', errorCode: 'KMSThrottlingException', statusCode: 400 }
    },
    { match: { ...put, probability: often() / 2 }, action: { kind: 'silence', isApplied: true } },
    { match: { ...put, probability: often() }, action: { kind: 'delay', delayMs: 4000, of: 'answer' } },
    { match: { ...put, probability: often() / 2 }, action: { kind: 'delay', delayMs: 9000, of: 'request' } },
    {
      match: { ...put, probability: often() },
      action: { kind: 'failRecords', errorCode: 'InternalFailure', isStored: true, records: { probability: 0.3 } }
    },
    {
      match: { ...put, probability: often() },
      action: { kind: 'failRecords', errorCode: 'SomethingNew', records: { probability: 0.3 } }
    },
    { match: { ...put, probability: often() }, action: { kind: 'throttle' } },
    { match: { ...put, probability: often() / 3 }, action: { kind: 'recordCount', difference: -1 } },
    { match: { ...put, probability: often() }, action: { kind: 'shuffle' } },
    {
      match: { operation: 'ListShards', probability: often() * 3 },
      action: { kind: 'failRequest', errorCode: 'LimitExceededException', statusCode: 400 }
    },
    { match: { operation: 'ListShards', probability: often() * 3 }, action: { kind: 'staleShards', agoMs: 1500 } },
    { match: { operation: 'ListShards', probability: often() * 3 }, action: { kind: 'delay', delayMs: 2500 } },
    {
      match: { operation: 'DescribeStreamSummary', probability: often() * 3 },
      action: { kind: 'failRequest', errorCode: 'AccessDeniedException', statusCode: 400 }
    }
  ]
  return known.filter(() => random() > OFF_PROBABILITY)
}

function range(from: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => from + i)
}
