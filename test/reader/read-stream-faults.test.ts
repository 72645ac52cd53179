/** A stream reader among peers that answer malformed, late or never, and positions of another stream. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readStream } from '../../src/reader/read-stream.ts'
import { seededRandom } from '../../src/testing/index.ts'
import { microtasks } from '../support/harness.ts'
import { collect, HIGH_KEY, LOW_KEY, MIDDLE, once, put, reshard, type SetUp, SHARDS, STREAM, setUp } from './fixture.ts'

const NEVER = { answer: new Promise(() => {}) }

function record(fields: object): object {
  return { Data: Buffer.from('x'), SequenceNumber: '1', PartitionKey: 'k', ...fields }
}

const malformedReads: [string, unknown][] = [
  ['an empty object', {}],
  ['null', null],
  ['text', 'ok'],
  ['no records', { NextShardIterator: 'x', MillisBehindLatest: 0 }],
  ['records that are no list', { Records: {}, NextShardIterator: 'x' }],
  ['a record that is null', { Records: [null], NextShardIterator: 'x' }],
  ['a record without data', { Records: [{ SequenceNumber: '1', PartitionKey: 'k' }], NextShardIterator: 'x' }],
  ['a record without a number', { Records: [{ Data: Buffer.from('x'), PartitionKey: 'k' }], NextShardIterator: 'x' }],
  ['an empty iterator', { Records: [], NextShardIterator: '', MillisBehindLatest: 0 }],
  ['an iterator that is no text', { Records: [], NextShardIterator: 7 }],
  ['no iterator and no children', { Records: [], NextShardIterator: null, MillisBehindLatest: 0 }],
  ['no iterator and an empty list of children', { Records: [], NextShardIterator: null, ChildShards: [] }],
  ['no iterator and children that are none', { Records: [], ChildShards: [{}] }],
  ['a time that is no number', { Records: [], NextShardIterator: 'x', MillisBehindLatest: 'soon' }],
  ['a time below zero', { Records: [], NextShardIterator: 'x', MillisBehindLatest: -1 }],
  ['an arrival that is no time', { Records: [record({ ApproximateArrivalTimestamp: 'now' })], NextShardIterator: 'x' }],
  ['a key that is no text', { Records: [record({ PartitionKey: 7 })], NextShardIterator: 'x' }],
  ['data that is text', { Records: [record({ Data: 'x' })], NextShardIterator: 'x' }]
]

describe('an answer to GetRecords for an open shard', () => {
  test.each(malformedReads)('with %s does not end the shard: what comes later is read', async (_, answer) => {
    const { kinesis, read, overrides } = setUp(1)
    put(kinesis, '1')
    once(overrides, 'GetRecordsCommand', { answer })
    const reader = read()

    const seen = await collect(reader)

    expect(seen).toEqual(['0 a=1'])
    expect(reader.position().shards[SHARDS[0]]).toMatch(/^\d+:0$/)
  })

  test.each(malformedReads)('with %s for ever is an error that names the shard', async (_, answer) => {
    const { kinesis, read, overrides } = setUp(1)
    put(kinesis, '1')
    overrides.of = name => (name === 'GetRecordsCommand' ? { answer } : undefined)
    const reader = read()

    const reading = collect(reader)

    await expect(reading).rejects.toMatchObject({
      code: 'KPL_ERR_READ_FAILED',
      shardId: SHARDS[0],
      streamName: 'orders'
    })
    expect(reader.position()).toEqual({ shards: { [SHARDS[0]]: 'TRIM_HORIZON' } })
  })
})

describe('the end of a shard without children in its answer', () => {
  test('is not believed when it is said once only, although the shard is closed', async () => {
    const { kinesis, read, overrides } = setUp(1)
    put(kinesis, '1')
    kinesis.splitShard({ ...STREAM, ShardToSplit: SHARDS[0], NewStartingHashKey: MIDDLE })
    put(kinesis, '2')
    once(overrides, 'GetRecordsCommand', { answer: { Records: [], NextShardIterator: null } })

    const seen = await collect(read())

    expect(seen).toEqual(['0 a=1', '1 a=2'])
  })

  test('is waited for also without `follow`, when a closed shard has no more records but has not ended', async () => {
    const { kinesis, read, overrides } = setUp(1)
    put(kinesis, '1')
    kinesis.splitShard({ ...STREAM, ShardToSplit: SHARDS[0], NewStartingHashKey: MIDDLE })
    put(kinesis, '2')
    overrides.of = (name, { ShardIterator }) => {
      if (name !== 'GetRecordsCommand') return undefined
      overrides.of = undefined
      return { answer: { Records: [], NextShardIterator: ShardIterator, MillisBehindLatest: 0 } }
    }

    const seen = await collect(read())

    expect(seen).toEqual(['0 a=1', '1 a=2'])
  })

  test('is believed when it is said again and the listing says that it is closed', async () => {
    const { kinesis, read, overrides } = setUp(1)
    put(kinesis, '1')
    kinesis.splitShard({ ...STREAM, ShardToSplit: SHARDS[0], NewStartingHashKey: MIDDLE })
    put(kinesis, '2')
    hideChildren(overrides, kinesis)

    const seen = await collect(read())

    expect(seen).toEqual(['0 a=1', '1 a=2'])
  })
})

describe('a listing', () => {
  test.each<[string, unknown]>([
    ['an empty object', {}],
    ['null', null],
    ['no shards', { Shards: [] }],
    ['a shard without an id', { Shards: [{ HashKeyRange: { StartingHashKey: '0', EndingHashKey: '9' } }] }],
    ['a shard without a range', { Shards: [{ ShardId: SHARDS[0] }] }],
    [
      'a range that is no number',
      { Shards: [{ ShardId: SHARDS[0], HashKeyRange: { StartingHashKey: 'x', EndingHashKey: '9' } }] }
    ],
    [
      'a range that ends before it starts',
      { Shards: [{ ShardId: SHARDS[0], HashKeyRange: { StartingHashKey: '9', EndingHashKey: '0' } }] }
    ],
    ['an empty token', { Shards: [], NextToken: '' }]
  ])('with %s is asked for again, and is an error in the end', async (_, answer) => {
    const { kinesis, read, overrides } = setUp(1)
    put(kinesis, '1')
    once(overrides, 'ListShardsCommand', { answer })
    const afterOne = await collect(read())
    overrides.of = name => (name === 'ListShardsCommand' ? { answer } : undefined)

    const reading = collect(read())

    await expect(reading).rejects.toMatchObject({ code: 'KPL_ERR_READ_FAILED', shardId: undefined })
    expect(afterOne).toEqual(['0 a=1'])
  })
})

test.each([
  ['its own', [['a', 'a']]],
  [
    "another's that waits for it",
    [
      ['a', 'b'],
      ['b', 'a']
    ]
  ]
])('a shard whose parent is %s is an error, not an end', async (_, pairs) => {
  const { read, overrides } = setUp(1)
  const HashKeyRange = { StartingHashKey: '0', EndingHashKey: `${2n ** 128n - 1n}` }
  const Shards = pairs.map(([ShardId, ParentShardId]) => ({
    ShardId,
    ParentShardId,
    HashKeyRange,
    SequenceNumberRange: { StartingSequenceNumber: '1' }
  }))
  overrides.of = name => (name === 'ListShardsCommand' ? { answer: { Shards } } : undefined)

  const reading = collect(read())

  await expect(reading).rejects.toMatchObject({ code: 'KPL_ERR_READ_FAILED', shardId: undefined })
})

test('a listing whose token never ends is an error in the end', async () => {
  const { read, overrides } = setUp(1)
  overrides.of = name => (name === 'ListShardsCommand' ? { answer: { Shards: [], NextToken: 'again' } } : undefined)

  const reading = collect(read())

  await expect(reading).rejects.toMatchObject({ code: 'KPL_ERR_READ_FAILED', cause: { errorCode: 'TooManyPages' } })
})

describe('a call that is never answered', () => {
  test.each(['ListShardsCommand', 'GetShardIteratorCommand', 'GetRecordsCommand'])('%s is made again', async name => {
    const { kinesis, read, overrides, time } = setUp(2)
    put(kinesis, 'low', LOW_KEY)
    put(kinesis, 'high', HIGH_KEY)
    once(overrides, name, NEVER)

    const seen = await collect(read({ requestTimeoutMs: 3000 }))

    expect(seen.sort()).toEqual(['0 a=low', '1 b=high'])
    expect(time.nowMs()).toBeGreaterThanOrEqual(1_003_000)
  })

  test.each(['GetShardIteratorCommand', 'GetRecordsCommand'])('%s for one shard delays no other', async name => {
    const { kinesis, read, overrides, time } = setUp(8)
    const keys = Array.from({ length: 8 }, (_, i) => `${(1n << 125n) * BigInt(i)}`)
    for (const ExplicitHashKey of keys) {
      kinesis.putRecord({ ...STREAM, PartitionKey: 'k', ExplicitHashKey, Data: Buffer.from('x') })
    }
    const hung = new Set<unknown>()
    overrides.of = (called, { ShardId, ShardIterator }) => {
      if (called !== name) return undefined
      // The first five calls of it, each of another shard.
      hung.add(ShardId ?? ShardIterator)
      return hung.size <= 5 ? NEVER : undefined
    }
    const readMs: number[] = []

    for await (const _ of read({ requestTimeoutMs: 60_000, follow: true })) {
      readMs.push(time.nowMs() - 1_000_000)
      if (readMs.length === 3) break
    }

    expect(readMs.every(atMs => atMs < 5_000)).toBe(true)
  })

  test('is given up at once when the consumer breaks off or the signal fires, and nothing is left behind', async () => {
    const { kinesis, read, overrides, time } = setUp(2)
    put(kinesis, 'low', LOW_KEY)
    const controller = new AbortController()
    time.schedule(1_000_500, () => controller.abort())
    const aborted: boolean[] = []
    overrides.of = name => {
      if (name !== 'GetRecordsCommand') return undefined
      aborted.push(false)
      return NEVER
    }

    const seen = await collect(read({ signal: controller.signal, follow: true }))
    await microtasks()

    expect([seen, aborted.length, time.nextAtMs]).toEqual([[], 2, undefined])
  })

  test('does not keep the process, nor the socket, after its time', async () => {
    const { client, clock } = setUp(1)
    const signals: AbortSignal[] = []
    const send = (command: { constructor: { name: string } }, options: { abortSignal: AbortSignal }) => {
      if (command.constructor.name !== 'GetRecordsCommand') return client.send(command as never, options)
      signals.push(options.abortSignal)
      return new Promise(() => {})
    }

    const reading = collect(readStream({ send } as never, 'orders', { clock, random: () => 1, requestTimeoutMs: 1000 }))

    await expect(reading).rejects.toMatchObject({
      code: 'KPL_ERR_READ_FAILED',
      cause: { errorCode: 'TimeoutError', message: 'No answer came within 1000 ms.' }
    })
    expect(signals.map(({ aborted }) => aborted)).toEqual(Array(11).fill(true))
  })
})

describe('a saved position of a stream that was made anew', () => {
  test('is refused, naming the shard, when a shard that had ended is open', async () => {
    const { kinesis, read, saved } = await savedAndMadeAnew()

    const reading = collect(read({ from: saved }))

    await expect(reading).rejects.toMatchObject({
      code: 'KPL_ERR_STALE_POSITION',
      streamName: 'orders',
      shardId: SHARDS[0],
      message: `stream orders, shard ${SHARDS[0]}: the saved place SHARD_END cannot be of this shard; the stream was probably deleted and created again`
    })
    expect(kinesis.storedRecords('orders')).toHaveLength(1)
  })

  test('is read from the beginning of that shard when asked to', async () => {
    const { read, saved } = await savedAndMadeAnew()

    const seen = await collect(read({ from: saved, onStalePosition: 'restart' }))

    expect(seen).toEqual(['0 a=new'])
  })

  test.each([
    ['a number before the shard began', { StartingSequenceNumber: '500' }, '499:3'],
    ['a number after the shard ended', { StartingSequenceNumber: '1', EndingSequenceNumber: '500' }, '501:0']
  ])('is refused for %s', async (_, SequenceNumberRange, place) => {
    const { read, overrides } = setUp(1)
    const HashKeyRange = { StartingHashKey: '0', EndingHashKey: `${2n ** 128n - 1n}` }
    const heir = { ShardId: SHARDS[1], HashKeyRange, SequenceNumberRange: { StartingSequenceNumber: '501' } }
    const answer = { Shards: [{ ShardId: SHARDS[0], HashKeyRange, SequenceNumberRange }, heir] }
    overrides.of = name => (name === 'ListShardsCommand' ? { answer } : undefined)

    const reading = collect(read({ from: { shards: { [SHARDS[0]]: place } } }))

    await expect(reading).rejects.toMatchObject({ code: 'KPL_ERR_STALE_POSITION', shardId: SHARDS[0] })
  })

  test.each(['throw', 'restart'] as const)('is noticed when the service does not know the number (%s)', async way => {
    const { kinesis, read, overrides } = setUp(1)
    put(kinesis, 'new')
    const refusal = Object.assign(new Error('no such number'), { name: 'InvalidArgumentException' })
    overrides.of = (name, { StartingSequenceNumber }) => {
      if (name !== 'GetShardIteratorCommand' || StartingSequenceNumber === undefined) return undefined
      return { answer: Promise.reject(refusal) }
    }
    const from = { shards: { [SHARDS[0]]: `${10n ** 56n}:0` } }

    const outcome = await collect(read({ from, onStalePosition: way })).catch((error: unknown) => error)

    if (way === 'restart') expect(outcome).toEqual(['0 a=new'])
    else expect(outcome).toMatchObject({ code: 'KPL_ERR_STALE_POSITION', cause: refusal })
  })
})

test('arguments are checked at the call, all at once', () => {
  const { client } = setUp(1)
  const from = { shards: { [SHARDS[0]]: 'somewhere' } }

  const call = () =>
    readStream(client, 'orders', { from, idleMs: Number.NaN, maxRecordsPerRead: 0, onStalePosition: 'x' as never })

  expect(call).toThrow(
    expect.objectContaining({
      code: 'KPL_ERR_INVALID_OPTIONS',
      faults: [
        `from.shards must hold places as position() returns them; the place of ${SHARDS[0]} is not valid`,
        'idleMs must be a number from 0 to 9007199254740991, got NaN',
        'maxRecordsPerRead must be a whole number from 1 to 10000, got 0',
        "onStalePosition must be 'throw' or 'restart', got string"
      ]
    }) as Error
  )
})

test.each<[unknown, string]>([
  ['newest', "from must be 'TRIM_HORIZON', 'LATEST', { timestampMs } or a position, got string"],
  [null, "from must be 'TRIM_HORIZON', 'LATEST', { timestampMs } or a position, got null"],
  [
    {},
    "from must be 'TRIM_HORIZON', 'LATEST', { timestampMs } or a position; timestampMs must be whole milliseconds since the epoch, at most 999999999999999"
  ],
  [
    { timestampMs: new Date() },
    "from must be 'TRIM_HORIZON', 'LATEST', { timestampMs } or a position; timestampMs must be whole milliseconds since the epoch, at most 999999999999999"
  ],
  [
    { timestampMs: 1e15 },
    "from must be 'TRIM_HORIZON', 'LATEST', { timestampMs } or a position; timestampMs must be whole milliseconds since the epoch, at most 999999999999999"
  ],
  [{ shards: null }, 'from.shards must be a plain object, got null'],
  [{ shards: [] }, 'from.shards must be a plain object, got array'],
  [{ shards: new Map([['s', 'LATEST']]) }, 'from.shards must be a plain object, got Map'],
  [
    { shards: { s: '1:1234567890123456' } },
    'from.shards must hold places as position() returns them; the place of s is not valid'
  ],
  [
    { shards: { s: `AT_TIMESTAMP:${1e15}` } },
    'from.shards must hold places as position() returns them; the place of s is not valid'
  ],
  [{ shards: { s: 7 } }, 'from.shards must hold places as position() returns them; the place of s is not valid']
])('from: %j is refused by name', (from, fault) => {
  const { client } = setUp(1)

  expect(() => readStream(client, 'orders', { from: from as never })).toThrow(
    expect.objectContaining({ faults: [fault] }) as Error
  )
})

test('whatever the peers do, every record is read once and in the order of its key, or an error says why not', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 1e9 }),
      fc.double({ min: 0, max: 0.4, noNaN: true }),
      async (seed, rate) => {
        const { kinesis, read, overrides } = setUp(1 + (seed % 4))
        const random = seededRandom(seed)
        const pick = <Value>(values: readonly Value[]): Value => values[Math.floor(random() * values.length)]!
        let count = 0
        for (let step = 0; step < 12; step++) {
          for (let i = 0; i < 5; i++) {
            const key = pick(['a', 'b', 'c', 'd'])
            put(kinesis, `${key}${count++}`, key)
          }
          reshard(kinesis, pick)
        }
        const answers = [
          () => NEVER.answer,
          () => Promise.reject(Object.assign(new Error('x'), { name: 'InternalFailure' })),
          // Of a closed shard an end that is a lie twice in a row is believed: nothing tells it from a true one.
          ...malformedReads.filter(([name]) => !name.startsWith('no iterator')).map(([, answer]) => answer)
        ]
        overrides.of = () => {
          if (random() >= rate) return undefined
          const answer = pick(answers)
          return { answer: typeof answer === 'function' ? (answer as () => unknown)() : answer }
        }

        const outcome = await collect(read({ requestTimeoutMs: 500 })).catch((error: Error) => error)

        if (outcome instanceof Error) expect(outcome).toMatchObject({ code: 'KPL_ERR_READ_FAILED' })
        else {
          const texts = outcome.map(line => line.split('=')[1]!)
          expect([...texts].sort()).toEqual(
            Array.from({ length: count }, (_, i) => texts.find(t => t.slice(1) === `${i}`)!).sort()
          )
          for (const key of ['a', 'b', 'c', 'd']) {
            const numbers = texts.filter(text => text.startsWith(key)).map(text => Number(text.slice(1)))
            expect(numbers).toEqual([...numbers].sort((left, right) => left - right))
          }
        }
      }
    ),
    { numRuns: 60 }
  )
})

/** As a service that does not know ChildShards. */
function hideChildren(overrides: SetUp['overrides'], kinesis: SetUp['kinesis']): void {
  overrides.of = (name, input) => {
    if (name !== 'GetRecordsCommand') return undefined
    const { ChildShards, Records, ...rest } = kinesis.getRecords(input as never)
    const dated = Records.map(record => ({ ...record, ApproximateArrivalTimestamp: new Date(0) }))
    return { answer: { ...rest, Records: dated } }
  }
}

async function savedAndMadeAnew() {
  const world = setUp(1)
  put(world.kinesis, 'old')
  world.kinesis.splitShard({ ...STREAM, ShardToSplit: SHARDS[0], NewStartingHashKey: MIDDLE })
  const first = world.read()
  await collect(first)
  world.kinesis.deleteStream(STREAM)
  world.kinesis.createStream({ ...STREAM, ShardCount: 1 })
  put(world.kinesis, 'new')
  return { ...world, saved: first.position() }
}
