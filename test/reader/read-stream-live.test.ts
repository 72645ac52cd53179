/** A stream reader on a stream that changes while it is read: order, bounds, and how it is left. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { StreamReadError } from '../../src/model/errors.ts'
import { type ReadStreamOptions, readStream, type StreamPosition } from '../../src/reader/read-stream.ts'
import { seededRandom } from '../../src/testing/index.ts'
import { microtasks } from '../support/harness.ts'
import { collect, put, reshard, STREAM, setUp } from './fixture.ts'

const KEYS = ['a', 'b', 'c', 'd']
const NEVER = { answer: new Promise(() => {}) }

test('reads the records of a stream whose shards the service chooses, which have no keys', async () => {
  const { kinesis, read, overrides } = setUp(1)
  put(kinesis, 'text')
  overrides.of = (name, input) => {
    if (name !== 'GetRecordsCommand') return undefined
    const { Records, ...rest } = kinesis.getRecords(input as never)
    return { answer: { ...rest, Records: Records.map(({ Data, SequenceNumber }) => ({ Data, SequenceNumber })) } }
  }

  const seen = await collect(read())

  expect(seen).toEqual(['0 =text'])
})

test('holds four answers at most, also when all shards are slow and the consumer is slower', async () => {
  const { kinesis, client, clock, time } = setUp(32)
  for (let i = 0n; i < 32n; i++) {
    kinesis.putRecord({ ...STREAM, PartitionKey: 'k', ExplicitHashKey: `${i << 123n}`, Data: Buffer.from('x') })
  }
  const wait = (ms: number) => new Promise<void>(resolve => clock.schedule(time.nowMs() + ms, resolve))
  let isAway = false
  const send = async (command: { constructor: { name: string } }) => {
    if (command.constructor.name !== 'GetRecordsCommand') return client.send(command as never)
    await (isAway ? NEVER.answer : wait(3000))
    return client.send(command as never)
  }
  const reader = readStream({ send } as never, 'orders', { clock, random: () => 1 })[Symbol.asyncIterator]()
  await reader.next()
  // More than ten calls are under way, and all of them are answered meanwhile. Then nothing is.
  await wait(20_000)
  isAway = true

  let heldCount = 0
  const reading = async () => {
    while (!(await reader.next()).done) heldCount++
  }

  await expect(reading()).rejects.toMatchObject({ code: 'KPL_ERR_READ_FAILED' })
  expect(heldCount).toBe(4)
})

describe('a consumer that leaves while the reader waits', () => {
  test.each(['nothing new', 'a call without an answer'])(
    '(for %s) has left at once, and nothing goes on',
    async what => {
      const { read, overrides, calls, time } = setUp(2)
      if (what !== 'nothing new') overrides.of = name => (name === 'GetRecordsCommand' ? NEVER : undefined)
      const iterator = read({ follow: true })[Symbol.asyncIterator]()
      const pending = iterator.next()
      await microtasks()

      const left = await iterator.return!()
      const callCount = calls.length
      await microtasks()

      expect([left.done, (await pending).done, time.nextAtMs, calls.length]).toEqual([true, true, undefined, callCount])
    }
  )

  test('does not find an empty stream when it iterates again', async () => {
    const { kinesis, read } = setUp(1)
    put(kinesis, '1')
    const reader = read()
    await collect(reader)

    const again = collect(reader)

    await expect(again).rejects.toThrow(
      'stream orders: a reader is iterated once; make another one, from position() of this one'
    )
  })
})

test('across reshards, faults and restarts, each record comes once in the order of its key, or an error says why not', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 1e9 }),
      fc.double({ min: 0, max: 0.3, noNaN: true }),
      async (seed, rate) => {
        const world = liveWorld(seed, rate)
        const { seen, outcome } = await world.readAll(120)

        const numbers = KEYS.map(key => seen.filter(text => text.startsWith(key)).map(text => Number(text.slice(1))))
        if (outcome instanceof Error) expect(outcome).toBeInstanceOf(StreamReadError)
        else expect(outcome).toBe('left with all')
        // Without an error all of them, and with one all up to it: never a gap, never one twice.
        expect(numbers).toEqual(numbers.map((_, i) => world.putOf(KEYS[i]!).slice(0, numbers[i]!.length)))
      }
    ),
    { numRuns: 60 }
  )
})

/** A stream that is written to and resharded while it is read, by a service that fails, hangs and lies. */
function liveWorld(seed: number, rate: number) {
  const { kinesis, read, overrides, time } = setUp(1 + (seed % 4))
  const random = seededRandom(seed)
  const pick = <Value>(values: readonly Value[]): Value => values[Math.floor(random() * values.length)]!
  const stored: string[] = []
  const change = () => {
    for (let i = 0; i < 4; i++) {
      const key = pick(KEYS)
      put(kinesis, `${key}${stored.length}`, key)
      stored.push(`${key}${stored.length}`)
    }
    if (random() < 0.5) reshard(kinesis, pick)
  }
  const lied = new Set<unknown>()
  overrides.of = (name, { ShardIterator }) => {
    if (random() >= rate) return undefined
    // An end that is a lie comes once for each place: twice, and with a closed shard, nothing tells it from a true one.
    const isLie = name === 'GetRecordsCommand' && !lied.has(ShardIterator) && random() < 0.3
    if (isLie) {
      lied.add(ShardIterator)
      return { answer: { Records: [], NextShardIterator: null, MillisBehindLatest: 0, ChildShards: pick([[], null]) } }
    }
    const failure = () => ({ answer: Promise.reject(Object.assign(new Error('x'), { name: 'InternalFailure' })) })
    return pick([() => NEVER, () => ({ answer: {} }), () => ({ answer: null }), failure])()
  }
  const readAll = async (count: number) => {
    const seen: string[] = []
    let from: StreamPosition | 'TRIM_HORIZON' = 'TRIM_HORIZON'
    change()
    for (;;) {
      const stop = new AbortController()
      // A record that is missed would be waited for without end.
      const timer = time.schedule(time.nowMs() + 3_600_000, () => stop.abort())
      const options: ReadStreamOptions = { from, follow: true, requestTimeoutMs: 500, signal: stop.signal }
      const reader = read(options)
      let isRestart = false
      try {
        for await (const { data } of reader) {
          isRestart = random() < 0.05
          // The record in hand comes again.
          if (isRestart) break
          seen.push(Buffer.from(data).toString())
          if (stored.length < count) change()
          else if (seen.length === stored.length) return { seen, outcome: 'left with all' }
        }
      } catch (error) {
        return { seen, outcome: error }
      } finally {
        timer.cancel()
      }
      if (!isRestart) return { seen, outcome: `ended in silence with ${seen.length} of ${stored.length}` }
      from = JSON.parse(JSON.stringify(reader.position()))
    }
  }
  const putOf = (key: string) => stored.filter(text => text.startsWith(key)).map(text => Number(text.slice(1)))
  return { readAll, putOf }
}
