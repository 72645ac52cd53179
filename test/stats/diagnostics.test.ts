import { Channel, subscribe, unsubscribe } from 'node:diagnostics_channel'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { CHANNELS, noteAnswer } from '../../src/stats/diagnostics.ts'
import { KEYS, SHARDS } from '../metrics/fixture.ts'
import { PipelineWorld, shards } from '../parity/pipeline-world.ts'
import { Harness, type HarnessOptions, STREAM } from '../support/harness.ts'

type ChannelKey = keyof typeof CHANNELS

const endings: (() => void)[] = []
afterEach(() => {
  vi.restoreAllMocks()
  for (const end of endings.splice(0)) end()
})

describe('without a subscriber', () => {
  test('nothing is published', async () => {
    const publish = vi.spyOn(Channel.prototype, 'publish')

    await eventful()

    expect(publish.mock.calls).toEqual([])
  })

  test('nothing is even looked at', () => {
    const untouchable = new Proxy({}, { get: () => expect.fail('looked at') })

    expect(noteAnswer(untouchable as never, untouchable as never, untouchable as never)).toBeUndefined()
  })

  test('to a channel, nothing is published there, while others are heard', async () => {
    const publish = vi.spyOn(Channel.prototype, 'publish')
    const heard = listen('request')

    await eventful()

    // A channel with a subscriber has another prototype: what is called here is a channel that has none.
    expect([heard.length > 0, publish.mock.calls]).toEqual([true, []])
  })
})

describe('what is published', () => {
  test('a request that was answered', async () => {
    const harness = await new Harness({ shardCount: 2 }).warm()
    const heard = listen('request')
    const startMs = harness.clock.nowMs() + 100

    harness.put(KEYS[0], 'a')
    harness.put(KEYS[1], 'b')
    await harness.pass(1_000)

    expect(heard).toEqual([
      {
        streamName: STREAM,
        startMs,
        endMs: startMs + 10,
        kinesisRecords: 2,
        userRecords: 2,
        requestBytes: 2 + KEYS[0].length + KEYS[1].length,
        failedRecords: 0,
        errorCode: undefined,
        errorCodes: {}
      }
    ])
  })

  test('a request of which some records failed, and the throttle', async () => {
    const harness = await new Harness({ shardCount: 2 }).warm()
    const [requests, throttles] = [listen('request'), listen('throttle')]
    harness.faults.add({
      match: { operation: 'PutRecords' },
      action: { kind: 'throttle', shardIds: [SHARDS[0]] },
      times: 1
    })
    const endMs = harness.clock.nowMs() + 110

    harness.put(KEYS[0], 'a')
    harness.put(KEYS[1], 'b')
    await harness.pass(110)

    expect(requests).toMatchObject([
      { failedRecords: 1, errorCode: undefined, errorCodes: { ProvisionedThroughputExceededException: 1 } }
    ])
    expect(throttles).toEqual([
      { streamName: STREAM, shardId: SHARDS[0], kinesisRecords: 1, rateFactor: 0.1 - 1 / 1500, atMs: endMs }
    ])
  })

  test('a request that failed, and a breaker that opened and closed', async () => {
    const harness = await new Harness().warm()
    const [requests, breakers] = [listen('request'), listen('breaker')]
    const lift = harness.faults.add({
      match: { operation: 'PutRecords' },
      action: { kind: 'failRequest', errorCode: 'AccessDeniedException', statusCode: 400 }
    })

    harness.put('k', 'x')
    await harness.pass(110)
    lift()
    await harness.pass(10_000)

    expect(requests).toMatchObject([
      { failedRecords: 1, errorCode: 'AccessDeniedException', errorCodes: {} },
      { failedRecords: 0, errorCode: undefined, errorCodes: {} }
    ])
    expect(breakers).toMatchObject([
      { streamName: STREAM, isOpen: true },
      { streamName: STREAM, isOpen: false }
    ])
  })

  test('user records that failed, before their callbacks run', async () => {
    const harness = await new Harness({ failIfThrottled: true }).warm()
    const order: unknown[] = []
    listen('recordFailed', event => order.push(event))
    harness.faults.add({ match: { operation: 'PutRecords' }, action: { kind: 'throttle' } })
    for (const data of ['x', 'y']) {
      harness.producer.tryPut({ partitionKey: 'k', data }, error => order.push(error?.code))
    }

    await harness.pass(1_000)

    expect(order).toEqual([
      {
        streamName: STREAM,
        code: 'KPL_ERR_THROTTLED',
        serviceCode: 'ProvisionedThroughputExceededException',
        shardId: SHARDS[0],
        userRecords: 2,
        persisted: 'no',
        attempts: 1
      },
      'KPL_ERR_THROTTLED',
      'KPL_ERR_THROTTLED'
    ])
  })

  test('a record that was taken back', async () => {
    const harness = await new Harness().warm()
    const heard = listen('recordFailed')
    const controller = new AbortController()
    harness.producer.put({ partitionKey: 'k', data: 'x' }, { signal: controller.signal }).catch(() => {})

    controller.abort()
    await harness.pass(1_000)

    expect(heard).toEqual([
      {
        streamName: STREAM,
        code: 'KPL_ERR_ABORTED',
        serviceCode: undefined,
        shardId: undefined,
        userRecords: 1,
        persisted: 'no',
        attempts: 0
      }
    ])
  })

  test('a listing that failed, and one that came', async () => {
    const harness = new Harness({ shardCount: 2 })
    const heard = listen('shardMap')
    const fail = harness.faults.add({
      match: { operation: 'ListShards' },
      action: { kind: 'failRequest', errorCode: 'LimitExceededException', statusCode: 400 }
    })
    harness.put('k', 'x')
    await harness.pass(500)
    const failedCount = heard.length
    fail()
    await harness.pass(5_000)

    expect(heard.slice(0, failedCount)).toMatchObject(
      Array.from({ length: failedCount }, () => ({ streamName: STREAM, isTaken: false, openShards: 0 }))
    )
    expect([failedCount > 0, heard.slice(failedCount)]).toMatchObject([
      true,
      [{ streamName: STREAM, isTaken: true, openShards: 2 }]
    ])
  })

  test('a listing that was not believed', () => {
    const world = new PipelineWorld(shards([0]))
    const heard = listen('shardMap')

    const refusal = world.stream.shardsListed([], world.nowMs)

    expect(refusal?.code).toBe('KPL_ERR_BAD_SHARD_MAP')
    expect(heard).toEqual([{ streamName: 's', isTaken: false, openShards: 1, atMs: world.nowMs }])
  })

  test('never holds a payload or a partition key', async () => {
    const heard = (Object.keys(CHANNELS) as ChannelKey[]).map(key => listen(key))

    await eventful({}, 'secret-key', 'secret-payload')

    expect(heard.map(events => events.length > 0)).toEqual([true, true, true, true, true])
    expect(JSON.stringify(heard)).not.toContain('secret')
  })
})

