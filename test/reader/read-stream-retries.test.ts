/** Who learns that a reader's calls fail, that waits end when they are told to, and which arguments are refused. */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { OptionsError } from '../../src/model/errors.ts'
import type { Clock } from '../../src/model/ports.ts'
import { type ReadRetry, type ReadStreamOptions, readStream, type StreamReader } from '../../src/reader/read-stream.ts'
import { collect, put, SHARDS, serviceError, setUp } from './fixture.ts'

const warnings: unknown[] = []
beforeEach(() => {
  warnings.length = 0
  vi.spyOn(process, 'emitWarning').mockImplementation(((message: unknown, options: { code?: string }) => {
    warnings.push([Object(options).code, message])
  }) as typeof process.emitWarning)
})
afterEach(() => vi.restoreAllMocks())

const refused = () => Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:1'), { name: 'ECONNREFUSED' })
const told = ({ error, ...rest }: ReadRetry) => ({ ...rest, error: (error as Error).name })

describe('an endpoint that nobody listens at', () => {
  test('is told to onRetry ten times within 16 to 32 seconds, and is then an error', async () => {
    const { read, overrides, time } = setUp()
    const startMs = time.nowMs()
    const retries: ReadRetry[] = []
    overrides.of = () => ({ answer: Promise.reject(refused()) })

    const reading = collect(read({ onRetry: retry => retries.push(retry) }))

    await expect(reading).rejects.toMatchObject({ code: 'KPL_ERR_READ_FAILED' })
    const common = { operation: 'ListShards', shardId: undefined, error: 'ECONNREFUSED' }
    const pauses = [200, 400, 800, 1600, 3200, 5000, 5000, 5000, 5000, 5000]
    expect(retries.map(told)).toEqual(pauses.map((pauseMs, i) => ({ ...common, failureCount: i + 1, pauseMs })))
    expect([time.nowMs() - startMs, warnings]).toEqual([31_200, []])
  })

  test('is a process warning without onRetry, once', async () => {
    const { read, overrides } = setUp()
    overrides.of = () => ({ answer: Promise.reject(refused()) })

    const reading = collect(read({ onRetry: undefined }))

    await expect(reading).rejects.toMatchObject({ code: 'KPL_ERR_READ_FAILED' })
    const fact =
      'stream orders: ListShards failed 3 times in a row, the last time with ECONNREFUSED: connect ECONNREFUSED 127.0.0.1:1'
    const end = 'the reader repeats it, ten times in all (the option onRetry gets each failure)'
    expect(warnings).toEqual([['KPL_WARN_READ_RETRY', `${fact}; ${end}`]])
  })
})

describe('a shard whose reads fail', () => {
  const failures = (count: number) => Array.from({ length: count }, () => serviceError('InternalFailure', 500))

  test('is told by its id, and warned of once a spell', async () => {
    const { kinesis, read, faults } = setUp()
    put(kinesis, '1')
    const retries: ReadRetry[] = []
    faults.push(...failures(4))

    const seen = [await collect(read({ onRetry: retry => retries.push(retry) }))]
    faults.push(...failures(4))
    seen.push(await collect(read({ onRetry: undefined })))

    expect(seen).toEqual([['0 a=1'], ['0 a=1']])
    expect(retries.map(({ shardId, operation }) => [shardId, operation])).toEqual(
      Array.from({ length: 4 }, () => [SHARDS[0], 'GetRecords'])
    )
    expect(warnings.map(warning => (warning as string[])[0])).toEqual(['KPL_WARN_READ_RETRY'])
  })

  test('is warned of again when it was calm in between, and not for one or two failures', async () => {
    const { kinesis, read, faults } = setUp()
    put(kinesis, '1')
    const signal = new AbortController()
    const reader = read({ onRetry: undefined, follow: true, signal: signal.signal })
    faults.push(...failures(3))

    for await (const { data } of reader) {
      const text = Buffer.from(data).toString()
      if (text === '3') break
      faults.push(...failures(text === '1' ? 2 : 3))
      put(kinesis, String(Number(text) + 1))
    }

    expect(warnings.length).toBe(2)
  })

  test.each<[string, () => unknown]>([
    [
      'throws',
      () => {
        throw new Error('a fault of the user')
      }
    ],
    ['rejects', () => Promise.reject(new Error('a fault of the user'))]
  ])('is read on when onRetry %s', async (_, onRetry) => {
    const { kinesis, read, faults } = setUp()
    put(kinesis, '1')
    faults.push(...failures(1))

    const seen = await collect(read({ onRetry }))

    expect(seen).toEqual(['0 a=1'])
    expect(warnings).toEqual([['KPL_WARN_CALLBACK_THREW', 'onRetry threw: Error: a fault of the user']])
  })
})

