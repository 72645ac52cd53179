import { EventEmitter, on } from 'node:events'
import { Readable } from 'node:stream'
import { describe, expect, test, vi } from 'vitest'
import { InvalidRecordError, type PutAllOutcome, type UserRecord } from '../../src/index.ts'
import { Harness } from '../support/harness.ts'

const RECORDS = ['a', 'b', 'c'].map(data => ({ partitionKey: 'k', data }))
const UNREAD =
  'putAll has put nothing, because the program does not read its outcomes; read its outcomes: ' +
  'for await (const { record, error } of producer.putAll(source))'

/** A proxy that was revoked. */
function throwing(): object {
  const { proxy, revoke } = Proxy.revocable({}, {})
  revoke()
  return proxy
}

function world() {
  const warnings: unknown[] = []
  const warn = (message: string, fields?: Readonly<Record<string, unknown>>) =>
    warnings.push([fields?.['code'], message])
  const harness = new Harness({ logger: { debug() {}, info() {}, error() {}, warn } })
  return { harness, warnings }
}

describe('putAll that nobody reads', () => {
  test.each([
    ['awaited', async (outcomes: AsyncGenerator) => void (await outcomes)],
    ['left', () => {}],
    ['closed before it was begun', (outcomes: AsyncGenerator) => void outcomes.return(undefined)]
  ])('puts nothing and warns when it is %s', async (_, use) => {
    const { harness, warnings } = world()

    use(harness.producer.putAll(RECORDS))
    await harness.pass(1)

    expect([harness.stored(), warnings]).toEqual([[], [['KPL_WARN_PUT_ALL_UNREAD', UNREAD]]])
    expect(harness.clock.pendingCount).toBe(0)
  })

  test('warns only if it is not read: by a loop, by hand, or by a stream', async () => {
    const { harness, warnings } = world()
    const { producer } = harness
    const loop = async () => {
      const outcomes: string[] = []
      for await (const { record } of producer.putAll(RECORDS)) outcomes.push(String(record.data))
      return outcomes
    }
    const unread = producer.putAll(RECORDS)

    const stream = Readable.from(producer.putAll(RECORDS)).map(({ record }: PutAllOutcome) => String(record.data))
    const read = [
      loop(),
      stream.toArray(),
      producer
        .putAll(RECORDS)
        .next()
        .then(({ done }) => done)
    ]
    const outcomes = await harness.settle(Promise.all<unknown>(read))

    expect(outcomes).toEqual([['a', 'b', 'c'], ['a', 'b', 'c'], false])
    expect(warnings).toEqual([['KPL_WARN_PUT_ALL_UNREAD', UNREAD]])
    await unread.return(undefined)
  })
})

