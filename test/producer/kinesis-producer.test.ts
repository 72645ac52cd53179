import { describe, expect, test } from 'vitest'
import type { ProducerError, RecordFailedError } from '../../src/model/errors.ts'
import type { PutResult } from '../../src/model/results.ts'
import { Harness, microtasks, STREAM } from '../support/harness.ts'

const START_MS = 1_000_000
const SHARD = 'shardId-000000000000'
const LATENCY_MS = 5

describe('put', () => {
  test('resolves with shard, sequence number, place in the aggregate and the one attempt', async () => {
    const harness = await new Harness().warm()
    const startMs = harness.clock.nowMs() + 100
    const puts = ['a', 'b'].map(data => harness.producer.put({ partitionKey: 'k', data }))

    const results = await harness.settle(Promise.all(puts))

    const { sequenceNumber } = harness.stored().at(-1)!
    const attempts = [{ startMs, endMs: startMs + 2 * LATENCY_MS, shardId: SHARD, sequenceNumber }]
    expect(results).toEqual([
      { shardId: SHARD, sequenceNumber, subSequenceNumber: 0, attempts },
      { shardId: SHARD, sequenceNumber, subSequenceNumber: 1, attempts }
    ])
  })

  test('of a lone record has no place in an aggregate, and the record is stored under its own key', async () => {
    const harness = new Harness()

    const result = await harness.settle(harness.producer.put({ partitionKey: 'own', data: 'x' }))

    expect('subSequenceNumber' in result).toBe(false)
    expect(harness.kinesis.storedRecords(STREAM).map(record => record.partitionKey)).toEqual(['own'])
  })

  test('copies the data before it returns', async () => {
    const harness = new Harness()
    const data = Buffer.from('before')
    const put = harness.producer.put({ partitionKey: 'k', data })
    data.write('after!')

    await harness.settle(put)

    expect(harness.stored().map(record => record.data)).toEqual(['before'])
  })

  test('takes bytes of any view, strings, and nothing at all', async () => {
    const harness = new Harness()
    const view = new Uint8Array([1, 65, 66, 1]).subarray(1, 3)
    const puts = [view, Buffer.from('buffer'), 'é', '', new Uint8Array(0)].map(data =>
      harness.producer.put({ partitionKey: 'k', data })
    )

    await harness.settle(Promise.all(puts))

    expect(harness.stored().map(record => record.data)).toEqual(['AB', 'buffer', 'é', '', ''])
  })

  test('reads each field of a record once', async () => {
    const harness = new Harness()
    const reads: string[] = []
    const record = new Proxy(
      { partitionKey: 'k', data: 'x' },
      {
        get(target, name) {
          reads.push(String(name))
          return Reflect.get(target, name)
        }
      }
    )

    await harness.settle(harness.producer.put(record))

    expect(reads.sort()).toEqual(['data', 'explicitHashKey', 'partitionKey', 'schema', 'streamName'])
  })

  test('rejects instead of throwing, with an error that tells no payload', async () => {
    const harness = new Harness()
    const canary = 'canary'

    const errors = await Promise.all(
      [
        { partitionKey: '', data: canary },
        { partitionKey: `${canary}\ud800`, data: canary },
        { partitionKey: canary, data: { canary } },
        { partitionKey: canary, data: canary.repeat(200_000) },
        { partitionKey: canary, data: canary, explicitHashKey: canary },
        { partitionKey: canary, data: canary, streamName: `${canary} ${canary}` },
        null
      ].map(record => harness.producer.put(record as never).catch((error: unknown) => error as Error))
    )

    expect(errors.map(error => String((error as ProducerError).message).includes(canary))).toEqual(Array(7).fill(false))
    expect(harness.producer.stats().bufferedRecords).toBe(0)
  })
})

