import { describe, expect, test } from 'vitest'
import {
  ConsumerError,
  kinesisHandler,
  type LambdaContext,
  type LambdaStreamEvent,
  userRecords
} from '../../../src/consumer/lambda.ts'
import { collectWarnings, context, errorLog, eventOf, failuresAt } from './fixture.ts'

collectWarnings()
const invalid = (message: string) => new ConsumerError('KPL_ERR_INVALID_INPUT', message)

describe('kinesisHandler rejects, and never throws,', () => {
  test.each<[string, unknown]>([
    ['got undefined', undefined],
    ['got null', null],
    ['got string', 'context'],
    ['got object', {}],
    ['got object', { getRemainingTimeInMillis: 5000 }]
  ])("for a context that is none of Lambda's: %s", async (got, odd) => {
    const handler = kinesisHandler(() => {})

    const answer = handler(eventOf('a=1'), odd as LambdaContext)

    await expect(answer).rejects.toEqual(invalid(`context must be Lambda's, with getRemainingTimeInMillis(), ${got}`))
  })

  test.each<[string, unknown]>([
    ['NaN', Number.NaN],
    ['Infinity', Number.POSITIVE_INFINITY],
    ['-1', -1],
    ['string', '5000'],
    ['undefined', undefined],
    ['object', { ms: 5 }]
  ])('for a remaining time of %s', async (got, ms) => {
    const handler = kinesisHandler(() => {})

    const answer = handler(eventOf('a=1'), { getRemainingTimeInMillis: () => ms as number })

    await expect(answer).rejects.toEqual(
      invalid(`context.getRemainingTimeInMillis() must return ms from 0, got ${got}`)
    )
  })

  test('for a context that throws, with what it throws', async () => {
    const handler = kinesisHandler(() => {})
    const getRemainingTimeInMillis = () => {
      throw new Error('a fault of the context')
    }

    const answer = handler(eventOf('a=1'), { getRemainingTimeInMillis })

    await expect(answer).rejects.toEqual(new Error('a fault of the context'))
  })

  test.each<[string, unknown]>([
    ['undefined', undefined],
    ['undefined', {}],
    ['undefined', 'event'],
    ['null', { Records: null }],
    ['object', { Records: { 0: {} } }],
    ['string', { Records: 'list' }]
  ])('for an event whose Records are %s: %j', async (got, event) => {
    const handler = kinesisHandler(() => {})
    const error = invalid(`event.Records must be the list of a Kinesis event, got ${got}`)

    const answer = handler(event as LambdaStreamEvent, context)
    const read = () => [...userRecords(event as LambdaStreamEvent)]

    await expect(answer).rejects.toEqual(error)
    expect(read).toThrow(error)
  })
})

