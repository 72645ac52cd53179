/**
 * Slow and silent: the total deadline always wins, what comes too late is not heard, and nothing is held up by it.
 * Time is stepped: the sockets are real, and however long the machine takes, no deadline passes meanwhile.
 */
import { describe, expect, test } from 'vitest'
import { again, CLEAN, failed, openWorld, SOME, testEach } from './scenario.ts'
import { drip, latency, silence, slowClose, slowUpload, stall, zombie } from './toxics.ts'

const STEPPED = { isStepped: true }
const SHORT = { ...STEPPED, requestTimeoutMs: 400 }

describe('within the timeout', () => {
  testEach(
    [
      { name: 'a late answer is one attempt', toxics: [latency(200)], expected: {} },
      { name: 'a dripping answer is one attempt', toxics: [drip(30, 10)], expected: {} },
      { name: 'a slow upload is one attempt', toxics: [slowUpload(10_000)], expected: {} },
      {
        name: 'a connection whose end is announced and does not come is not waited for',
        toxics: [slowClose(() => new Promise(() => {}))],
        expected: {}
      }
    ],
    STEPPED
  )

  test('answers late by very different times each go to their own records', async () => {
    const world = await openWorld({
      ...STEPPED,
      aggregationEnabled: false,
      collectionMaxCount: 1,
      requestTimeoutMs: 2_000
    })
    await world.warm()
    world.spoil(Array.from({ length: 20 }, (_, i) => latency((i * 7919) % 200)))
    world.put(20)
    await world.flush()

    const outcome = await world.outcome()

    expect(outcome).toEqual({ ...CLEAN, acknowledged: 20, requests: 20 })
  })
})

describe('beyond the timeout', () => {
  testEach(
    [
      {
        name: 'no answer, and the request was not applied',
        options: SHORT,
        toxics: [silence('lost')],
        expected: again('TimeoutError')
      },
      {
        name: 'no answer, and the request was applied: the attempts explain the second copy',
        options: SHORT,
        toxics: [silence('applied')],
        expected: again('TimeoutError', 2)
      },
      {
        name: 'an answer that comes when nobody waits for it any more is not heard',
        options: SHORT,
        toxics: [latency(450), latency(100)],
        expected: again('TimeoutError', 2)
      },
      {
        name: 'an answer that drips without a pause, but for too long',
        options: SHORT,
        toxics: [drip(1, 10)],
        expected: again('TimeoutError', 2)
      },
      {
        name: 'an upload that would take too long',
        options: SHORT,
        toxics: [slowUpload(100)],
        expected: again('TimeoutError')
      },
      {
        name: 'silence for ever: the records fail in time and may be stored',
        options: { requestTimeoutMs: 100, recordTtlMs: 500 },
        forever: silence('applied'),
        expected: failed('KPL_ERR_EXPIRED maybe', 'TimeoutError', [SOME])
      },
      {
        name: 'silence does not hold up close beyond its deadline',
        forever: silence('applied'),
        closeMs: 200,
        expected: failed('KPL_ERR_CLOSE_TIMEOUT maybe', 'Unanswered', [1])
      },
      {
        name: 'an answer that drips does not hold up close beyond its deadline',
        forever: drip(1, 10),
        closeMs: 200,
        expected: failed('KPL_ERR_CLOSE_TIMEOUT maybe', 'Unanswered', [1])
      },
      {
        name: 'an upload in progress does not hold up close beyond its deadline',
        forever: slowUpload(100),
        closeMs: 200,
        expected: failed('KPL_ERR_CLOSE_TIMEOUT maybe', 'Unanswered')
      }
    ],
    STEPPED
  )

  test('a request that reaches the service after its own repetition is explained by the attempts', async () => {
    const world = await openWorld(SHORT)
    await world.warm()
    let wake: () => void = () => {}
    const woken = new Promise<void>(resolve => (wake = resolve))
    const applied = new Promise<void>(resolve => world.spoil([zombie(() => woken, resolve)]))
    world.put(8)
    await world.flush()
    wake()
    await applied

    const outcome = await world.outcome()

    expect(outcome).toEqual({ ...CLEAN, ...again('TimeoutError', 2) })
  })

  test('one request does not delay the others', async () => {
    const world = await openWorld({
      ...STEPPED,
      aggregationEnabled: false,
      collectionMaxCount: 1,
      requestTimeoutMs: 10_000
    })
    await world.warm()
    let wake: () => void = () => {}
    const woken = new Promise<void>(resolve => (wake = resolve))
    world.spoil([
      zombie(
        () => woken,
        () => {}
      )
    ])
    world.put(20)
    await world.until(() => world.attempts.filter(attempts => attempts.length > 0).length === 19)
    wake()
    await world.flush()

    const outcome = await world.outcome()

    expect(outcome).toEqual({ ...CLEAN, acknowledged: 20, requests: 20 })
  })

  test('the request that close cut is in the attempts of its records', async () => {
    // src/core/stream-set.ts, abandon: sets persisted, but records no attempt.
    const world = await openWorld(STEPPED)
    await world.warm()
    world.spoil([], silence('applied'))
    world.put(8)
    await world.close(200)

    expect(world.attempts.map(attempts => attempts.length)).toEqual(Array(8).fill(1))
  })
})

