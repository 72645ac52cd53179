import { BatchProcessor, EventType, processPartialResponse } from '@aws-lambda-powertools/batch'
import type { Context, KinesisStreamEvent, KinesisStreamHandler, KinesisStreamRecord } from 'aws-lambda'
import { describe, expect, expectTypeOf, test } from 'vitest'
import { aggregate, deaggregate } from '../../src/consumer/deaggregate.ts'
import {
  type KinesisHandlerOptions,
  kinesisHandler,
  type LambdaStreamEvent,
  type LambdaUserRecord,
  userRecords
} from '../../src/consumer/lambda.ts'
import { type LiteralRecord, vectors, wrap } from '../wire/vectors.ts'

const FIRST_SEQUENCE_NUMBER = 49581544954143914480256700934210366840104395343224897586n
const SHARD = 'shardId-000000000003'
const PLENTY_MS = 300_000

const sequenceNumber = (index: number): string => `${FIRST_SEQUENCE_NUMBER + BigInt(index)}`
const textOf = (record: { data: Uint8Array }): string => Buffer.from(record.data).toString()

/** One record of an event with the fields that a recorded one has. */
function eventRecord(index: number, partitionKey: string, data: Uint8Array): KinesisStreamRecord {
  return {
    kinesis: {
      kinesisSchemaVersion: '1.0',
      partitionKey,
      sequenceNumber: sequenceNumber(index),
      data: Buffer.from(data).toString('base64'),
      approximateArrivalTimestamp: 1518133507.063
    },
    eventSource: 'aws:kinesis',
    eventVersion: '1.0',
    eventID: `${SHARD}:${sequenceNumber(index)}`,
    eventName: 'aws:kinesis:record',
    invokeIdentityArn: 'arn:aws:iam::123456789012:role/consumer',
    awsRegion: 'us-east-1',
    eventSourceARN: 'arn:aws:kinesis:us-east-1:123456789012:stream/orders'
  }
}

/** An event of one Kinesis record for each list; `key=text` is a user record, a list of several an aggregate. */
function eventOf(...lists: readonly (readonly string[])[]): KinesisStreamEvent {
  return {
    Records: lists.map((list, index) => {
      const records = list.map(item => {
        const [partitionKey, data] = item.split('=')
        return { partitionKey: partitionKey!, data: data! }
      })
      const [aggregated] = [...aggregate(records, { maxBytes: Number.POSITIVE_INFINITY })]
      return eventRecord(index, aggregated!.partitionKey, aggregated!.data)
    })
  }
}

/** A corrupt record between two plain ones. */
const poisonEvent: KinesisStreamEvent = {
  Records: [
    ...eventOf(['k=1']).Records,
    eventRecord(1, 'k', wrap(Buffer.from('test message'))),
    eventRecord(2, 'k', Buffer.from('3'))
  ]
}

/** Lambda's context with the given time left. */
function contextWith(getRemainingTimeInMillis: () => number): Context {
  return {
    callbackWaitsForEmptyEventLoop: true,
    functionName: 'consumer',
    functionVersion: '1',
    invokedFunctionArn: 'arn:aws:lambda:us-east-1:123456789012:function:consumer',
    memoryLimitInMB: '128',
    awsRequestId: '1',
    logGroupName: 'g',
    logStreamName: 's',
    getRemainingTimeInMillis,
    done: () => {},
    fail: () => {},
    succeed: () => {}
  }
}

const context = contextWith(() => PLENTY_MS)

/** Runs an event through a handler that fails for the texts given, and tells what was done, failed and answered. */
async function run(event: LambdaStreamEvent, failing: readonly string[] = [], options: KinesisHandlerOptions = {}) {
  const done: string[] = []
  const errors: string[] = []
  const onError = (error: unknown, record: LambdaUserRecord | undefined) => {
    errors.push(`${record?.id ?? 'corrupt'} ${error instanceof Error ? error.message : error}`)
  }
  const handler = kinesisHandler(
    async record => {
      if (failing.includes(textOf(record))) throw new Error(`no ${textOf(record)}`)
      done.push(textOf(record))
    },
    { onError, ...options }
  )
  const answer = await handler(event, context)
  return { done, errors, failed: answer.batchItemFailures.map(failure => failure.itemIdentifier) }
}

/** A promise and its resolver. */
function gate() {
  let open = () => {}
  const opened = new Promise<void>(resolve => {
    open = resolve
  })
  return { open, opened }
}

