/** Records that are taken back: what an AbortSignal given with `put` does at every place a record can be. */
import { describe, expect, test } from 'vitest'
import type { RecordFailedError } from '../../src/model/errors.ts'
import { Harness, type HarnessOptions, STREAM } from '../support/harness.ts'

const START_MS = 1_000_000

function open(options: HarnessOptions = {}) {
  const harness = new Harness(options)
  const controller = new AbortController()
  const outcome: { error?: RecordFailedError; shardId?: string } = {}
  const put = (data: string) =>
    harness.producer.put({ partitionKey: 'k', data }, { signal: controller.signal }).then(
      ({ shardId }) => {
        outcome.shardId = shardId
      },
      (error: unknown) => {
        outcome.error = error as RecordFailedError
      }
    )
  return { harness, controller, outcome, put }
}

describe('a record taken back', () => {
  test('before it is put is not taken: the reason of the signal is the error', async () => {
    const { harness, controller, outcome, put } = open()
    controller.abort('why')

    await put('x')

    expect([outcome.error, harness.producer.stats().bufferedRecords]).toEqual(['why', 0])
  })

  test('while it is buffered is in no shard, and its siblings are delivered', async () => {
    const { harness, controller, outcome, put } = open()
    const first = harness.put('k', 'first')
    void put('taken back')
    const last = harness.put('k', 'last')

    controller.abort()
    await harness.settle(harness.producer.flush())

    expect([outcome.error?.code, outcome.error?.persisted]).toEqual(['KPL_ERR_ABORTED', 'no'])
    expect(harness.stored().map(record => record.data)).toEqual(['first', 'last'])
    expect([first, last].map(slot => slot.settled?.result?.subSequenceNumber)).toEqual([0, 1])
  })

  test('after it was acknowledged stays acknowledged', async () => {
    const { harness, controller, outcome, put } = open()
    void put('x')
    await harness.settle(harness.producer.flush())

    controller.abort()
    await harness.pass(1000)

    expect([outcome.shardId, outcome.error]).toEqual(['shardId-000000000000', undefined])
  })

  test('gives up its room in the buffer once its Kinesis record is done', async () => {
    const { harness, controller, put } = open()
    for (let i = 0; i < 10; i++) void put(`${i}`)

    controller.abort()
    await harness.settle(harness.producer.close())

    const { bufferedBytes, bufferedRecords, inFlightRequests } = harness.producer.stats()
    expect({ bufferedBytes, bufferedRecords, inFlightRequests }).toEqual({
      bufferedBytes: 0,
      bufferedRecords: 0,
      inFlightRequests: 0
    })
  })

  test('lets a flush that waits for nothing else end', async () => {
    const { harness, controller, put } = open({ recordTtlMs: Number.POSITIVE_INFINITY })
    harness.faults.add({ match: { operation: 'PutRecords' }, action: { kind: 'throttle' } })
    void put('x')
    const flushing = harness.producer.flush()
    await harness.pass(1000)

    controller.abort()
    await harness.settle(flushing, 1)

    expect(harness.clock.nowMs()).toBe(START_MS + 1000)
  })

  test('between two attempts, the first of which lost its answer, may be stored, and says what was tried', async () => {
    const { harness, controller, outcome, put } = open({ retryBaseMs: 60_000, retryCapMs: 60_000 })
    harness.faults.add({ match: { operation: 'PutRecords' }, action: { kind: 'reset', isApplied: true }, times: 1 })
    void put('x')
    await harness.pass(200)

    controller.abort()
    await harness.pass(1)

    expect(harness.stored().map(record => record.data)).toEqual(['x'])
    expect([outcome.error?.persisted, outcome.error?.attempts.map(attempt => attempt.errorCode)]).toEqual([
      'maybe',
      ['ECONNRESET']
    ])
  })

  test('by the callback of a sibling in the same aggregate is acknowledged, for it is stored', async () => {
    const { harness, controller, outcome, put } = open()
    harness.producer.tryPut({ partitionKey: 'k', data: 'first' }, () => controller.abort())
    void put('second')

    await harness.settle(harness.producer.flush())

    expect(harness.stored().map(record => record.data)).toEqual(['first', 'second'])
    expect([outcome.shardId, outcome.error]).toEqual(['shardId-000000000000', undefined])
    expect([harness.producer.stats().delivered, harness.producer.stats().failed]).toEqual([2, 0])
  })

  test('counts as failed once, not as expired, and is not pending for ever', async () => {
    const { harness, controller, put } = open()
    harness.put('k', 'sibling')
    void put('x')

    controller.abort()
    await harness.settle(harness.producer.close())

    const { delivered, failed, streams } = harness.producer.stats()
    const { userRecordsReceived, userRecordsPending, userRecordsFailed, userRecordExpired } = streams[STREAM]!
    expect({
      delivered,
      failed,
      userRecordsReceived,
      userRecordsPending,
      userRecordsFailed,
      userRecordExpired
    }).toEqual({
      delivered: 1,
      failed: 1,
      userRecordsReceived: 2,
      userRecordsPending: 0,
      userRecordsFailed: 1,
      userRecordExpired: 0
    })
  })

  test('in flight counts as failed once and not as delivered', async () => {
    const { harness, controller, put } = open()
    void put('x')
    await harness.pass(33)

    controller.abort()
    await harness.settle(harness.producer.close())

    const { delivered, failed, streams } = harness.producer.stats()
    const { userRecordsPending, userRecordsFailed } = streams[STREAM]!
    expect({ delivered, failed, userRecordsPending, userRecordsFailed }).toEqual({
      delivered: 0,
      failed: 1,
      userRecordsPending: 0,
      userRecordsFailed: 1
    })
  })
})

test('one signal may serve any number of records, and keeps no listener of those that have settled', async () => {
  const { harness, controller, put } = open()
  const added: string[] = []
  const { signal } = controller
  const count = { now: 0 }
  const [add, remove] = [signal.addEventListener.bind(signal), signal.removeEventListener.bind(signal)]
  signal.addEventListener = (...args: Parameters<typeof add>) => {
    count.now++
    added.push(args[0])
    add(...args)
  }
  signal.removeEventListener = (...args: Parameters<typeof remove>) => {
    count.now--
    remove(...args)
  }
  const warnings: string[] = []
  const onWarning = ({ name }: Error) => warnings.push(name)
  process.on('warning', onWarning)

  for (let i = 0; i < 50; i++) void put(`${i}`)
  await harness.settle(harness.producer.flush())
  await harness.pass(1)
  process.off('warning', onWarning)

  expect([count.now, warnings]).toEqual([0, []])
})
