/** What the KPL's retrier_test asserts, on one pipeline whose requests are answered by hand. */
import { describe, expect, test } from 'vitest'
import type { KinesisRecord } from '../../src/model/kinesis-record.ts'
import type { PutRecordsAnswer } from '../../src/model/ports.ts'
import { decodeEnvelope } from '../../src/wire/decode.ts'
import { type Fate, idOf, PipelineWorld, shards } from './pipeline-world.ts'

const MEMBERS = 10

describe('retrier_test', () => {
  test('Success: two aggregates of ten give twenty single attempts with times, shard and sequence number', () => {
    const world = new PipelineWorld(shards([0, 99n], [1]))
    const slots = fill(world, [0n, 100n])
    const startMs = world.nowMs

    world.answer(world.flush(), [stored(0, '111'), stored(1, '222')], 7)

    const results = [
      { shardId: idOf(0), sequenceNumber: '111' },
      { shardId: idOf(1), sequenceNumber: '222' }
    ].flatMap(place =>
      Array.from({ length: MEMBERS }, (_, subSequenceNumber): Fate => {
        const attempts = [{ startMs, endMs: startMs + 7, ...place }]
        return [undefined, { ...place, subSequenceNumber, attempts }]
      })
    )
    expect(slots.map(slot => slot.fate)).toEqual(results)
    expect([world.sent, world.fetchCount]).toEqual([[], 0])
  })

  test('RequestFailure: all ten go again as the same bytes, with one failed attempt of that code and message', () => {
    const world = new PipelineWorld(shards([0]))
    const slots = fill(world, [0n])
    const first = world.flush()
    const bytes = Buffer.from(first.entries[0]!.data)

    world.fail(first, 'code', 'msg', 'no')
    world.pass(1000)
    const again = world.takeSent()

    expect([slots.filter(slot => slot.fate !== undefined), world.fetchCount]).toEqual([[], 0])
    expect(again.entries.map(entry => [Buffer.from(entry.data), codesOf(entry)])).toEqual([[bytes, [['code', 'msg']]]])
    world.answer(again, [stored(0)])
    expect(slots.map(errorCodes)).toEqual(Array(MEMBERS).fill(['code', undefined]))
  })

  test('Partial: of six entries two finish, four go again with their exact code and message, sixty callbacks in all', () => {
    const world = new PipelineWorld(shards([0, 0n], [1, 1n], [2, 2n], [3, 3n], [4, 4n], [5]))
    const slots = fill(world, [0n, 1n, 2n, 3n, 4n, 5n])
    const errors = [
      { errorCode: 'xx', errorMessage: 'yy' },
      { errorCode: 'InternalFailure', errorMessage: 'Internal service failure.' },
      { errorCode: 'ServiceUnavailable', errorMessage: '' },
      { errorCode: 'ProvisionedThroughputExceededException', errorMessage: 'Rate exceeded for shard.' }
    ]

    world.answer(world.flush(), [stored(0), stored(1), ...errors])
    const finished = slots.map(slot => slot.fate !== undefined)
    world.pass(10_000)
    const again = world.sent.splice(0).flatMap(batch => batch.entries)

    expect(finished).toEqual([...Array(20).fill(true), ...Array(40).fill(false)])
    expect(again.map(entry => [entry.lane.shardId!, entry.members.count, codesOf(entry)])).toEqual(
      errors.map(({ errorCode, errorMessage }, i) => [idOf(i + 2), MEMBERS, [[errorCode, errorMessage]]])
    )
    for (const entry of again) {
      world.answer({ entries: [entry], requestBytes: entry.requestBytes, isIsolated: false }, [
        { shardId: entry.lane.shardId!, sequenceNumber: '3' }
      ])
    }
    expect(slots.map(slot => [slot.fate?.[0], slot.fate?.[1]?.attempts.length])).toEqual([
      ...Array(20).fill([undefined, 1]),
      ...Array(40).fill([undefined, 2])
    ])
  })

  test('FailIfThrottled: a throttled entry fails with one attempt, and its neighbour does not', () => {
    const world = new PipelineWorld(shards([0, 99n], [1]), { failIfThrottled: true })
    const slots = fill(world, [0n, 100n])
    const throttled = { errorCode: 'ProvisionedThroughputExceededException', errorMessage: 'slow down' }

    world.answer(world.flush(), [throttled, stored(1)])
    world.pass(10_000)

    expect(slots.map(({ fate }) => [fate?.[0]?.code, fate?.[0]?.persisted, fate?.[0]?.attempts.length])).toEqual([
      ...Array(MEMBERS).fill(['KPL_ERR_THROTTLED', 'no', 1]),
      ...Array(MEMBERS).fill([undefined, undefined, undefined])
    ])
    expect(slots[0]!.fate?.[0]?.attempts).toMatchObject([throttled])
    expect(world.sent).toEqual([])
  })

  test('FailIfThrottled: a throttled request fails all its records with one attempt', () => {
    const world = new PipelineWorld(shards([0, 99n], [1]), { failIfThrottled: true })
    const slots = fill(world, [0n, 100n])

    world.fail(world.flush(), 'ProvisionedThroughputExceededException', 'slow down', 'no')
    world.pass(10_000)

    expect(slots.map(({ fate }) => [fate?.[0]?.code, fate?.[0]?.attempts.length])).toEqual(
      Array(2 * MEMBERS).fill(['KPL_ERR_THROTTLED', 1])
    )
    expect(world.sent).toEqual([])
  })

  test('WrongShard, better than the KPL: an aggregate in a shard without a known range waits for the map before it goes again', () => {
    const world = new PipelineWorld(shards([0]))
    const slots = fill(world, [0n])

    world.answer(world.flush(), [stored(4)])
    world.pass(100)
    const atOnce = [world.fetchCount, world.sent.length, slots.filter(slot => slot.fate !== undefined).length]
    for (let fetch = 0; fetch < 5; fetch++) {
      world.list(shards([0]))
      world.pass(1500)
    }
    const again = world.takeSent()

    expect(atOnce).toEqual([1, 0, 0])
    expect(world.fetchCount).toBe(5)
    world.answer(again, [stored(0)])
    expect(slots.map(errorCodes)).toEqual(Array(MEMBERS).fill(['WrongShard', undefined]))
    expect(slots[0]!.fate?.[1]?.attempts[0]).toMatchObject({ shardId: idOf(4), sequenceNumber: '1' })
  })

  test('InvalidateForFirstUserRecordOnly: a burst of answers from unexpected shards asks for one listing', () => {
    const world = new PipelineWorld(shards([0]))
    const batches = Array.from({ length: 5 }, () => {
      fill(world, [0n])
      return world.flush()
    })

    for (const batch of batches) world.answer(batch, [stored(4)])
    world.pass(2000)

    expect(world.fetchCount).toBe(1)
  })

  test('WrongShardButCorrectHashrange: keys 0, 1, 5 and 10 of a range from 0 to 10 succeed with one attempt, after one listing', () => {
    const world = new PipelineWorld(shards([0]))
    const slots = [0n, 1n, 5n, 10n].map(hashKey => world.put(`${hashKey}`, hashKey))

    world.answer(world.flush(), [stored(4)])
    world.pass(0)
    world.list(shards([4, 10n], [5]))
    world.pass(5000)

    expect(
      slots.map(({ fate }) => [fate?.[1]?.shardId, fate?.[1]?.attempts.map(attempt => attempt.errorCode)])
    ).toEqual(Array(4).fill([idOf(4), [undefined]]))
    expect([world.fetchCount, world.sent]).toEqual([1, []])
  })

  test('WrongShardButCorrectHashrange, better than the KPL: when the map came during the request, no further listing is asked for', () => {
    const world = new PipelineWorld(shards([0, 20n], [1]))
    const slots = [0n, 10n].map(hashKey => world.put(`${hashKey}`, hashKey))
    const batch = world.flush()
    world.stream.shardsListed(shards([4, 10n], [5, 20n], [1]), world.nowMs + 5)

    world.answer(batch, [stored(4)])
    world.pass(5000)

    expect(slots.map(({ fate }) => fate?.[1]?.attempts.length)).toEqual([1, 1])
    expect([world.fetchCount, world.sent]).toEqual([0, []])
  })

  test.each([0n, 1n, 2n, 11n])(
    'WrongShardAndWrongHashrange, better than the KPL: key %s beside a range from 3 to 10 sends the whole aggregate again',
    outside => {
      const world = new PipelineWorld(shards([0]))
      const slots = [3n, outside, 10n].map(hashKey => world.put(`${hashKey}`, hashKey))

      world.answer(world.flush(), [stored(4)])
      world.pass(0)
      world.list(shards([5, 2n], [4, 10n], [6]))
      world.pass(100)
      const again = world.takeSent()

      const outsideShard = outside < 3n ? 5 : 6
      expect([slots.filter(slot => slot.fate !== undefined), world.fetchCount]).toEqual([[], 1])
      expect(new Map(again.entries.map(entry => [entry.lane.shardId!, dataOf(entry)]))).toEqual(
        new Map([
          [idOf(4), ['3', '10']],
          [idOf(outsideShard), [`${outside}`]]
        ])
      )
      world.answer(
        again,
        again.entries.map(entry => ({ shardId: entry.lane.shardId!, sequenceNumber: '2' }))
      )
      expect(slots.map(errorCodes)).toEqual(Array(3).fill(['WrongShard', undefined]))
      expect(slots.map(({ fate }) => fate?.[1]?.shardId)).toEqual([idOf(4), idOf(outsideShard), idOf(4)])
    }
  )

  test('WrongShardAndWrongHashrange, better than the KPL: a plain record is not stored twice, but still asks for a listing', () => {
    const world = new PipelineWorld(shards([0, 10n], [1]))
    const slot = world.put('alone', 0n)

    world.answer(world.flush(), [stored(1)])
    world.pass(5000)

    expect([slot.fate?.[1]?.shardId, slot.fate?.[1]?.attempts.length]).toEqual([idOf(1), 1])
    expect([world.fetchCount, world.sent]).toEqual([1, []])
  })

  test('better than the KPL: an expired record has the attempts that were made and no invented one', () => {
    const world = new PipelineWorld(shards([0]), { recordTtlMs: 5_000 })
    const slot = world.put('alone', 0n)
    const startMs = world.nowMs

    while (slot.fate === undefined) {
      for (const batch of [world.flush(), ...world.sent.splice(0)]) world.fail(batch, 'ECONNREFUSED', 'refused', 'no')
      world.pass(1_000)
    }

    const [error] = slot.fate
    expect([error?.code, error?.serviceCode, error?.persisted]).toEqual(['KPL_ERR_EXPIRED', 'ECONNREFUSED', 'no'])
    expect(new Set(error?.attempts.map(({ errorCode }) => errorCode))).toEqual(new Set(['ECONNREFUSED']))
    expect(world.nowMs - startMs).toBeLessThan(7_000)
  })

  test('better than the KPL: the time to live may be infinite', () => {
    const world = new PipelineWorld(shards([0]), { recordTtlMs: Number.POSITIVE_INFINITY })
    const slot = world.put('alone', 0n)
    world.fail(world.flush(), 'ECONNREFUSED', 'refused', 'no')

    world.pass(365 * 86_400_000)
    world.answer(world.takeSent(), [stored(0)])

    expect(slot.fate?.[1]?.shardId).toBe(idOf(0))
  })

  test.each([
    ['entry by entry', (world: PipelineWorld) => world.answer(world.flush(), Array(4).fill({ errorCode: 'xx' }))],
    ['as a whole', (world: PipelineWorld) => world.fail(world.flush(), 'code', 'msg', 'no')]
  ])('limiter_test Ordering, after a retry: what failed together %s leaves its shard oldest first again', (_, fail) => {
    const world = new PipelineWorld(shards([0]), { aggregationEnabled: false })
    for (let i = 0; i < 4; i++) world.put(`${i}`, 0n)

    fail(world)
    world.pass(1000)

    expect(world.takeSent().entries.flatMap(dataOf)).toEqual(['0', '1', '2', '3'])
  })
})

/** Puts ten records for each hash key. */
function fill(world: PipelineWorld, hashKeys: readonly bigint[]): { fate?: Fate }[] {
  return hashKeys.flatMap(hashKey => Array.from({ length: MEMBERS }, (_, i) => world.put(`${hashKey}-${i}`, hashKey)))
}

function stored(shard: number, sequenceNumber = '1'): PutRecordsAnswer {
  return { shardId: idOf(shard), sequenceNumber }
}

function codesOf(record: KinesisRecord) {
  return record.attempts.map(({ errorCode, errorMessage }) => [errorCode, errorMessage])
}

function errorCodes({ fate }: { fate?: Fate }) {
  return fate?.[1]?.attempts.map(attempt => attempt.errorCode)
}

function dataOf(record: KinesisRecord): string[] {
  const members = record.isAggregate ? decodeEnvelope(record.data) : [record]
  return members.map(({ data }) => new TextDecoder().decode(data))
}
