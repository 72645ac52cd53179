import { expect, test } from 'vitest'
import { Outbox } from '../../src/core/outbox.ts'
import { streamOptions } from '../../src/core/stream-options.ts'
import { Aggregator } from '../../src/lanes/aggregator.ts'
import { resolveOptions } from '../../src/model/resolve-options.ts'
import { seededRandom } from '../../src/testing/index.ts'
import { haveRightDigests } from '../../src/wire/envelope-digest.ts'
import { DIGEST_BYTES } from '../../src/wire/format.ts'
import { accepted } from '../support/accepted.ts'
import { laneOf, PACKING } from '../support/lanes.ts'

const NOW = { hasFreeSlot: true, isUrgent: true }
const OPTIONS = streamOptions(resolveOptions({ streamName: 'orders', region: 'eu-west-1' }))

test('computes the digest of a record once, however often the record is sent', () => {
  const outbox = new Outbox(OPTIONS, seededRandom('outbox'))
  const lane = laneOf('shardId-0', outbox.limiter)
  const aggregator = new Aggregator(PACKING)
  for (const key of ['a', 'b']) aggregator.add(accepted(key, 'data'), lane)
  const [record] = aggregator.sealAll()
  outbox.limiter.add(record!, 0)
  const first = outbox.next(NOW, 0)!.batch!.entries[0]!
  const isDigestedAtFirst = first.data.subarray(-DIGEST_BYTES).some(byte => byte !== 0)
  first.data.fill(0, first.data.length - DIGEST_BYTES)
  outbox.limiter.answered(first, 0)
  outbox.limiter.addFirst(first, 0)

  const again = outbox.next(NOW, 1000)!.batch!.entries[0]!

  expect([isDigestedAtFirst, again === first]).toEqual([true, true])
  expect([...again.data.subarray(-DIGEST_BYTES)]).toEqual(new Array(DIGEST_BYTES).fill(0))
})

test('writes the digests of a large request a mebibyte at a time while it is collected, and the rest when it leaves', () => {
  const outbox = new Outbox(OPTIONS, seededRandom('outbox'))
  const packing = new Aggregator(PACKING)
  const records = Array.from({ length: 45 }, (_, shard) => {
    const lane = laneOf(`shardId-${shard}`, outbox.limiter)
    for (let n = 0; n < 2; n++) packing.add(accepted('key', Buffer.alloc(25_000, n)), lane)
    return packing.sealAll()[0]!
  })
  // No request may leave yet, so records are only collected.
  const countDigested = (): number => {
    outbox.next({ hasFreeSlot: false, isUrgent: false }, 0)
    return records.filter(({ isDigested }) => isDigested).length
  }

  for (const record of records.slice(0, 20)) outbox.limiter.add(record, 0)
  const before = countDigested()
  for (const record of records.slice(20)) outbox.limiter.add(record, 0)
  const collected = countDigested()
  const { entries } = outbox.next(NOW, 0)!.batch!

  // 21 envelopes of 50,039 bytes are more than a mebibyte, 20 are not.
  expect([before, collected, entries.length]).toEqual([0, 42, 45])
  expect(haveRightDigests(entries.map(({ data }) => data))).toEqual(new Array(45).fill(true))
})
