import { describe, expect, test } from 'vitest'
import type { Logger } from '../../src/model/ports.ts'
import { LOG_LEVELS } from '../../src/stats/log-line.ts'
import { Harness, type HarnessOptions, STREAM } from '../support/harness.ts'

const SHARD = 'shardId-000000000000'
const DENIED = 'AccessDeniedException'

describe('an outage', () => {
  test('is said once at its beginning, with its cause, and once at its end, with what it cost', async () => {
    const { harness, lines } = await open()
    const lift = harness.faults.add({ match: { operation: 'PutRecords' }, action: { kind: 'reset' } })

    harness.put('k', 'x')
    await harness.pass(60_000)
    lift()
    await harness.pass(60_000)

    const failedRequests = harness.producer.stats().streams[STREAM]!.errorsByCode['ECONNRESET']
    expect(lines).toEqual([
      [
        'error',
        'breaker opened',
        {
          streamName: STREAM,
          errorCode: 'ECONNRESET',
          error: expect.any(String),
          endpoint: undefined,
          failedRequests: 5
        }
      ],
      ['info', 'breaker closed', { streamName: STREAM, openMs: expect.any(Number), failedRequests }]
    ])
  })

  test('of another kind is said anew', async () => {
    const { harness, lines } = await open()
    for (let i = 0; i < 2; i++) {
      const lift = harness.faults.add({ match: { operation: 'PutRecords' }, action: { kind: 'reset' } })
      harness.put('k', 'x')
      await harness.pass(20_000)
      lift()
      await harness.pass(60_000)
    }

    expect(lines.map(([, message]) => message)).toEqual([
      'breaker opened',
      'breaker closed',
      'breaker opened',
      'breaker closed'
    ])
  })
})

test('a lost permission says that it is one, and how many records it cost', async () => {
  const { harness, lines } = await open({ aggregationEnabled: false })
  harness.faults.add({
    match: { operation: 'PutRecords' },
    action: { kind: 'failRequest', errorCode: DENIED, statusCode: 400 }
  })

  for (let i = 0; i < 20; i++) harness.put(`k${i}`, 'x')
  await harness.pass(60_000)

  const lost = lines.filter(([, message]) => message === 'records failed')
  expect(lines[0]).toMatchObject(['error', 'breaker opened', { errorCode: DENIED, failedRequests: 1 }])
  expect(lost).toMatchObject([
    ['error', 'records failed', { code: 'KPL_ERR_REJECTED', serviceCode: DENIED, userRecords: 20, maybePersisted: 0 }]
  ])
})

test('of many lost records the first are said at once, and the others as one sum for each ten seconds', async () => {
  const { harness, lines } = await open({ failIfThrottled: true, rateLimitPercent: 1_000_000 })
  harness.faults.add({ match: { operation: 'PutRecords' }, action: { kind: 'throttle' } })
  const startMs = harness.clock.nowMs()

  for (let i = 0; i < 250; i++) {
    harness.put('k', 'x')
    await harness.pass(100)
  }
  await harness.pass(30_000)

  const lost = lines.filter(([, message]) => message === 'records failed')
  const counts = lost.map(([, , fields]) => Number(fields?.['userRecords']))
  expect([lost.length, counts[0], counts.reduce((sum, count) => sum + count), harness.clock.nowMs() - startMs]).toEqual(
    [4, 1, 250, 55_000]
  )
})

test('a shard that is throttled is said once, and once that it is over, with counts', async () => {
  const { harness, lines } = await open({ shardCount: 2 })
  harness.faults.add({
    match: { operation: 'PutRecords' },
    action: { kind: 'throttle', shardIds: [SHARD] },
    times: 4
  })

  harness.put('k', 'x', 0n)
  await harness.pass(60_000)

  expect(lines).toEqual([
    ['warn', 'shard throttled', { streamName: STREAM, shardId: SHARD, kinesisRecords: 1 }],
    [
      'info',
      'shard no longer throttled',
      { streamName: STREAM, shardId: SHARD, throttledMs: expect.any(Number), kinesisRecords: 4, answers: 4 }
    ]
  ])
})

