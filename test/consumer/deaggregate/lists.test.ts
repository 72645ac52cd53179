import { afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import type { AnyKinesisRecord } from '../../../src/consumer/deaggregate/kinesis-record.ts'
import {
  aggregate,
  type ConsumedRecord,
  type DeaggregateOptions,
  deaggregate,
  deaggregateAll
} from '../../../src/consumer/deaggregate.ts'
import { kinesisHandler, userRecords } from '../../../src/consumer/lambda.ts'
import { type SeededRandom, seededRandom } from '../../../src/testing/index.ts'
import { Md5Lanes } from '../../../src/wire/md5-lanes.ts'

/** `SEED=7 npx vitest run test/consumer/deaggregate/lists.test.ts` replays one seed, `SEEDS=500` runs so many. */
const { SEED, SEEDS = 60 } = process.env
const seeds = SEED === undefined ? Array.from({ length: Number(SEEDS) }, (_, seed) => seed) : [Number(SEED)]

/** Lanes are compiled once a process has read some megabytes; from there on these tests run with them. */
beforeAll(() => {
  const digest = vi.spyOn(Md5Lanes.prototype, 'digest')
  const large = Array.from({ length: 60 }, (_, i) => aggregateOf(i, 3, 30_000))
  for (let i = 0; i < 2; i++) for (const _ of deaggregateAll(large));
  expect(digest).toHaveBeenCalled()
})
afterEach(() => vi.restoreAllMocks())

describe('a list of Kinesis records', () => {
  test.each(seeds)('gives what its records give one by one, and throws where they do (SEED=%i)', seed => {
    const random = seededRandom(seed)
    const records = Array.from({ length: Math.floor(random() * 90) }, (_, index) => drawRecord(random, index))
    const options = drawOptions(random)

    const together = outcomeOf(() => deaggregateAll(records, options))

    expect(together).toEqual(outcomeOf(() => oneByOne(records, options)))
  })

  test.each(seeds.slice(0, 20))('gives it in an event of Lambda too (SEED=%i)', seed => {
    const random = seededRandom(seed)
    const Records = Array.from({ length: Math.floor(random() * 60) }, (_, index) => lambdaRecord(random, index))
    const options = drawOptions(random)

    const together = outcomeOf(() => userRecords({ Records }, options))

    const alone = outcomeOf(function* () {
      for (const source of Records) {
        for (const record of deaggregate(source, options)) {
          yield { ...record, id: `${source.kinesis.sequenceNumber}:${record.subSequenceNumber}`, source }
        }
      }
    })
    expect(together).toEqual(alone)
  })

  test('has its digests checked together', () => {
    const digest = vi.spyOn(Md5Lanes.prototype, 'digest')
    const records = Array.from({ length: 64 }, (_, i) => aggregateOf(i, 4, 200))

    const count = [...deaggregateAll(records)].length

    expect([count, digest.mock.calls.map(([pieces]) => pieces.length)]).toEqual([256, [32, 32]])
  })

  test('has them checked together by a Lambda handler too', async () => {
    const digest = vi.spyOn(Md5Lanes.prototype, 'digest')
    const Records = Array.from({ length: 40 }, (_, i) => textRecord(aggregateOf(i, 3, 200), i))
    let count = 0
    const handler = kinesisHandler(() => void count++)

    const answer = await handler({ Records }, { getRemainingTimeInMillis: () => 300_000 })

    expect([count, answer]).toEqual([120, { batchItemFailures: [] }])
    expect(digest.mock.calls.map(([pieces]) => pieces.length)).toEqual([32, 8])
  })

  test('has no more than 2 MiB of them decoded before their turn', () => {
    const decode = vi.spyOn(Buffer, 'from')
    const records = Array.from({ length: 20 }, (_, i) => textRecord(aggregateOf(i, 2, 300_000), i))
    decode.mockClear()

    // Of 600,000 bytes each.
    const { value } = deaggregateAll(records).next()

    expect(value?.subSequenceNumber).toBe(0)
    expect(base64Calls(decode.mock.calls)).toHaveLength(3)
  })

  test('has each text decoded once', () => {
    const decode = vi.spyOn(Buffer, 'from')
    const records = Array.from({ length: 40 }, (_, i) => textRecord(aggregateOf(i, 2, 100), i))
    decode.mockClear()

    for (const _ of deaggregateAll(records));

    expect(base64Calls(decode.mock.calls)).toHaveLength(40)
  })
})

describe('what happens to a list while it is read', () => {
  const list = (): { kinesis: { data: string | Uint8Array; partitionKey: string; sequenceNumber: string } }[] =>
    Array.from({ length: 10 }, (_, i) => textRecord(aggregateOf(i, 2, 100), i))

  test.each<[string, (records: ReturnType<typeof list>) => void]>([
    ['another text', records => void (records[4]!.kinesis.data = textRecord(aggregateOf(77, 3, 50), 4).kinesis.data)],
    ['a damaged text', records => void (records[4]!.kinesis.data = damaged(String(records[4]!.kinesis.data)))],
    ['bytes for a text', records => void (records[4]!.kinesis.data = aggregateOf(78, 3, 50))],
    ['another key', records => void (records[4]!.kinesis.partitionKey = 'b')],
    ['another record', records => void (records[4] = textRecord(Buffer.from('plain'), 4))],
    ['a record more', records => void records.push(textRecord(aggregateOf(79, 2, 50), 10))],
    ['records less', records => void records.splice(3, 5)]
  ])('counts as it does one by one: %s', (_, change) => {
    const read = (walk: (records: ReturnType<typeof list>) => Iterable<unknown>): unknown[] => {
      const records = list()
      const seen: unknown[] = []
      for (const record of walk(records)) if (seen.push(record) === 3) change(records)
      return seen
    }

    const together = read(records => deaggregateAll(records))

    expect(together).toEqual(read(records => oneByOne(records, {})))
  })

  test('memory that is taken away before its turn is named then, and what was before it came out', () => {
    const records = Array.from({ length: 6 }, (_, i) => aggregateOf(i, 2, 3000))
    const seen: number[] = []

    const read = () => {
      for (const { data } of deaggregateAll(records)) {
        if (seen.push(data.length) === 1) transferAway(records[2]!)
      }
    }

    expect(read).toThrow('data must have its memory')
    expect(seen).toEqual([3000, 3000, 3000, 3000])
  })

  test('memory that another thread may write to is read like any other', () => {
    const records = Array.from({ length: 9 }, (_, i) => {
      const bytes = aggregateOf(i, 2, 500)
      const shared = new Uint8Array(new SharedArrayBuffer(bytes.length))
      shared.set(bytes)
      return shared
    })

    expect([...deaggregateAll(records)]).toEqual([...oneByOne(records, {})])
  })

  test('a proxy that takes memory away when it is looked at changes nothing before its turn', () => {
    const records = Array.from({ length: 5 }, (_, i) => aggregateOf(i, 2, 3000))
    const thief = new Proxy(textRecord(aggregateOf(9, 2, 100), 9), {
      getOwnPropertyDescriptor: (target, name) => {
        if (records[1]!.length > 0) transferAway(records[1]!)
        return Reflect.getOwnPropertyDescriptor(target, name)
      }
    })

    const [first] = deaggregateAll([records[0]!, records[1]!, thief])

    expect(first?.data.length).toBe(3000)
  })

  test('a getter is asked when its turn comes, and not before', () => {
    let asked = 0
    const records = list().map(({ kinesis }) => ({
      kinesis: {
        ...kinesis,
        get data() {
          asked++
          return kinesis.data
        }
      }
    }))

    const askedAt = Array.from(deaggregateAll(records), () => asked)

    expect(askedAt).toEqual(Array.from(oneByOne(list(), {}), (_, i) => 1 + Math.floor(i / 2)))
  })

  test('a list that is made as it is read is not read ahead', () => {
    let made = 0
    const source = function* () {
      for (const record of list()) {
        made++
        yield record
      }
    }

    const madeAt = Array.from(deaggregateAll(source()), () => made)

    expect(madeAt).toEqual(Array.from(oneByOne(list(), {}), (_, i) => 1 + Math.floor(i / 2)))
  })
})

const base64Calls = (calls: readonly (readonly unknown[])[]) => calls.filter(([, encoding]) => encoding === 'base64')

function* oneByOne(records: Iterable<AnyKinesisRecord>, options: DeaggregateOptions) {
  for (const record of records) yield* deaggregate(record, options)
}

/** What came out, and then what was thrown. */
function outcomeOf(walk: () => Iterable<ConsumedRecord>): { seen: unknown[]; thrown: string | undefined } {
  const seen: unknown[] = []
  try {
    // As text: whole arrays take a hundred times as long to compare.
    for (const record of walk()) seen.push({ ...record, data: Buffer.from(record.data).toString('latin1') })
    return { seen, thrown: undefined }
  } catch (error) {
    return { seen, thrown: String(error) }
  }
}

function drawOptions(random: SeededRandom): DeaggregateOptions {
  const half = { startingHashKey: 0n, endingHashKey: 2n ** 127n }
  return {
    onCorrupt: pick(random, [undefined, 'plain', 'skip', 'throw']),
    shardRange: pick(random, [undefined, half]),
    outOfRange: pick(random, [undefined, 'filter', 'kcl', 'keep']),
    copy: pick(random, [undefined, true]),
    maxUserRecords: pick(random, [undefined, 3])
  }
}

/** Aggregates of all sizes, damaged ones, plain ones, in every shape; now and then what is no record at all. */
function drawRecord(random: SeededRandom, index: number): AnyKinesisRecord {
  const bytes = drawBytes(random, index)
  const shapes: (() => AnyKinesisRecord)[] = [
    () => bytes,
    () => ({ Data: bytes, PartitionKey: 'a', SequenceNumber: String(index) }),
    () => textRecord(bytes, index),
    () => textRecord(bytes, index).kinesis,
    () => ({ recordId: String(index), data: Buffer.from(bytes).toString('base64') }),
    () => ({ kinesis: { data: 'not base64!', partitionKey: 'a', sequenceNumber: '1' } }),
    () => JSON.parse('null')
  ]
  // The last two throw, and what follows is not seen: rarely.
  return shapes[Math.floor(random() * (random() < 0.02 ? shapes.length : shapes.length - 2))]!()
}

function drawBytes(random: SeededRandom, index: number): Uint8Array {
  const bytes = aggregateOf(index, 1 + Math.floor(random() * 6), Math.floor(random() ** 4 * 20_000))
  const damaged = Uint8Array.from(bytes)
  damaged[Math.floor(random() * damaged.length)]! ^= 1 << Math.floor(random() * 8)
  const cut = bytes.subarray(0, Math.floor(random() * bytes.length))
  return pick(random, [
    bytes,
    bytes,
    bytes,
    bytes,
    damaged,
    cut,
    Uint8Array.of(0xf3, 0x89, 0x9a, 0xc2),
    Buffer.from('plain')
  ])
}

function lambdaRecord(random: SeededRandom, index: number) {
  return textRecord(drawBytes(random, index), index)
}

function textRecord(bytes: Uint8Array, index: number) {
  return {
    kinesis: { data: Buffer.from(bytes).toString('base64'), partitionKey: 'a', sequenceNumber: String(index + 1) }
  }
}

function aggregateOf(index: number, count: number, dataBytes: number): Uint8Array<ArrayBuffer> {
  const records = Array.from({ length: count }, (_, i) => ({
    partitionKey: `key-${index}-${i}`,
    data: new Uint8Array(dataBytes).fill(index + i)
  }))
  const [first] = aggregate(records, { maxBytes: 10_000_000 })
  return new Uint8Array(first!.data)
}

/** Another byte in the data of a member: all but the digest is as before. */
function damaged(base64: string): string {
  const bytes = Buffer.from(base64, 'base64')
  bytes[bytes.length - 20]! ^= 1
  return bytes.toString('base64')
}

function transferAway({ buffer }: Uint8Array<ArrayBuffer>): void {
  structuredClone(buffer, { transfer: [buffer] })
}

function pick<T>(random: SeededRandom, values: readonly T[]): T {
  return values[Math.floor(random() * values.length)]!
}
