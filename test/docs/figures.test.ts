import { expect, test } from 'vitest'
import {
  buffering,
  bytesText,
  fillingRoundTripMs,
  fullAggregate,
  KEY_BYTES,
  monthlyCost,
  need,
  orderedBytesPerSecond,
  PRICES
} from '../../docs/plots/figures.ts'
import { plots } from '../../docs/plots/plots.ts'
import { MEBIBYTE, RECORD_OVERHEAD_BYTES } from '../../src/model/limits.ts'
import { EnvelopeWriter } from '../../src/wire/encode.ts'
import { generated, generatedFile, table } from './documents.ts'

const EXAMPLES = [
  [1000, 100],
  [1000, 1000],
  [10_000, 200],
  [10_000, 1000],
  [50_000, 200],
  [5000, 20_000]
] as const

test.each<[file: string, name: string, body: string]>([
  ['docs/tuning.md', 'need', needTable()],
  ['docs/tuning.md', 'buffering', bufferingTable()],
  ['docs/tuning.md', 'cost', costTable()],
  ['docs/delivery.md', 'ordering-cost', orderingTable()]
])('%s has the present table of %s', (file, name, body) => {
  const { is, shouldBe } = generated(file, name, body)

  expect(is).toBe(shouldBe)
})

test.each(Object.entries(plots()))('the plot %s is what its formulas give', (name, svg) => {
  const { is, shouldBe } = generatedFile(`docs/plots/${name}`, svg)

  expect(is).toBe(shouldBe)
})

test.each(Object.entries(plots()))(
  'the plot %s is well formed: what is opened is closed, no number is missing',
  (_, svg) => {
    const open: string[] = []
    const crossed: string[] = []
    for (const [, close, name, self] of svg.matchAll(/<(\/?)(\w+)[^>]*?(\/?)>/g)) {
      if (close === '/') crossed.push(...(open.pop() === name ? [] : [name!]))
      else if (self !== '/') open.push(name!)
    }

    expect({ open, crossed, isNumeric: !/NaN|Infinity|undefined/.test(svg) }).toEqual({
      open: [],
      crossed: [],
      isNumeric: true
    })
  }
)

test('a full aggregate is the largest that the writer makes within the limit', () => {
  const { userRecords, requestBytes } = fullAggregate(200)
  const writer = new EnvelopeWriter()
  const add = (index: number) =>
    writer.add(String(index).padStart(KEY_BYTES, 'k'), KEY_BYTES, undefined, new Uint8Array(200), 200)

  for (let i = 0; i < userRecords; i++) add(i)
  const sealedBytes = writer.sealedBytes
  add(userRecords)

  expect({ requestBytes, isNextTooLarge: writer.sealedBytes > 51_200 }).toEqual({
    requestBytes: sealedBytes + 1,
    isNextTooLarge: true
  })
})

test('what does not fit twice goes alone', () => {
  expect([fullAggregate(30_000), fullAggregate(60_000)]).toEqual([
    { userRecords: 1, requestBytes: 30_020 },
    { userRecords: 1, requestBytes: 60_020 }
  ])
})

test('round trip and size that just fill a shard go together', () => {
  expect(orderedBytesPerSecond(51_200, fillingRoundTripMs(51_200))).toBe(MEBIBYTE)
})

test('the default buffer is full by bytes or by records, whichever is first', () => {
  const small = 1
  const counted = small + KEY_BYTES + RECORD_OVERHEAD_BYTES

  expect([buffering(1000, small).defaultLastsSeconds, buffering(1000, 100_000).countedBytesPerSecond]).toEqual([
    (64 * MEBIBYTE) / (1000 * counted),
    1000 * (100_000 + KEY_BYTES + RECORD_OVERHEAD_BYTES)
  ])
})

test('a shard for a month without a record costs its hours, and an on-demand stream its own', () => {
  const { provisionedDollars, onDemandDollars } = monthlyCost(0, 2, { userRecords: 1, requestBytes: 1 })

  expect([provisionedDollars, onDemandDollars]).toEqual([2 * 720 * PRICES.shardHour, 720 * PRICES.onDemandStreamHour])
})

function needTable(): string {
  const rows = EXAMPLES.map(([rate, bytes]) => {
    const { shardsPlain, shardsAggregated, userRecordsPerAggregate, aggregatesPerSecond } = need(rate, bytes)
    return [
      whole(rate),
      whole(bytes),
      whole(shardsPlain),
      whole(shardsAggregated),
      whole(userRecordsPerAggregate),
      whole(aggregatesPerSecond)
    ]
  })
  const head = ['records/s', 'data bytes', 'shards, plain', 'shards, aggregated', 'records per full aggregate']
  return table([...head, 'full aggregates/s'], rows)
}

function bufferingTable(): string {
  const rows = EXAMPLES.map(([rate, bytes]) => {
    const { countedBytesPerSecond, defaultLastsSeconds, minuteBytes, minuteRecords } = buffering(rate, bytes)
    return [
      whole(rate),
      whole(bytes),
      `${bytesText(countedBytesPerSecond)}/s`,
      `${defaultLastsSeconds.toFixed(1)} s`,
      bytesText(minuteBytes),
      whole(minuteRecords)
    ]
  })
  const head = ['records/s', 'data bytes', 'counted', 'default buffer lasts', '`bufferMaxBytes` for 60 s']
  return table([...head, '`bufferMaxRecords` for 60 s'], rows)
}

function costTable(): string {
  const rows = EXAMPLES.flatMap(([rate, bytes]) => {
    const { shardsPlain, shardsAggregated } = need(rate, bytes)
    const aggregate = fullAggregate(bytes)
    const plain = { userRecords: 1, requestBytes: bytes + KEY_BYTES }
    const row = (name: string, cost: ReturnType<typeof monthlyCost>) => [
      whole(rate),
      whole(bytes),
      name,
      whole(cost.shards),
      whole(cost.millionPayloadUnits),
      `$${whole(cost.provisionedDollars)}`,
      whole(cost.onDemandGigabytes),
      `$${whole(cost.onDemandDollars)}`
    ]
    return [
      row('plain', monthlyCost(rate, shardsPlain, plain)),
      row('aggregated', monthlyCost(rate, shardsAggregated, aggregate))
    ]
  })
  const provisioned = ['shards', 'M payload units', 'provisioned, a month']
  return table(['records/s', 'data bytes', '', ...provisioned, 'GB billed', 'on demand, a month'], rows)
}

function orderingTable(): string {
  const roundTrips = [5, 10, 20, 30, 50, 100, 200]
  const sizes = [1000, 51_200, 102_400, 204_800, 512_000]
  const rows = sizes.map(bytes => [
    whole(bytes),
    ...roundTrips.map(ms => `${bytesText(orderedBytesPerSecond(bytes, ms))}/s`),
    `${fillingRoundTripMs(bytes).toFixed(bytes < 10_000 ? 2 : 0)} ms`
  ])
  return table(['bytes of one Kinesis record', ...roundTrips.map(ms => `${ms} ms`), '1 MiB/s up to'], rows)
}

function whole(value: number): string {
  return Math.round(value).toLocaleString('en-US')
}