describe('userRecords', () => {
  test('yields the user records of plain and aggregated records with an id that every delivery repeats', () => {
    const event = eventOf(['k=plain'], ['a=1', 'b=2'])

    const records = [...userRecords(event)]

    const common = { explicitHashKey: undefined, arrivalTimestamp: 1518133507063 }
    expect(records).toStrictEqual([
      {
        ...common,
        partitionKey: 'k',
        data: Uint8Array.from(Buffer.from('plain')),
        sequenceNumber: sequenceNumber(0),
        subSequenceNumber: 0,
        aggregated: false,
        id: `${SHARD}:${sequenceNumber(0)}:0`,
        source: event.Records[0]
      },
      ...['a', 'b'].map((partitionKey, i) => ({
        ...common,
        partitionKey,
        data: Uint8Array.from(Buffer.from(`${i + 1}`)),
        sequenceNumber: sequenceNumber(1),
        subSequenceNumber: i,
        aggregated: true,
        id: `${SHARD}:${sequenceNumber(1)}:${i}`,
        source: event.Records[1]
      }))
    ])
  })

  test('reads events that were recorded from the real KPL', () => {
    const recorded = vectors.literal.filter(v => v.id.startsWith('kpl-real-') && v.id.endsWith('ehks'))
    const event = { Records: recorded.map(vector => vector.lambdaRecord as KinesisStreamRecord) }

    const records = [...userRecords(event)]

    expect(records.map(record => [record.source === event.Records[0], record.subSequenceNumber])).toEqual([
      ...[0, 1, 2, 3].map(i => [true, i]),
      ...[0, 1, 2, 3, 4, 5, 6, 7].map(i => [false, i])
    ])
    expect(records.map(textOf)).toEqual(
      recorded.flatMap(v => (v.expected.records as readonly LiteralRecord[]).map(record => record.dataUtf8))
    )
  })
})

