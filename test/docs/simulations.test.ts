/** The smaller rows of the simulated table in docs/tuning.md, simulated again for a shorter time. */
import { expect, test } from 'vitest'
import { Harness, STREAM } from '../support/harness.ts'
import { read } from './documents.ts'

const SECONDS = 4
const STEP_MS = 5
const DATA = new Uint8Array(200)
/** A shorter run has ends that weigh more, and latencies come in steps of 10 ms. */
const TOLERANCE = 0.15

const rows = read('docs/tuning.md')
  .split('\n')
  .filter(line => /^\| 1,?0+ \| \d+ \| \d+ \| \d+ \| \d+ \| \d+ \| \d+ \|$/.test(line))
  .map(line => line.split('|').map(cell => Number(cell.replaceAll(',', ''))))
  .map(([, rate, shards, kinesisRecords, userRecords, requests, p50Ms, p99Ms]) => ({
    rate: rate!,
    shards: shards!,
    said: [kinesisRecords!, userRecords!, requests!, p50Ms!, p99Ms!]
  }))
  .filter(({ rate }) => rate <= 1000)

test('there are such rows', () => {
  expect(rows.map(({ rate, shards }) => [rate, shards])).toEqual([
    [100, 1],
    [1000, 1],
    [1000, 4]
  ])
})

test.each(rows)('$rate records a second into $shards shards do what the table says', async ({ rate, shards, said }) => {
  const harness = await new Harness({ shardCount: shards, throughputLimits: false }).warm()
  const before = harness.producer.stats().streams[STREAM]!
  const startMs = harness.clock.nowMs()

  for (let sent = 0; sent < rate * SECONDS; ) {
    await harness.pass(STEP_MS)
    const due = ((harness.clock.nowMs() - startMs) / 1000) * rate
    for (; sent < due; sent++) harness.put(`customer-${String((sent * 7919) % 100_003).padStart(11, '0')}`, DATA)
  }
  await harness.settle(harness.producer.flush())

  const { kinesisRecordsPut, userRecordsPut, requests, putToAck } = harness.producer.stats().streams[STREAM]!
  const kinesisRecords = kinesisRecordsPut - before.kinesisRecordsPut
  const found = [
    kinesisRecords / SECONDS,
    (userRecordsPut - before.userRecordsPut) / kinesisRecords,
    (requests - before.requests) / SECONDS,
    putToAck.p50Ms,
    putToAck.p99Ms
  ]
  expect(found.filter((value, i) => Math.abs(value - said[i]!) > TOLERANCE * said[i]! + 1)).toEqual([])
})