test('a subscriber may put, flush and close', async () => {
  const harness = await new Harness().warm()
  const settled: string[] = []
  let left = 3
  listen('request', () => {
    if (left-- > 0) harness.producer.tryPut({ partitionKey: 'k', data: `${left}` }, () => settled.push(`${left}`))
    else void harness.producer.close()
  })

  harness.put('k', 'first')
  await harness.settle(harness.producer.flush())
  await harness.pass(10_000)

  expect([harness.stored().map(record => record.data), settled.length]).toEqual([['warm', 'first', '2', '1', '0'], 3])
})

/** A run with an answer, a throttle, a refusal, failures and listings. */
async function eventful(options: HarnessOptions = {}, partitionKey = 'k', data = 'x'): Promise<void> {
  const harness = new Harness({ recordTtlMs: 4_000, ...options })
  harness.put(partitionKey, data)
  await harness.pass(1_000)
  const throttle = harness.faults.add({ match: { operation: 'PutRecords' }, action: { kind: 'throttle' } })
  harness.put(partitionKey, data)
  await harness.pass(5_000)
  throttle()
  harness.faults.add({
    match: { operation: 'PutRecords' },
    action: { kind: 'failRequest', errorCode: 'AccessDeniedException', statusCode: 400, errorMessage: data }
  })
  harness.put(partitionKey, data)
  await harness.pass(5_000)
}

/** Listens to a channel until the test ends. */
function listen(key: ChannelKey, hear?: (event: unknown) => void): unknown[] {
  const heard: unknown[] = []
  const onMessage = (event: unknown) => {
    heard.push(event)
    hear?.(event)
  }
  subscribe(CHANNELS[key], onMessage)
  endings.push(() => unsubscribe(CHANNELS[key], onMessage))
  return heard
}