describe('kinesisHandler', () => {
  test('gives every user record of a mixed event to the handler and reports no failure', async () => {
    const event = eventOf(['k=1'], ['a=2', 'b=3', 'a=4'], ['k=5'])

    const answer = await run(event, [], { concurrency: 1 })

    expect(answer).toEqual({ done: ['1', '2', '3', '4', '5'], errors: [], failed: [] })
  })

  test('reports no failure for an event without records', async () => {
    const answer = await run({ Records: [] })

    expect(answer).toEqual({ done: [], errors: [], failed: [] })
  })

  test('reports the Kinesis record of a user record that failed in the middle of an aggregate, and starts none after it', async () => {
    const event = eventOf(['k=1'], ['a=2', 'b=3', 'c=4'], ['k=5'])

    const answer = await run(event, ['3'], { concurrency: 1 })

    expect(answer).toEqual({
      done: ['1', '2'],
      errors: [`${SHARD}:${sequenceNumber(1)}:1 no 3`],
      failed: [sequenceNumber(1)]
    })
  })

  test('repeats, on the next delivery, the siblings of a failed user record and everything behind it', async () => {
    const event = eventOf(['k=1'], ['a=2', 'b=3', 'c=4'], ['k=5'])

    const first = await run(event, ['3'], { concurrency: 1 })
    const redelivered = { Records: event.Records.filter(r => r.kinesis.sequenceNumber >= first.failed[0]!) }
    const second = await run(redelivered, [], { concurrency: 1 })

    expect([first.done, second]).toEqual([['1', '2'], { done: ['2', '3', '4', '5'], errors: [], failed: [] }])
  })

  test('skips on the next delivery what a Set has seen, and so does every user record once', async () => {
    const event = eventOf(['k=1'], ['a=2', 'b=3', 'c=4'], ['k=5'])
    const seen = new Set<string>()
    const options = { concurrency: 1, seen, afterFailure: 'continue' } as const

    const first = await run(event, ['3'], options)
    const redelivered = { Records: event.Records.filter(r => r.kinesis.sequenceNumber >= first.failed[0]!) }
    const second = await run(redelivered, [], options)

    expect([first.done, second.done, second.failed]).toEqual([['1', '2', '4', '5'], ['3'], []])
    expect(seen).toEqual(
      new Set(
        ['0:0', '1:0', '1:2', '2:0', '1:1'].map(at => {
          const [index, sub] = at.split(':')
          return `${SHARD}:${sequenceNumber(Number(index))}:${sub}`
        })
      )
    )
  })

  test('fails a user record whose seen hook fails, for it is not known to be remembered', async () => {
    const seen = { has: () => false, add: () => Promise.reject(new Error('table is down')) }

    const answer = await run(eventOf(['k=1']), [], { seen })

    expect([answer.done, answer.failed]).toEqual([['1'], [sequenceNumber(0)]])
  })

  test('never starts a user record of a key behind one that failed, also when it goes on with other keys', async () => {
    const event = eventOf(['a=1'], ['b=2', 'a=3'], ['a=4'], ['b=5'])

    const answer = await run(event, ['1'], { afterFailure: 'continue' })

    expect([answer.done, answer.failed]).toEqual([['2', '5'], [sequenceNumber(0)]])
  })

  test('reports the lowest of several failures', async () => {
    const event = eventOf(['a=1'], ['b=2'], ['c=3'], ['d=4'])

    const answer = await run(event, ['2', '4'], { afterFailure: 'continue' })

    expect([answer.done, answer.failed]).toEqual([['1', '3'], [sequenceNumber(1)]])
  })

  test('finishes what came before a failure although it started later', async () => {
    const { open, opened } = gate()
    const done: string[] = []
    const handler = kinesisHandler(
      async record => {
        if (textOf(record) === 'slow') await opened
        if (textOf(record) === 'bad') {
          open()
          throw new Error('bad')
        }
        done.push(textOf(record))
      },
      { onError: () => {} }
    )

    const answer = await handler(eventOf(['a=slow'], ['a=next'], ['b=bad'], ['a=late']), context)

    expect([done, answer]).toEqual([['slow', 'next'], { batchItemFailures: [{ itemIdentifier: sequenceNumber(2) }] }])
  })

  test('works on different keys at once, up to the bound, and on one key in order', async () => {
    const running = new Set<string>()
    const trace: string[] = []
    let most = 0
    const handler = kinesisHandler(
      async record => {
        expect(running.has(record.partitionKey)).toBe(false)
        running.add(record.partitionKey)
        most = Math.max(most, running.size)
        for (let turns = Number(textOf(record)) % 7; turns >= 0; turns--) await Promise.resolve()
        running.delete(record.partitionKey)
        trace.push(`${record.partitionKey}=${textOf(record)}`)
      },
      { concurrency: 3 }
    )
    const items = Array.from({ length: 200 }, (_, i) => `k${(i * i) % 11}=${i}`)

    const answer = await handler(eventOf(items.slice(0, 90), items.slice(90)), context)

    const byKey = (list: readonly string[]) =>
      Array.from({ length: 11 }, (_, key) => list.filter(item => item.startsWith(`k${key}=`)))
    expect([answer.batchItemFailures, most, trace.length]).toEqual([[], 3, 200])
    expect(byKey(trace)).toEqual(byKey(items))
  })

  test('gets through 10,000 user records of one event, in order', async () => {
    const items = Array.from({ length: 10_000 }, (_, i) => `k=${i}`)
    const lists = Array.from({ length: 10 }, (_, i) => items.slice(i * 1000, (i + 1) * 1000))

    const answer = await run(eventOf(...lists))

    expect(answer).toEqual({ done: items.map(item => item.slice(2)), errors: [], failed: [] })
  })

  test('reads no more than 10,000 user records ahead of a key that is worked on', async () => {
    const items = Array.from({ length: 18_000 }, (_, i) => `k=${i}`)
    const event = eventOf(...[0, 6000, 12_000].map(from => items.slice(from, from + 6000)))
    const read = new Set<string>()
    const Records = event.Records.map(record => ({
      kinesis: {
        ...record.kinesis,
        get data() {
          read.add(record.kinesis.sequenceNumber)
          return record.kinesis.data
        }
      }
    }))
    let doneCount = 0
    let readCount = 0
    const handler = kinesisHandler(() => {
      // The first starts as soon as it is read; the second when all that may be read ahead has been.
      if (doneCount++ === 1) readCount = read.size
    })

    const answer = await handler({ Records }, context)

    expect([readCount, doneCount, answer]).toEqual([2, 18_000, { batchItemFailures: [] }])
  })

  test('goes on with other keys, however many user records lie behind one that failed', async () => {
    const behind = Array.from({ length: 11_000 }, (_, i) => `a=${i}`)

    const answer = await run(eventOf(['a=bad', ...behind], ['b=1']), ['bad'], { afterFailure: 'continue' })

    expect([answer.done, answer.failed]).toEqual([['1'], [sequenceNumber(0)]])
  })

  test('refuses a concurrency that is not a whole number from 1', () => {
    const make = (concurrency: number) => () => kinesisHandler(() => {}, { concurrency })

    for (const concurrency of [0, 1.5, Number.NaN]) {
      expect(make(concurrency)).toThrow(`concurrency must be a whole number from 1, got ${concurrency}`)
    }
  })
})