test('a next() that waits ends when return or throw is called, while a call hangs and while nothing new comes', async () => {
  const hangs = setUp()
  hangs.overrides.of = () => ({ answer: new Promise(() => {}) })
  const idle = setUp()
  // A clock that stands still: what does not end by itself never ends.
  const start = () => [hangs.read({ clock: hangs.time }), idle.read({ follow: true, clock: idle.time })]
  const end = async (reader: StreamReader, how: 'return' | 'throw') => {
    const records = reader[Symbol.asyncIterator]() as AsyncGenerator<unknown>
    const waiting = records.next()
    await new Promise(resolve => setImmediate(resolve))
    const ended = await records[how](new Error('enough')).catch((error: Error) => error.message)
    return [await waiting, ended]
  }

  const outcomes = await Promise.all([
    ...start().map(reader => end(reader, 'throw')),
    ...start().map(reader => end(reader, 'return'))
  ])

  const done = { done: true, value: undefined }
  const thrown = [done, 'enough']
  const returned = [done, { done: true, value: undefined }]
  expect(outcomes).toEqual([thrown, thrown, returned, returned])
})

test('two iterations at once do not share the records: the second is an error', async () => {
  const { kinesis, read } = setUp()
  for (const text of ['1', '2', '3']) put(kinesis, text)
  const reader = read()

  const outcomes = await Promise.allSettled([collect(reader), collect(reader)])

  const message = 'stream orders: a reader is iterated once; make another one, from position() of this one'
  const reason = expect.objectContaining({
    name: 'StreamReadError',
    code: 'KPL_ERR_READER_USED',
    retryable: false,
    message
  })
  expect(outcomes).toEqual([
    { status: 'fulfilled', value: ['0 a=1', '0 a=2', '0 a=3'] },
    { status: 'rejected', reason }
  ])
})

describe('what a user gives that breaks its promise', () => {
  test.each<[string, Clock]>([
    [
      'nowMs() must return a number of milliseconds',
      { nowMs: () => Number.NaN, schedule: () => ({ cancel: () => {} }) }
    ],
    ['schedule() must return a timer, an object with cancel()', { nowMs: () => 0, schedule: () => 5 as never }],
    ['schedule() must return a timer, an object with cancel()', { nowMs: () => 0, schedule: () => undefined as never }]
  ])('fails the reading by name: clock.%s', async (fault, clock) => {
    const { read } = setUp()

    const reading = collect(read({ clock }))

    await expect(reading).rejects.toMatchObject({ code: 'KPL_ERR_INVALID_OPTIONS', faults: [`clock.${fault}`] })
  })

  test.each([Number.NaN, -5, 7, Number.POSITIVE_INFINITY, undefined])(
    'does not stretch pauses: random() is %j',
    async number => {
      const { read, overrides, time } = setUp()
      const startMs = time.nowMs()
      overrides.of = () => ({ answer: Promise.reject(refused()) })

      const reading = collect(read({ random: () => number as number }))

      await expect(reading).rejects.toMatchObject({ code: 'KPL_ERR_READ_FAILED' })
      expect(time.nowMs() - startMs).toBe(15_600)
    }
  )
})

test.each<[unknown, string]>([
  [{ folow: false }, 'folow is not an option, did you mean follow?'],
  [{ follow: 'no' }, 'follow must be true or false, got string'],
  [{ signal: {} }, 'signal must be an AbortSignal, got object'],
  [{ signal: new AbortController() }, 'signal must be an AbortSignal, got object'],
  [{ clock: Date }, 'clock must be an object with nowMs() and schedule(), got function'],
  [{ random: 0.5 }, 'random must be a function, got 0.5'],
  [{ onRetry: console }, 'onRetry must be a function, got object'],
  [{ onCorrupt: 'throws' }, "onCorrupt must be 'plain', 'throw' or 'skip', got string"],
  [{ outOfRange: true }, "outOfRange must be 'filter', 'kcl' or 'keep', got boolean"],
  [{ copy: 1 }, 'copy must be true or false, got 1'],
  [{ maxRecordsPerRead: 1.5 }, 'maxRecordsPerRead must be a whole number from 1 to 10000, got 1.5'],
  [{ limit: 100 }, 'limit is not an option, there are '],
  [{ from: { timestampMs: 9e15 } }, 'timestampMs must be whole milliseconds since the epoch, at most 999999999999999'],
  [{ from: { timestampMs: 5, shards: {} } }, 'a position, got two at once'],
  [5, 'options must be an object, got number'],
  [null, 'options must be an object, got null']
])('%j is refused at the call, by name', (options, fault) => {
  let thrown: unknown
  try {
    readStream(setUp().client, 'orders', options as ReadStreamOptions)
  } catch (error) {
    thrown = error
  }

  const { code, faults } = Object(thrown) as OptionsError
  expect([code, faults.length]).toEqual(['KPL_ERR_INVALID_OPTIONS', 1])
  expect(faults[0]).toContain(fault)
})