describe('kinesisHandler', () => {
  const good = eventOf('a=1').Records[0]!
  const sequenceNumber = eventOf('a=1', 'b=2').Records[1]!.kinesis.sequenceNumber

  test.each<[string, unknown]>([
    ['without data', { kinesis: { partitionKey: 'k', sequenceNumber } }],
    ['with data that are a number', { kinesis: { partitionKey: 'k', sequenceNumber, data: 5 } }],
    ['with a key that is a number', { kinesis: { partitionKey: 5, sequenceNumber, data: '' } }]
  ])('fails a Kinesis record %s, and names it in the answer', async (_, odd) => {
    const { told, onError } = errorLog()
    const handler = kinesisHandler(() => {}, { onError })

    const answer = await handler({ Records: [good, odd as typeof good] }, context)

    expect([answer, told]).toEqual([failuresAt(1), [['KPL_ERR_INVALID_INPUT', undefined]]])
  })

  test.each<[string, unknown]>([
    ['null', null],
    ['an empty object', {}],
    ['a record of another source', { dynamodb: {} }],
    ['a record without sequence number', { kinesis: { partitionKey: 'k', data: '' } }],
    [
      'a record with a sequence number that is a number',
      { kinesis: { partitionKey: 'k', data: '', sequenceNumber: 5 } }
    ]
  ])('fails the whole batch for %s, which no answer can name', async (_, odd) => {
    const handler = kinesisHandler(() => {}, { onError: () => {} })

    const answer = handler({ Records: [good, odd as typeof good] }, context)

    await expect(answer).rejects.toMatchObject({ name: 'ConsumerError', code: 'KPL_ERR_INVALID_INPUT' })
  })

  test.each([
    ['aws:sqs', { messageId: '1', body: '{}', eventSource: 'aws:sqs' }],
    ['aws:sns', { EventSource: 'aws:sns', Sns: {} }],
    ['aws:dynamodb', { eventSource: 'aws:dynamodb', dynamodb: { SequenceNumber: '1' } }]
  ])('says that an event of %s is none of Kinesis', async (service, odd) => {
    const { told, onError } = errorLog()
    const handler = kinesisHandler(() => {}, { onError })

    const answer = handler({ Records: [odd as never] }, context)

    await expect(answer).rejects.toEqual(
      invalid(`event.Records must be records of Kinesis, not of ${service}, got object`)
    )
    expect(told).toEqual([['KPL_ERR_INVALID_INPUT', undefined]])
  })

  test.each(['', 5, {}])('tells records whose eventID is %j apart by their sequence numbers', async eventID => {
    const event = eventOf('a=1', 'b=2')
    const done: string[] = []
    const handler = kinesisHandler(record => done.push(record.id), { seen: new Set() })

    await handler({ Records: event.Records.map(record => ({ ...record, eventID: eventID as string })) }, context)

    expect(done).toEqual(event.Records.map(({ kinesis }) => `${kinesis.sequenceNumber}:0`))
  })

  test('is not made without a function', () => {
    const make = () => kinesisHandler('handler' as never)

    expect(make).toThrow(invalid('handle must be a function, got string'))
  })

  test.each<[unknown, string]>([
    [null, 'options must be an object, got null'],
    [20, 'options must be an object, got number'],
    [new Map([['concurrency', 3]]), 'options must be an object, got object'],
    [
      { reportBatchItemFailure: false },
      'reportBatchItemFailure is not an option, did you mean reportBatchItemFailures?'
    ],
    [{ concurency: 3 }, 'concurency is not an option, did you mean concurrency?'],
    [{ concurrency: '3' }, 'concurrency must be a whole number from 1, got string'],
    [{ onCorrupt: 'throws' }, "onCorrupt must be 'plain', 'throw' or 'skip', got string"],
    [{ afterFailure: 'go' }, "afterFailure must be 'stop' or 'continue', got string"],
    [{ reportBatchItemFailures: 'no' }, 'reportBatchItemFailures must be true or false, got string'],
    [{ reserveMs: '5' }, 'reserveMs must be a number from 0, got string'],
    [{ seen: [] }, 'seen must be an object with has() and add(), got array'],
    [{ onError: console }, 'onError must be a function, got object'],
    [{ timeoutSignal: 5 }, 'timeoutSignal must be a function, got 5'],
    [
      { copy: 1, maxUserRecords: 'all' },
      'copy must be true or false, got 1; maxUserRecords must be a number from 0, got string'
    ]
  ])('is not made with options that will not do: %j', (options, message) => {
    const make = () => kinesisHandler(() => {}, options as never)

    expect(make).toThrow(invalid(message))
  })

  test('rejects when timeoutSignal makes something else', async () => {
    const handler = kinesisHandler(() => {}, { timeoutSignal: () => ({}) as AbortSignal })

    const answer = handler(eventOf('a=1'), context)

    await expect(answer).rejects.toEqual(invalid('timeoutSignal() must be an AbortSignal, got object'))
  })
})

test('userRecords refuses options that will not do at the call', () => {
  const call = () => userRecords(eventOf('a=1'), { concurrency: 3 } as never)

  expect(call).toThrow(
    /^concurrency is not an option, there are shardRange, outOfRange, onCorrupt, maxUserRecords, copy$/
  )
})