describe('kinesisHandler on poison', () => {
  test('is lenient by default: a corrupt record is a plain one', async () => {
    const answer = await run(poisonEvent)

    expect([answer.done.length, answer.failed]).toEqual([3, []])
  })

  test('is strict on throw: a corrupt record fails, and is reported without its payload', async () => {
    const answer = await run(poisonEvent, [], { onCorrupt: 'throw' })

    expect(answer).toEqual({
      done: ['1'],
      errors: [`corrupt malformed aggregated record ${sequenceNumber(1)}: wire type 4 at byte 5`],
      failed: [sequenceNumber(1)]
    })
  })

  test('drops a corrupt record on skip', async () => {
    const answer = await run(poisonEvent, [], { onCorrupt: 'skip' })

    expect(answer).toEqual({ done: ['1', '3'], errors: [], failed: [] })
  })

  test('fails the whole batch with the first error when partial answers are not understood', async () => {
    const options = { reportBatchItemFailures: false, onError: () => {} }

    const failing = run(eventOf(['a=1'], ['b=2']), ['2'], options)
    const passing = await run(eventOf(['a=1']), [], options)

    await expect(failing).rejects.toThrow(new Error('no 2'))
    expect(passing.failed).toEqual([])
  })
})

describe('kinesisHandler when the time runs out', () => {
  test('starts no user record in the reserve, and reports the first that was not done', async () => {
    let leftMs = 4000
    const done: string[] = []
    const handler = kinesisHandler(
      async record => {
        leftMs -= 1000
        done.push(textOf(record))
      },
      { concurrency: 1, reserveMs: 1500 }
    )

    const answer = await handler(
      eventOf(['a=1'], ['b=2', 'b=3', 'b=4'], ['c=5']),
      contextWith(() => leftMs)
    )

    expect([done, answer]).toEqual([['1', '2', '3'], { batchItemFailures: [{ itemIdentifier: sequenceNumber(1) }] }])
  })

  test('answers while a handler hangs, tells it by its signal, and counts its record as not done', async () => {
    const deadline = new AbortController()
    const started: string[] = []
    let abortedWith: boolean | undefined
    let askedMs: number | undefined
    const handler = kinesisHandler(
      (record, _, signal) => {
        started.push(textOf(record))
        if (textOf(record) !== 'hangs') return
        signal.addEventListener('abort', () => {
          abortedWith = signal.aborted
        })
        queueMicrotask(() => deadline.abort())
        return new Promise<never>(() => {})
      },
      {
        reserveMs: 200,
        timeoutSignal: ms => {
          askedMs = ms
          return deadline.signal
        }
      }
    )

    const answer = await handler(eventOf(['a=1'], ['b=hangs'], ['b=never']), context)

    expect(answer).toEqual({ batchItemFailures: [{ itemIdentifier: sequenceNumber(1) }] })
    expect([started, abortedWith, askedMs]).toEqual([['1', 'hangs'], true, PLENTY_MS - 200])
  })

  test('reports the whole batch when there was no time at all', async () => {
    const handler = kinesisHandler(() => {})

    const answer = await handler(
      eventOf(['a=1'], ['b=2']),
      contextWith(() => 0)
    )

    expect(answer).toEqual({ batchItemFailures: [{ itemIdentifier: sequenceNumber(0) }] })
  })
})

describe('the types', () => {
  test('fit @types/aws-lambda, without needing it', () => {
    const handler: KinesisStreamHandler = kinesisHandler<Context>(async (record, { awsRequestId }) => {
      expectTypeOf(record.data).toEqualTypeOf<Uint8Array>()
      expectTypeOf(awsRequestId).toEqualTypeOf<string>()
    })
    const [first] = userRecords(eventOf(['a=1']))

    expectTypeOf(handler).toBeFunction()
    expectTypeOf(first!.source).toEqualTypeOf<KinesisStreamRecord>()
    expect(first!.source.eventSource).toBe('aws:kinesis')
  })
})

describe("Powertools' batch processor", () => {
  test('reports a Kinesis record one of whose user records failed', async () => {
    const processor = new BatchProcessor(EventType.KinesisDataStreams)
    const done: string[] = []
    const event = eventOf(['k=1'], ['a=2', 'b=3'], ['k=4'])
    const perKinesisRecord = async (source: KinesisStreamRecord) => {
      for (const record of deaggregate(source)) {
        if (textOf(record) === '3') throw new Error('no 3')
        done.push(textOf(record))
      }
    }

    const answer = await processPartialResponse(event, perKinesisRecord, processor, { context })

    expect([done, answer]).toEqual([['1', '2', '4'], { batchItemFailures: [{ itemIdentifier: sequenceNumber(1) }] }])
  })
})