describe('tryPut', () => {
  test('gives its callback the context of the record, whatever became of it', async () => {
    const harness = await new Harness({ aggregationEnabled: false, failIfThrottled: true }).warm()
    const records = { everyNth: 2 } as const
    harness.faults.add({
      match: { operation: 'PutRecords' },
      action: { kind: 'failRecords', errorCode: 'ProvisionedThroughputExceededException', records }
    })
    const told: unknown[] = []
    const settle = (error: unknown, _: unknown, context: unknown) => told.push([error === undefined, context])

    for (const context of ['a', 2, null, undefined])
      harness.producer.tryPut({ partitionKey: 'k', data: 'x' }, settle, context)
    await harness.settle(harness.producer.flush())

    expect(told).toEqual([
      [false, 'a'],
      [true, 2],
      [false, null],
      [true, undefined]
    ])
  })

  test('never calls back before it returns, nor twice', async () => {
    const harness = new Harness({ recordMaxBufferedTimeMs: 0 })
    const calls: string[] = []
    harness.producer.tryPut({ partitionKey: 'k', data: 'x' }, () => calls.push('settled'))
    calls.push('returned')

    await harness.pass(60_000)

    expect(calls).toEqual(['returned', 'settled'])
  })

  test('works without a callback', async () => {
    const harness = new Harness()
    harness.producer.tryPut({ partitionKey: 'k', data: 'x' })

    await harness.settle(harness.producer.flush())

    expect(harness.stored().map(record => record.data)).toEqual(['x'])
  })
})

describe('ready', () => {
  test('resolves at once while there is room', async () => {
    const harness = new Harness()

    await harness.producer.ready()

    expect(harness.clock.nowMs()).toBe(START_MS)
  })

  test('wakes all waiters once an eighth of the buffer is free', async () => {
    const harness = new Harness({ bufferMaxRecords: 16, aggregationMaxCount: 1, collectionMaxCount: 1 })
    for (let i = 0; i < 16; i++) harness.put('k', `${i}`)
    const freeCounts: number[] = []
    const note = () => freeCounts.push(16 - harness.producer.stats().bufferedRecords)

    const both = Promise.all([harness.producer.ready().then(note), harness.producer.ready().then(note)])
    await harness.settle(both)

    expect(freeCounts.length).toBe(2)
    expect(Math.min(...freeCounts)).toBeGreaterThanOrEqual(2)
  })

  test('rejects for waiters when the producer closes, and for all after it', async () => {
    const harness = new Harness({ bufferMaxRecords: 1 })
    harness.put('k', 'x')
    const waiting = harness.producer.ready().catch((error: unknown) => error)

    const closing = harness.producer.close()
    const after = await harness.producer.ready().catch((error: unknown) => error)

    expect([await waiting, after].map(error => (error as ProducerError).code)).toEqual([
      'KPL_ERR_CLOSED',
      'KPL_ERR_CLOSED'
    ])
    await harness.settle(closing)
  })
})

