import { expect, test } from 'vitest'
import type { KinesisProducer, UserRecord } from '../../src/index.ts'
import { Harness } from '../support/harness.ts'

const SMALL_BUFFER = { bufferMaxRecords: 16, recordMaxBufferedTimeMs: 20 }

test('has one outcome for each record, in order, refused ones included', async () => {
  const harness = await new Harness().warm()
  const list = [record('a'), { partitionKey: '', data: 'x' }, record('b')]

  const { results, failedCount } = await harness.settle(harness.producer.putMany(list))

  expect(failedCount).toBe(1)
  expect(results.map(({ result, error }) => result?.shardId ?? error?.code)).toEqual([
    'shardId-000000000000',
    'KPL_ERR_INVALID_RECORD',
    'shardId-000000000000'
  ])
  expect(harness.stored().map(({ data }) => data)).toEqual(['warm', 'a', 'b'])
})

test('of an empty list is over at once', async () => {
  const harness = await new Harness().warm()

  expect(await harness.producer.putMany([])).toEqual({ results: [], failedCount: 0 })
})

test('takes a list that is larger than the buffer, as room comes', async () => {
  const harness = await new Harness(SMALL_BUFFER).warm()
  const list = Array.from({ length: 100 }, (_, i) => record(`${i}`))

  const many = harness.producer.putMany(list)
  const atOnce = harness.producer.stats().bufferedRecords
  const { results, failedCount } = await harness.settle(many)

  expect([atOnce, failedCount, results.length]).toEqual([16, 0, 100])
  expect(harness.stored().map(({ data }) => data)).toEqual(['warm', ...list.map(({ data }) => data)])
})

test('tells of each record that fails, and goes on', async () => {
  const harness = await new Harness({ failIfThrottled: true, aggregationEnabled: false }).warm()
  const records = { everyNth: 2 } as const
  harness.faults.add({
    match: { operation: 'PutRecords' },
    action: { kind: 'failRecords', errorCode: 'ProvisionedThroughputExceededException', records }
  })

  const { results, failedCount } = await harness.settle(harness.producer.putMany(['a', 'b', 'c', 'd'].map(record)))

  expect(failedCount).toBe(2)
  expect(results.map(({ error }) => error?.code)).toEqual([
    'KPL_ERR_THROTTLED',
    undefined,
    'KPL_ERR_THROTTLED',
    undefined
  ])
})

test('gives up what was not taken when the signal fires, and settles the rest', async () => {
  const harness = await new Harness(SMALL_BUFFER).warm()
  const controller = new AbortController()

  const many = harness.producer.putMany(
    Array.from({ length: 20 }, (_, i) => record(`${i}`)),
    controller
  )
  controller.abort(new Error('enough'))
  const { results, failedCount } = await harness.settle(many)

  expect(failedCount).toBe(4)
  expect(results.slice(15, 17).map(({ result, error }) => [result === undefined, error?.code, error?.message])).toEqual(
    [
      [false, undefined, undefined],
      [true, 'KPL_ERR_ABORTED', 'the signal fired before the record was taken: Error: enough']
    ]
  )
  expect(harness.stored().length).toBe(17)
})

test('takes nothing when the signal has fired before', async () => {
  const harness = await new Harness().warm()

  const { failedCount } = await harness.producer.putMany([record('a')], { signal: AbortSignal.abort() })

  expect([failedCount, harness.producer.stats().bufferedRecords]).toEqual([1, 0])
})

test("with whenFull 'reject' takes all of a list or nothing", async () => {
  const harness = await new Harness(SMALL_BUFFER).warm()
  const list = (count: number) => Array.from({ length: count }, (_, i) => record(`${i}`))

  const tooMany = await harness.producer.putMany(list(17), { whenFull: 'reject' }).catch((error: unknown) => error)
  const taken = harness.producer.stats().bufferedRecords
  const fitting = await harness.settle(harness.producer.putMany(list(16), { whenFull: 'reject' }))

  expect([(tooMany as { code: string }).code, taken, fitting.failedCount]).toEqual(['KPL_ERR_BUFFER_FULL', 0, 0])
})

test('tells of a producer that was closed while the list waited for room', async () => {
  const harness = await new Harness(SMALL_BUFFER).warm()

  const many = harness.producer.putMany(Array.from({ length: 18 }, (_, i) => record(`${i}`)))
  const closing = harness.producer.close()
  const { results, failedCount } = await harness.settle(many)
  await harness.settle(closing)

  expect([failedCount, results.at(-1)?.error?.code]).toEqual([2, 'KPL_ERR_CLOSED'])
})

test.each<[unknown, unknown, string]>([
  [record('a'), undefined, 'records must be an array of user records, got Object; putAll takes any iterable'],
  [new Set([record('a')]), undefined, 'records must be an array of user records, got Set; putAll takes any iterable'],
  [undefined, undefined, 'records must be an array of user records, got undefined; putAll takes any iterable'],
  [[], { whenFull: 'drop' }, "whenFull must be 'wait' or 'reject', got string"],
  [[], { signal: {} }, 'signal must be an AbortSignal, got Object'],
  [[], { timeoutMs: 1 }, 'Invalid options: putMany takes { signal, whenFull }; timeoutMs is not a field']
])('%o with %o is refused by name', async (records, options, message) => {
  const { producer } = await new Harness().warm()
  const loose = producer as unknown as { putMany(...values: unknown[]): ReturnType<KinesisProducer['putMany']> }

  await expect(loose.putMany(records, options)).rejects.toThrow(message)
})

test('a record that fires the signal of its list while it is read goes, and those after it do not', async () => {
  const harness = await new Harness().warm()
  const aborter = new AbortController()
  const firing = {
    partitionKey: 'k',
    get data() {
      aborter.abort()
      return 'firing'
    }
  }

  const many = harness.producer.putMany([record('a'), firing, record('b')], { signal: aborter.signal })
  const { results, failedCount } = await harness.settle(many)
  await harness.pass(2_000)

  expect([results.map(({ error }) => error?.code), failedCount]).toEqual([[undefined, undefined, 'KPL_ERR_ABORTED'], 1])
})

test('a list that throws when it is read has a typed outcome there', async () => {
  const harness = await new Harness().warm()
  const list = Object.defineProperty([record('a'), record('b')], 0, {
    get() {
      throw new Error('not there')
    }
  })

  const { results } = await harness.settle(harness.producer.putMany(list))

  expect(results.map(({ error }) => error?.message)).toEqual([
    'records must be a readable list, but reading its element 0 threw',
    undefined
  ])
})

function record(data: string): UserRecord {
  return { partitionKey: 'k', data }
}
