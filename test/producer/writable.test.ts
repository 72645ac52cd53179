import { Readable, type Writable } from 'node:stream'
import { finished, pipeline } from 'node:stream/promises'
import { describe, expect, test } from 'vitest'
import { OptionsError, type ProducerError, type UserRecord } from '../../src/index.ts'
import type { WritableOptions } from '../../src/producer/writable.ts'
import { Harness, type HarnessOptions, microtasks } from '../support/harness.ts'

const GOOD = { partitionKey: 'k', data: 'x' }
const BAD = { partitionKey: '', data: 'x' }
/** Without a stream, every record that is taken fails within a second. */
const NO_STREAM = { shardCount: 0 }
const USER_FAULT = new Error('a fault of the user')

/** A writable on virtual time, how it ended, and the warnings there were. */
class World {
  readonly harness: Harness
  readonly warnings: unknown[] = []
  readonly stream: Writable
  readonly ended: Promise<unknown>

  constructor(writable: WritableOptions, options: HarnessOptions = {}) {
    const warn = (message: string, fields?: Readonly<Record<string, unknown>>) => {
      if (fields?.['code'] === 'KPL_WARN_CALLBACK_THREW') this.warnings.push(message)
    }
    this.harness = new Harness({ ...options, logger: { debug() {}, info() {}, error() {}, warn } })
    this.stream = this.harness.producer.writable(writable)
    this.ended = finished(this.stream).then(
      () => 'finished',
      (error: unknown) => error
    )
  }

  /** Writes the records, ends, and answers how the stream ended. */
  async play(...records: readonly UserRecord[]): Promise<unknown> {
    for (const record of records) this.stream.write(record)
    this.stream.end()
    await this.harness.pass(5000)
    return Promise.race([this.ended, microtasks().then(() => 'hangs')])
  }

  get buffered(): number {
    return this.harness.producer.stats().bufferedRecords
  }
}

test.each<[string, (thrown: unknown) => unknown]>([
  [
    'throws',
    thrown => {
      throw thrown
    }
  ],
  ['rejects with', thrown => Promise.reject(thrown)]
])('a writable ends with an error when its onFailure %s a value that cannot be read', async (_, fail) => {
  const { proxy, revoke } = Proxy.revocable({}, {})
  revoke()
  const world = new World({ onFailure: () => fail(proxy) }, NO_STREAM)

  const end = await world.play(GOOD)

  expect([String(end), world.buffered]).toEqual(['Error: an error without a text', 0])
})

describe('a writable whose onFailure throws', () => {
  test.each<[string, () => unknown]>([
    [
      'throws',
      () => {
        throw USER_FAULT
      }
    ],
    ['rejects', () => Promise.reject(USER_FAULT)],
    [
      'returns a thenable that throws',
      () =>
        Object.defineProperty({}, 'then', {
          get() {
            throw USER_FAULT
          }
        })
    ]
  ])('is destroyed with the error when it %s, and holds nothing', async (_, onFailure) => {
    const world = new World({ onFailure }, NO_STREAM)

    const end = await world.play(GOOD)

    expect([end, world.buffered, world.warnings]).toEqual([USER_FAULT, 0, []])
  })

  test.each([undefined, null, 'text', { toString: null }])('is destroyed with an Error also for %j', async thrown => {
    const world = new World(
      {
        onFailure: () => {
          throw thrown
        }
      },
      NO_STREAM
    )

    const end = await world.play(GOOD)

    expect(end).toBeInstanceOf(Error)
    expect((end as Error).cause).toBe(thrown)
  })

  test('is destroyed with the first error, tells the later ones as warnings, and calls for every record', async () => {
    let calls = 0
    const onFailure = () => {
      throw new Error(`fault ${++calls}`)
    }
    const world = new World({ onFailure }, NO_STREAM)

    const end = await world.play(GOOD, GOOD, GOOD)

    expect(end).toEqual(new Error('fault 1'))
    expect(world.warnings).toEqual([2, 3].map(call => `onFailure of a writable threw: Error: fault ${call}`))
    expect([calls, world.buffered]).toEqual([3, 0])
  })

  test('at the door is destroyed with the error', async () => {
    const world = new World({
      onFailure: () => {
        throw USER_FAULT
      }
    })

    const end = await world.play(BAD, GOOD)

    expect([end, world.harness.stored()]).toEqual([USER_FAULT, []])
  })
})