describe('flush', () => {
  test('sends now what would wait for its buffering time', async () => {
    const harness = await new Harness({ recordMaxBufferedTimeMs: 10_000 }).warm()
    const startMs = harness.clock.nowMs()
    const slots = [harness.put('k', 'a'), harness.put('k', 'b')]

    await harness.settle(harness.producer.flush())

    expect(slots.map(slot => slot.settled?.atMs)).toEqual(Array(2).fill(startMs + 2 * LATENCY_MS))
  })

  test('of nothing resolves at once', async () => {
    const harness = new Harness()

    await harness.producer.flush()

    expect(harness.transport.stats()['PutRecords']).toBe(undefined)
  })

  test('is a snapshot: it ends although records keep coming', async () => {
    const harness = await new Harness({ recordMaxBufferedTimeMs: 60_000 }).warm()
    const before = harness.put('k', 'before')
    const flushing = harness.producer.flush()
    const later = harness.put('k', 'later')
    let putCount = 0
    const keepPutting = () => {
      harness.put('k', `load-${putCount++}`)
      if (putCount < 10_000) harness.clock.schedule(harness.clock.nowMs() + 1, keepPutting)
    }
    keepPutting()

    await harness.settle(flushing, 1000)

    expect([before.settled?.result?.shardId, later.settled, putCount < 100]).toEqual([SHARD, undefined, true])
  })

  test('resolves also when records fail', async () => {
    const harness = new Harness({ recordTtlMs: 500 })
    harness.faults.add({ match: { operation: 'PutRecords' }, action: { kind: 'throttle' } })
    const slot = harness.put('k', 'x')

    await harness.settle(harness.producer.flush(), 1000)

    expect(slot.settled?.error?.code).toBe('KPL_ERR_EXPIRED')
  })

  test('waits for whoever was put before, also by the callback of another', async () => {
    const harness = new Harness()
    const order: string[] = []
    harness.producer.tryPut({ partitionKey: 'k', data: 'first' }, () => {
      order.push('first')
      harness.producer.tryPut({ partitionKey: 'k', data: 'second' }, () => order.push('second'))
      void harness.producer.flush().then(() => order.push('inner flush'))
    })
    const outer = harness.producer.flush().then(() => order.push('outer flush'))

    await harness.settle(outer)
    await harness.pass(1000)

    expect(order).toEqual(['first', 'outer flush', 'second', 'inner flush'])
  })

  test('with a signal stops waiting and nothing else', async () => {
    const harness = new Harness()
    const controller = new AbortController()
    const slot = harness.put('k', 'x')
    const flushing = harness.producer.flush({ signal: controller.signal }).catch((error: unknown) => error)
    const reason = new Error('enough')

    controller.abort(reason)
    await harness.pass(1000)

    expect(await flushing).toBe(reason)
    expect(slot.settled?.result?.shardId).toBe(SHARD)
  })

  test('with a signal that has fired rejects at once with its reason, and sends nothing earlier', async () => {
    const harness = await new Harness({ recordMaxBufferedTimeMs: 10_000 }).warm()
    const slot = harness.put('k', 'x')

    const error = await harness.producer.flush({ signal: AbortSignal.abort('why') }).catch((thrown: unknown) => thrown)
    await harness.pass(5000)

    expect([error, slot.settled]).toEqual(['why', undefined])
  })
})