describe('putAll', () => {
  test.each<[string, unknown, string]>([
    ['a record', RECORDS[0], 'Object'],
    ['nothing', undefined, 'undefined'],
    ['null', null, 'null'],
    ['a string', 'text', 'string'],
    ['a generator function that was not called', async function* () {}, 'function'],
    ['the promise of a list', Promise.resolve(RECORDS), 'Promise'],
    ['bytes', new Uint8Array(3), 'Uint8Array'],
    ['what has an iterator that is none', { [Symbol.iterator]: 7 }, 'Object'],
    ['what throws when it is looked at', throwing(), 'object that cannot be read']
  ])('refuses %s at the call', (_, source, kind) => {
    const { harness } = world()

    const call = () => harness.producer.putAll(source as Iterable<UserRecord>)

    const fault = `must be an iterable or async iterable of user records, got ${kind}`
    expect(call).toThrow(new InvalidRecordError('KPL_ERR_INVALID_RECORD', 'source', fault))
  })

  test('that was left tells as a warning what its source throws when it is closed', async () => {
    const { harness, warnings } = world()
    const source = {
      [Symbol.asyncIterator]: () => ({
        next: async () => ({ done: false as const, value: RECORDS[0]! }),
        return: () => Promise.reject(new Error('a fault of the source'))
      })
    }
    const leave = async () => {
      for await (const { record } of harness.producer.putAll(source)) return record
      return undefined
    }

    const first = await harness.settle(leave())
    await harness.pass(5000)

    expect(first).toEqual(RECORDS[0])
    expect(warnings).toEqual([['KPL_WARN_CALLBACK_THREW', 'the source of putAll threw: Error: a fault of the source']])
  })

  describe('reads its source no further than 10,000 outcomes ahead of a slow reader', () => {
    const MAX_UNREAD = 10_000
    /** And one that was read, or is next to be. */
    const AHEAD = MAX_UNREAD + 1

    /** A source of 12,000 records, and how many of them were read. */
    function counted() {
      const count = { read: 0 }
      function* source(): Generator<UserRecord> {
        while (count.read < 12_000) {
          count.read++
          yield RECORDS[0]!
        }
      }
      return { count, source: source() }
    }

    test('also when each record fills the buffer', async () => {
      const harness = new Harness({ bufferMaxRecords: 1, recordMaxBufferedTimeMs: 1, latencyMs: 1 })
      const { count, source } = counted()

      await harness.settle(harness.producer.putAll(source).next())
      await harness.pass(100_000)

      expect(count.read).toBe(AHEAD)
    })

    test('also when the producer is closed while its buffer is full', async () => {
      const harness = new Harness({ bufferMaxRecords: 1000, latencyMs: 1000 })
      const { count, source } = counted()
      void harness.producer.putAll(source).next()
      await harness.pass(100)

      const closed = harness.producer.close()
      await harness.pass(100)

      expect(count.read).toBe(AHEAD)
      await harness.settle(closed)
    })
  })

  test('of a list has an outcome for a record that throws when it is read, and for those behind it', async () => {
    const harness = new Harness()
    const list = [RECORDS[0], throwing(), RECORDS[1]] as UserRecord[]
    const outcomes: string[] = []

    const reading = async () => {
      for await (const { result, error } of harness.producer.putAll(list))
        outcomes.push(error?.code ?? result?.shardId ?? 'none')
    }
    await harness.settle(reading())

    expect(outcomes).toEqual(['shardId-000000000000', 'KPL_ERR_INVALID_RECORD', 'shardId-000000000000'])
  })

  test('of a list that a closed producer refuses lets the program go on in between', async () => {
    const harness = new Harness()
    await harness.settle(harness.producer.close())
    const codes = new Set<string | undefined>()
    let count = 0
    let countAtTurn: number | undefined
    setImmediate(() => {
      countAtTurn = count
    })

    const reading = async () => {
      for await (const { error } of harness.producer.putAll(new Array<UserRecord>(20_000).fill(RECORDS[0]!))) {
        codes.add(error?.code)
        count++
      }
    }
    await harness.settle(reading())

    expect([countAtTurn, count, [...codes]]).toEqual([5_000, 20_000, ['KPL_ERR_CLOSED']])
  })

  test('that was left closes a source that is silent, at once', async () => {
    const { harness, warnings } = world()
    const emitter = new EventEmitter()
    const events = on(emitter, 'record')
    const ended = { done: true as const, value: undefined }
    const next = async () => {
      const { done, value } = await events.next()
      return done === true ? ended : { done: false as const, value: value[0] as UserRecord }
    }
    const source = { [Symbol.asyncIterator]: () => ({ next, return: () => events.return!().then(() => ended) }) }
    const leave = async () => {
      for await (const { record } of harness.producer.putAll(source)) return record
      return undefined
    }
    const leaving = leave()
    emitter.emit('record', RECORDS[0])
    await harness.pass(0)

    const left = await harness.settle(leaving)
    await harness.pass(0)

    expect([left, emitter.listenerCount('record'), warnings]).toEqual([RECORDS[0], 0, []])
  })

  test.each([
    ['ended', async () => ({ done: true as const, value: undefined })],
    ['threw', () => Promise.reject(new Error('a fault of the source'))]
  ])('does not close a source that %s by itself', async (_, next) => {
    const { harness } = world()
    const closed = vi.fn(async () => ({ done: true as const, value: undefined }))
    const source = { [Symbol.asyncIterator]: () => ({ next, return: closed }) }

    await harness.settle(harness.producer.putAll(source).next()).catch(() => {})
    await harness.pass(5000)

    expect(closed.mock.calls).toEqual([])
  })
})
