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

  test('is not made without a function', () => {
    const make = () => kinesisHandler('handler' as never)

    expect(make).toThrow(invalid('handle must be a function, got string'))
  })
})