describe('a writable with onFailure', () => {
  test('goes on behind a record that was refused, and tells which', async () => {
    const told: unknown[] = []
    const onFailure = (error: ProducerError, record: UserRecord) => told.push([error.code, record])
    const large = { partitionKey: 'k', data: 'x'.repeat(2_000_000) }
    const world = new World({ onFailure })

    const end = await world.play({ ...GOOD, data: 'a' }, BAD, large, { ...GOOD, data: 'b' })

    expect(end).toBe('finished')
    expect(told).toEqual([
      ['KPL_ERR_INVALID_RECORD', BAD],
      ['KPL_ERR_RECORD_TOO_LARGE', large]
    ])
    expect(world.harness.stored().map(({ data }) => data)).toEqual(['a', 'b'])
  })

  test('lets a pipeline end although every record of it was refused', async () => {
    const told: string[] = []
    const { harness } = new World({})
    const sink = harness.producer.writable({ onFailure: error => told.push(error.code) })

    await harness.settle(pipeline(Readable.from([BAD, BAD]), sink))

    expect(told).toEqual(['KPL_ERR_INVALID_RECORD', 'KPL_ERR_INVALID_RECORD'])
  })

  test('ends when the promises of onFailure are settled', async () => {
    let release = () => {}
    const onFailure = () =>
      new Promise<void>(resolve => {
        release = resolve
      })
    const world = new World({ onFailure }, NO_STREAM)

    const before = await world.play(GOOD)
    release()
    const after = await world.play()

    expect([before, after]).toEqual(['hangs', 'finished'])
  })

  test('takes no further record while 1,000 promises of onFailure are open', async () => {
    const releases: (() => void)[] = []
    const onFailure = () => new Promise<void>(resolve => releases.push(resolve))
    const world = new World({ onFailure })

    const before = await world.play(...Array.from({ length: 1500 }, () => BAD))
    const openCount = releases.length
    for (const release of releases) release()
    await microtasks()
    for (const release of releases) release()
    const after = await world.play()

    expect([before, openCount, after, releases.length]).toEqual(['hangs', 1000, 'finished', 1500])
  })

  test('ends with KPL_ERR_CLOSED when the producer was closed, which is no failure of a record', async () => {
    const told: string[] = []
    const world = new World({ onFailure: error => told.push(error.code) })
    world.stream.write(BAD)
    await world.harness.settle(world.harness.producer.close())

    const end = await world.play(GOOD)

    expect([(end as ProducerError).code, told]).toEqual(['KPL_ERR_CLOSED', ['KPL_ERR_INVALID_RECORD']])
  })

  test('that is destroyed puts nothing any more, and tells the write that waited for room', async () => {
    const world = new World({ onFailure: () => {} }, { bufferMaxRecords: 1 })
    const written: unknown[] = []
    const callback = (name: string) => (error?: Error | null) => written.push([name, (error as ProducerError)?.code])
    world.stream.write({ ...GOOD, data: 'taken' }, callback('taken'))
    world.stream.write({ ...GOOD, data: 'waits' }, callback('waits'))

    world.stream.destroy()
    await world.harness.pass(5000)

    expect(world.harness.stored().map(({ data }) => data)).toEqual(['taken'])
    expect(written).toContainEqual(['waits', 'KPL_ERR_CLOSED'])
  })
})

test('refuses an onFailure that cannot be called', () => {
  const { producer } = new Harness()

  const make = () => producer.writable({ onFailure: 'log' as never })

  expect(make).toThrow(new OptionsError(['onFailure must be a function, got string']))
})