describe('close', () => {
  test('settles everything, answers with the counts of what was outstanding, and leaves no timer', async () => {
    const harness = new Harness()
    await harness.settle(harness.producer.put({ partitionKey: 'k', data: 'before' }))
    const slots = [harness.put('k', 'a'), harness.put('k', 'b')]

    const result = await harness.settle(harness.producer.close())
    await harness.pass(100)

    expect(result).toEqual({ delivered: 2, failed: 0 })
    expect(slots.map(slot => slot.settled?.result?.shardId)).toEqual([SHARD, SHARD])
    expect([harness.clock.pendingCount, harness.transport.pendingCount]).toEqual([0, 0])
  })

  test('of an idle producer resolves at once', async () => {
    const harness = new Harness()

    const result = await harness.settle(harness.producer.close())

    expect([result, harness.clock.nowMs()]).toEqual([{ delivered: 0, failed: 0 }, START_MS])
  })

  test('is idempotent, and whoever closes again gets the first answer', async () => {
    const harness = new Harness()
    harness.put('k', 'x')

    const closes = [harness.producer.close(), harness.producer.close()]
    const refused = harness.producer.put({ partitionKey: 'k', data: '' }).catch(error => error.code)
    const results = await harness.settle(Promise.all(closes))
    const again = await harness.producer.close({ timeoutMs: 1 })

    expect(closes[1]).toBe(closes[0])
    expect(await refused).toBe('KPL_ERR_CLOSED')
    expect([...results, again]).toEqual(Array(3).fill({ delivered: 1, failed: 0 }))
  })

  test('with no time fails what is buffered at once: it is in no shard', async () => {
    const harness = new Harness({ recordMaxBufferedTimeMs: 10_000 })
    harness.faults.add({ match: { operation: 'PutRecords' }, action: { kind: 'silence' } })
    const slots = Array.from({ length: 3 }, (_, i) => harness.put('k', `${i}`))

    const result = await harness.settle(harness.producer.close({ timeoutMs: 0 }))

    expect([result, harness.clock.nowMs()]).toEqual([{ delivered: 0, failed: 3 }, START_MS])
    expect(slots.map(({ settled }) => [settled?.error?.code, settled?.error?.persisted])).toEqual(
      Array(3).fill(['KPL_ERR_CLOSE_TIMEOUT', 'no'])
    )
  })

  test('during an outage returns at its deadline, with nothing left behind', async () => {
    const harness = new Harness()
    harness.faults.add({ match: { operation: 'PutRecords' }, action: { kind: 'silence' } })
    const slots = Array.from({ length: 50 }, (_, i) => harness.put(`key-${i}`, `${i}`))
    await harness.pass(300)
    const startMs = harness.clock.nowMs()

    const result = await harness.settle(harness.producer.close({ timeoutMs: 700 }))
    const tookMs = harness.clock.nowMs() - startMs
    await harness.pass(60_000)

    expect([result, tookMs]).toEqual([{ delivered: 0, failed: 50 }, 700])
    expect(slots.every(slot => slot.settled?.error?.code === 'KPL_ERR_CLOSE_TIMEOUT')).toBe(true)
    const { bufferedBytes, bufferedRecords, inFlightRequests } = harness.producer.stats()
    expect({ bufferedBytes, bufferedRecords, inFlightRequests }).toEqual({
      bufferedBytes: 0,
      bufferedRecords: 0,
      inFlightRequests: 0
    })
    expect(harness.clock.pendingCount).toBe(0)
  })

  test('called from a callback waits for the others', async () => {
    const harness = new Harness()
    let closing: Promise<unknown> | undefined
    const other = { data: 'other', partitionKey: 'k' }
    harness.producer.tryPut({ partitionKey: 'k', data: 'first' }, () => {
      closing = harness.producer.close()
    })
    const result = harness.producer.put(other)

    await harness.settle(result)
    const closed = await harness.settle(closing!)

    expect(closed).toEqual({ delivered: 0, failed: 0 })
  })

  test('happens at the end of an `await using` block', async () => {
    const harness = new Harness()
    let slot: { settled?: unknown } = {}
    const use = async () => {
      await using producer = harness.producer
      slot = harness.put('k', 'x')
      void producer
    }

    await harness.settle(use())

    expect(slot.settled).not.toBe(undefined)
    expect(() => harness.put('k', 'y')).toThrow('the producer is closed')
  })

  test('refuses what its own callbacks put', async () => {
    const harness = new Harness()
    const outcomes: unknown[] = []
    harness.producer.tryPut({ partitionKey: 'k', data: 'x' }, () => {
      try {
        outcomes.push(harness.producer.tryPut({ partitionKey: 'k', data: 'again' }))
      } catch (error) {
        outcomes.push((error as ProducerError).code)
      }
    })

    await harness.settle(harness.producer.close())

    expect(outcomes).toEqual(['KPL_ERR_CLOSED'])
  })

  // A record that expired before close, whose callback close itself runs: it is taken, and fails with CLOSE_TIMEOUT.
  test('refuses what callbacks put that it runs before it first waits', async () => {
    const harness = new Harness({ recordTtlMs: 500 })
    harness.faults.add({ match: { operation: 'PutRecords' }, action: { kind: 'throttle' } })
    const outcomes: unknown[] = []
    let closing: Promise<unknown> | undefined
    // At the instant at which the record expires, and before the producer's own timer: closing finds it expired.
    harness.clock.schedule(START_MS + 500, () => {
      closing = harness.producer.close()
    })
    harness.producer.tryPut({ partitionKey: 'k', data: 'x' }, () => {
      try {
        outcomes.push(harness.producer.tryPut({ partitionKey: 'k', data: 'again' }))
      } catch (error) {
        outcomes.push((error as ProducerError).code)
      }
    })

    await harness.pass(600)
    await harness.settle(closing!)

    expect(outcomes).toEqual(['KPL_ERR_CLOSED'])
  })
})

