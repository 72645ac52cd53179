/** What happens to records when something inside the producer throws, as a user sees it. */
import { afterEach, describe, expect, test, vi } from 'vitest'
import { Collector } from '../../src/core/collector.ts'
import { Repack } from '../../src/core/repack.ts'
import { ShardMap } from '../../src/core/shard-map.ts'
import { Limiter } from '../../src/lanes/limiter.ts'
import { RecordFailedError } from '../../src/model/errors.ts'
import { EnvelopeWriter } from '../../src/wire/encode.ts'
import { Harness, type HarnessOptions, STREAM } from '../support/harness.ts'
import { SILENT } from '../support/silent.ts'

const FAULT = new Error('a fault of ours')

afterEach(() => {
  vi.restoreAllMocks()
})

describe('records that were held by what threw', () => {
  test.each<[string, () => void]>([
    ['while an envelope is sealed', () => throwOnce(EnvelopeWriter.prototype, 'seal')],
    ['while a batch is collected', () => throwOnce(Collector.prototype, 'take')],
    ['while an answer is acted upon', () => throwOnce(Limiter.prototype, 'learn')]
  ])('fail with it %s, and the next records are delivered', async (_, breakSomething) => {
    const harness = await new Harness(OPTIONS).warm()
    breakSomething()

    const failed = [harness.put('a', '1'), harness.put('b', '2')]
    await harness.pass(2000)
    const next = harness.put('c', '3')
    await harness.pass(2000)

    expect(failed.map(({ settled }) => settled?.error)).toEqual([anInternalFault(), anInternalFault()])
    expect(failed.map(({ settled }) => settled?.error?.cause)).toEqual([FAULT, FAULT])
    expect(next.settled?.error).toBe(undefined)
    expect(bufferOf(harness)).toEqual({ bufferedRecords: 0, bufferedBytes: 0, inFlightRequests: 0 })
  })

  test('may be stored if they were out', async () => {
    const harness = await new Harness(OPTIONS).warm()
    throwOnce(Limiter.prototype, 'learn')

    const put = harness.put('a', '1')
    await harness.pass(2000)

    expect(put.settled?.error?.persisted).toBe('maybe')
    expect(harness.stored().map(({ data }) => data)).toEqual(['warm', '1'])
  })

  test('may be stored if their answer is held while deciding about another one throws', async () => {
    const harness = await new Harness({ shardCount: 2 }).warm()
    for (const [i, part] of [1n, 3n].entries()) {
      const ShardToSplit = `shardId-00000000000${i}`
      harness.kinesis.splitShard({ StreamName: STREAM, ShardToSplit, NewStartingHashKey: `${part << 126n}` })
    }
    vi.spyOn(Repack.prototype, 'takeApart').mockImplementation(() => {
      throw FAULT
    })

    const puts = [0n, 1n, 2n, 3n].map(part => harness.put('k', `${part}`, part << 126n))
    await harness.pass(5000)

    expect(puts.map(({ settled }) => [settled?.error?.code, settled?.error?.persisted])).toEqual(
      Array(4).fill(['KPL_ERR_INTERNAL', 'maybe'])
    )
  })

  test('of other streams do not notice', async () => {
    const harness = await new Harness(OPTIONS).warm()
    harness.kinesis.createStream({ StreamName: 'other', ShardCount: 1 })
    const other = harness.producer.put({ partitionKey: 'k', data: 'x', streamName: 'other' })
    throwOnce(EnvelopeWriter.prototype, 'addWithin')

    const put = harness.producer.put({ partitionKey: 'a', data: '1' })

    await expect(put).rejects.toMatchObject({ code: 'KPL_ERR_INTERNAL', persisted: 'no', cause: FAULT })
    await expect(harness.settle(other)).resolves.toMatchObject({ shardId: 'shardId-000000000000' })
  })

  test('are waited for by flush and close, which end', async () => {
    const harness = await new Harness(OPTIONS).warm()
    harness.put('a', '1')
    throwOnce(EnvelopeWriter.prototype, 'seal')

    await harness.settle(harness.producer.flush())
    const closed = await harness.settle(harness.producer.close())

    expect(closed).toEqual({ delivered: 0, failed: 0 })
    expect(harness.producer.stats()).toMatchObject({ delivered: 1, failed: 1 })
  })
})

test('a put that takes nothing because something inside threw says so, and leaves the buffer as it was', async () => {
  const harness = await new Harness(OPTIONS).warm()
  throwOnce(EnvelopeWriter.prototype, 'addWithin')

  const thrown = await harness.producer.put({ partitionKey: 'a', data: '1' }).catch((error: unknown) => error)

  expect(thrown).toBeInstanceOf(RecordFailedError)
  expect(thrown).toMatchObject({ code: 'KPL_ERR_INTERNAL', persisted: 'no', attempts: [], cause: FAULT })
  expect(bufferOf(harness)).toEqual({ bufferedRecords: 0, bufferedBytes: 0, inFlightRequests: 0 })
})

test('a listing that makes something inside throw is told, and the next one is taken', async () => {
  const codes: unknown[] = []
  const logger = { ...SILENT, warn: (_: string, fields?: object) => codes.push(Object(fields).code) }
  const harness = new Harness({ ...OPTIONS, logger })
  throwOnce(ShardMap.prototype, 'newestShardId', 'get')

  harness.put('a', '1')
  await harness.pass(3000)
  const put = harness.put('b', '2')
  await harness.pass(3000)

  expect(codes).toEqual(['KPL_WARN_INTERNAL'])
  expect(put.settled?.error).toBe(undefined)
  expect(harness.producer.stats().streams['orders']?.openShards).toBe(1)
})

test('a fault is told once, with its stream and how many records it cost', async () => {
  const warnings: unknown[] = []
  const logger = { ...SILENT, warn: (message: string, fields?: object) => warnings.push({ message, ...fields }) }
  const harness = await new Harness({ ...OPTIONS, logger }).warm()
  harness.put('a', '1')
  throwOnce(EnvelopeWriter.prototype, 'seal')

  await harness.pass(2000)

  expect(warnings).toEqual([
    {
      message: 'stream orders: a part of the producer threw: Error: a fault of ours; records that fail with it: 1',
      code: 'KPL_WARN_INTERNAL'
    }
  ])
})
const OPTIONS: HarnessOptions = { aggregationMaxCount: 2 }

function throwOnce<Target extends object>(target: Target, name: keyof Target, kind?: 'get'): void {
  const fail = (): never => {
    throw FAULT
  }
  if (kind === 'get') vi.spyOn(target as Record<string, unknown>, name as string, 'get').mockImplementationOnce(fail)
  else vi.spyOn(target as Record<string, () => unknown>, name as string).mockImplementationOnce(fail)
}

function anInternalFault(): object {
  return expect.objectContaining({
    code: 'KPL_ERR_INTERNAL',
    message: 'a part of the producer threw: Error: a fault of ours'
  }) as object
}

function bufferOf({ producer }: Harness): object {
  const { bufferedRecords, bufferedBytes, inFlightRequests } = producer.stats()
  return { bufferedRecords, bufferedBytes, inFlightRequests }
}