test('close says what was not said yet', async () => {
  const { harness, lines } = await open({ failIfThrottled: true })
  harness.faults.add({ match: { operation: 'PutRecords' }, action: { kind: 'throttle' } })
  for (let i = 0; i < 3; i++) {
    harness.put('k', 'x')
    await harness.pass(1_000)
  }

  await harness.settle(harness.producer.close())

  const counts = lines.map(([, message, fields]) => [message, fields?.['userRecords'] ?? fields?.['answers']])
  expect(counts).toEqual([
    ['shard throttled', undefined],
    ['records failed', 1],
    ['records failed', 2],
    ['shard no longer throttled', 3]
  ])
})

test('listings that fail are said once, and once that they work again', async () => {
  const lines: Line[] = []
  const harness = new Harness(logging(lines))
  const lift = ['ListShards', 'DescribeStreamSummary'].map(operation =>
    harness.faults.add({
      match: { operation },
      action: { kind: 'failRequest', errorCode: 'LimitExceededException', statusCode: 400 }
    })
  )
  harness.put('k', 'x')
  await harness.pass(30_000)
  for (const end of lift) end()
  await harness.pass(120_000)

  const spells = lines.map(([level, message, fields]) => [level, message, typeof fields?.['failedCalls']])
  expect(spells.sort()).toEqual([
    ['info', 'DescribeStreamSummary works again', 'number'],
    ['info', 'ListShards works again', 'number'],
    ['warn', 'DescribeStreamSummary failed', 'undefined'],
    ['warn', 'ListShards failed', 'undefined']
  ])
})

test('records that were taken back are said without alarm', async () => {
  const { harness, lines } = await open()
  const controller = new AbortController()
  for (let i = 0; i < 5; i++) {
    harness.producer.put({ partitionKey: 'k', data: 'x' }, { signal: controller.signal }).catch(() => {})
  }

  controller.abort()
  await harness.pass(60_000)

  expect(lines).toMatchObject([['info', 'records taken back', { code: 'KPL_ERR_ABORTED', userRecords: 5 }]])
})

test('nothing that is said holds a payload or a partition key, and nothing is said while all is well', async () => {
  const { harness, lines } = await open({ recordTtlMs: 4_000 })
  harness.put('secret-key', 'secret-payload')
  await harness.pass(10_000)
  const calm = lines.length
  for (const action of [
    { kind: 'throttle' },
    { kind: 'reset' },
    { kind: 'failRequest', errorCode: DENIED, statusCode: 400 }
  ] as const) {
    harness.faults.clear()
    harness.faults.add({ match: { operation: 'PutRecords' }, action })
    harness.put('secret-key', 'secret-payload')
    await harness.pass(60_000)
  }

  expect([calm, lines.length > 4, JSON.stringify(lines).includes('secret')]).toEqual([0, true, false])
})

test('a logger may put, flush and close', async () => {
  const { harness, lines } = await open({}, ({ producer }) => {
    producer.tryPut({ partitionKey: 'k', data: 'from the logger' })
    void producer.close()
  })
  harness.faults.add({ match: { operation: 'PutRecords' }, action: { kind: 'throttle' }, times: 1 })

  harness.put('k', 'x')
  await harness.pass(60_000)

  expect([lines.length, harness.stored().map(({ data }) => data)]).toEqual([2, ['warm', 'x', 'from the logger']])
})

type Line = readonly [level: string, message: string, fields: Readonly<Record<string, unknown>> | undefined]

async function open(options: HarnessOptions = {}, onFirst?: (harness: Harness) => void) {
  const lines: Line[] = []
  const harness: Harness = new Harness({
    ...options,
    ...logging(lines, () => {
      const isFirst = lines.length === 1
      if (isFirst) onFirst?.(harness)
    })
  })
  return { harness: await harness.warm(), lines }
}

function logging(lines: Line[], onLine?: () => void): { readonly logger: Logger } {
  const at = (level: string) => (message: string, fields?: Readonly<Record<string, unknown>>) => {
    if (!Object.hasOwn(LOG_LEVELS, message)) throw new Error(`not in the table: ${message}`)
    lines.push([level, message, fields])
    onLine?.()
  }
  return { logger: { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') } }
}