describe('stats', () => {
  test('count what was put, sent and answered, and read the clock as it was', async () => {
    const harness = new Harness({ shardCount: 2 })
    for (let i = 0; i < 10; i++) harness.put('k', '12345', i < 5 ? 0n : -1n & ((1n << 128n) - 1n))
    const { bufferedRecords, bufferedBytes } = harness.producer.stats()

    await harness.settle(harness.producer.flush())

    const stats = harness.producer.stats()
    const stream = stats.streams[STREAM]!
    const { userRecordsPut, userRecordsDataPut, kinesisRecordsPut, requests, userRecordsPending } = stream
    expect([bufferedRecords, bufferedBytes]).toEqual([10, 10 * (5 + 1 + 256)])
    expect([stats.delivered, stats.failed, stats.bufferedRecords, stats.bufferedBytes, stats.inFlightRequests]).toEqual(
      [10, 0, 0, 0, 0]
    )
    expect({ userRecordsPut, userRecordsDataPut, kinesisRecordsPut, requests, userRecordsPending }).toEqual({
      userRecordsPut: 10,
      userRecordsDataPut: 50,
      kinesisRecordsPut: 2,
      requests: 1,
      userRecordsPending: 0
    })
    expect(Object.keys(stream.shards)).toEqual([SHARD, 'shardId-000000000001'])
    expect(stream.requestTime.count).toBe(1)
    expect(stream.requestTime.maxMs).toBeCloseTo(2 * LATENCY_MS, 0)
  })

  test('are a copy that does not change', async () => {
    const harness = new Harness()
    harness.put('k', 'x')
    const stats = harness.producer.stats()
    const copy = structuredClone(stats)

    await harness.settle(harness.producer.flush())

    expect(stats).toEqual(copy)
  })
})

describe('callbacks', () => {
  test('that throw disturb nobody, and are told to the logger', async () => {
    const told: string[] = []
    const logger = { debug() {}, info() {}, warn() {}, error: (message: string) => told.push(message) }
    const harness = new Harness({ logger })
    harness.producer.tryPut({ partitionKey: 'k', data: 'a' }, () => {
      throw new Error('a fault of the user')
    })
    const sibling = harness.put('k', 'b')

    await harness.settle(harness.producer.close())

    expect([told, sibling.settled?.result?.subSequenceNumber]).toEqual([['a settle callback threw'], 1])
    expect(harness.producer.stats().bufferedBytes).toBe(0)
  })

  test('are called in the order of the records of an aggregate', async () => {
    const harness = new Harness()
    const order: number[] = []
    for (let i = 0; i < 100; i++) harness.producer.tryPut({ partitionKey: 'k', data: '' }, () => order.push(i))

    await harness.settle(harness.producer.flush())

    expect(order).toEqual(Array.from({ length: 100 }, (_, i) => i))
  })

  test('that put without end do not keep a flush from ending', async () => {
    const harness = new Harness()
    let putCount = 0
    const again = () => {
      putCount++
      if (putCount < 1000) harness.producer.tryPut({ partitionKey: 'k', data: '' }, again)
    }
    harness.producer.tryPut({ partitionKey: 'k', data: '' }, again)

    await harness.settle(harness.producer.flush(), 1000)

    expect(putCount).toBe(1)
  })
})

test('whatever happens, every promise of put settles once', async () => {
  const harness = new Harness({ recordTtlMs: 1500, bufferMaxRecords: 150 })
  const match = { operation: 'PutRecords', probability: 0.4 }
  harness.faults.add({ match, action: { kind: 'reset', isApplied: true } })
  harness.faults.add({ match, action: { kind: 'failRecords', errorCode: 'InternalFailure' } })
  const puts: Promise<PutResult | RecordFailedError>[] = []
  for (let i = 0; i < 200; i++) {
    puts.push(
      harness.producer
        .put({ partitionKey: `k${i % 7}`, data: `${i}` })
        .catch((error: unknown) => error as RecordFailedError)
    )
    if (i % 20 === 0) await harness.pass(30)
  }
  await microtasks()

  const outcomes = await harness.settle(Promise.all(puts))

  const stored = new Set(harness.stored().map(record => `${record.sequenceNumber} ${record.data}`))
  const lost = outcomes.filter(
    (outcome, i) => 'sequenceNumber' in outcome && !stored.has(`${outcome.sequenceNumber} ${i}`)
  )
  expect([outcomes.length, lost, harness.producer.stats().bufferedRecords]).toEqual([200, [], 0])
})