describe('when the process stands still', () => {
  test('an answer that had come before is not taken for a timeout', async () => {
    // src/producer/kinesis-producer.ts gives the transport no clock, and without one a deadline does not see that it is woken late.
    const world = await openWorld(SHORT)
    await world.warm()
    world.spoil([stall(() => world.standStill(500))])
    world.put(8)
    await world.flush()

    const outcome = await world.outcome()

    expect(outcome).toEqual(CLEAN)
  })
})

describe('when listings of other streams do not answer', () => {
  const OTHERS = ['one', 'two', 'three', 'four']

  test('the records of a stream that works are not kept waiting for a connection', async () => {
    // src/aws/kinesis-client.ts: one agent for all, maxInFlightRequests + 2 sockets, which any listings may take up.
    const world = await openWorld({ ...STEPPED, maxInFlightRequests: 1, requestTimeoutMs: 1_000 })
    await world.warm()
    for (const StreamName of OTHERS) world.kinesis.createStream({ StreamName, ShardCount: 1 })
    world.spoil([])
    const { toxicFor } = world.proxy
    world.proxy.toxicFor = operation => (operation === 'PutRecords' ? toxicFor(operation) : silence('lost'))
    for (const streamName of OTHERS) world.producer.tryPut({ streamName, partitionKey: 'key', data: 'data' })
    await world.until(() => world.proxy.openCount > 3)
    world.put(8)
    await world.flush()

    const attempts = world.attempts[0] ?? []
    expect(attempts.map(({ errorCode, startMs, endMs }) => [errorCode, endMs - startMs])).toEqual([[undefined, 0]])
  })

  test('close ends in time and no connection is left, nor made', async () => {
    const world = await openWorld({ ...STEPPED, maxInFlightRequests: 1 })
    await world.warm()
    for (const StreamName of OTHERS) world.kinesis.createStream({ StreamName, ShardCount: 1 })
    world.spoil([], silence('lost'))
    const { toxicFor } = world.proxy
    world.proxy.toxicFor = operation => (operation === 'PutRecords' ? toxicFor(operation) : silence('lost'))
    for (const streamName of OTHERS) world.producer.tryPut({ streamName, partitionKey: 'key', data: 'data' })
    world.put(8)
    await world.until(() => world.proxy.openCount > 3)
    await world.close(100)
    const connectionCount = world.proxy.connectionCount

    const outcome = await world.outcome()

    expect(outcome).toEqual({ ...CLEAN, ...failed('KPL_ERR_CLOSE_TIMEOUT maybe', 'Unanswered') })
    expect(world.proxy.connectionCount).toBe(connectionCount)
  })
})
