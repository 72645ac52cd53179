import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { aggregate } from '../../../src/consumer/deaggregate.ts'
import {
  type KinesisHandlerOptions,
  kinesisHandler,
  type LambdaStreamEvent,
  type UserRecordHandler
} from '../../../src/consumer/lambda.ts'
import { kinesisEvent } from '../../../src/testing/index.ts'
import { collectWarnings, context, errorLog, eventOf, failuresAt, sequenceNumber, textOf } from './fixture.ts'

const FAULT = new Error('a fault of the user')
const thrower = () => {
  throw FAULT
}
const rejecter = () => Promise.reject(FAULT)
const thenable = () => Object.defineProperty({}, 'then', { get: thrower })
/** Throws when it is asked for its text. */
const UNSPEAKABLE = { toString: null }

const warnings = collectWarnings()
const unhandled: unknown[] = []
const keep = (error: unknown) => unhandled.push(error)
beforeEach(() => {
  unhandled.length = 0
  process.on('unhandledRejection', keep)
})
afterEach(() => {
  process.off('unhandledRejection', keep)
})

/** Runs three user records of three keys, the second of which fails; the answer, once nothing runs any more. */
async function play(options: KinesisHandlerOptions, handle: UserRecordHandler<unknown> = failSecond) {
  const answer = await kinesisHandler(handle, { concurrency: 1, afterFailure: 'continue', ...options })(
    eventOf('a=1', 'b=2', 'c=3'),
    context
  )
  await new Promise(resolve => setImmediate(resolve))
  return answer
}

const failSecond: UserRecordHandler<unknown> = record => {
  if (textOf(record) === '2') throw new Error('bad')
}

describe('an onError', () => {
  test.each([
    ['throws', thrower],
    ['rejects', rejecter],
    ['returns a thenable that throws', thenable]
  ])('that %s changes nothing in the answer, and is a process warning', async (_, onError) => {
    const answer = await play({ onError })

    expect(answer).toEqual(failuresAt(1))
    expect(warnings).toEqual([['KPL_WARN_CALLBACK_THREW', 'onError threw: Error: a fault of the user']])
    expect(unhandled).toEqual([])
  })

  test('that throws what has no text does not disturb either', async () => {
    const onError = () => {
      throw UNSPEAKABLE
    }

    const answer = await play({ onError })

    expect(answer).toEqual(failuresAt(1))
    expect(warnings).toEqual([['KPL_WARN_CALLBACK_THREW', 'onError threw: an error without a text']])
  })

  test('that returns a promise is waited for, and no longer than there is time', async () => {
    const order: string[] = []
    const deadline = new AbortController()
    const slow = () =>
      new Promise<void>(resolve =>
        setImmediate(() => {
          order.push('told')
          resolve()
        })
      )
    const endless = () => {
      setImmediate(() => {
        order.push('time is up')
        deadline.abort()
      })
      return new Promise(() => {})
    }
    const run = async (onError: () => unknown) => {
      await kinesisHandler(thrower, { onError, timeoutSignal: () => deadline.signal })(eventOf('a=1'), context)
      order.push('answered')
    }

    await run(slow)
    await run(endless)

    expect(order).toEqual(['told', 'answered', 'time is up', 'answered'])
  })
})

describe('a failure that nobody is there to be told of', () => {
  test.each([
    ['Error: a fault of the user', FAULT],
    ['an error without a text', UNSPEAKABLE],
    ['undefined', undefined]
  ])('is a process warning: %s', async (text, thrown) => {
    const answer = await play({}, record => {
      if (textOf(record) === '2') throw thrown
    })

    expect(answer).toEqual(failuresAt(1))
    expect([warnings, unhandled]).toEqual([
      [['KPL_WARN_RECORD_FAILED', `${text}, sequence number ${sequenceNumber(1)}`]],
      []
    ])
  })
})

describe('the warning of a failure', () => {
  const shardId = 'shardId-000000000003'

  test('names shard, sequence number and place in the aggregate, and neither key nor data', async () => {
    const [aggregated] = [
      ...aggregate([
        { partitionKey: 'key one', data: 'fine' },
        { partitionKey: 'key two', data: 'secret' }
      ])
    ]
    const event = kinesisEvent([{ ...aggregated!, shardId, sequenceNumber: sequenceNumber(0) }])
    const handler = kinesisHandler(record => {
      if (textOf(record) === 'secret') throw new Error('no 3')
    })

    const [record] = event.Records
    const odd = { ...record!, eventID: 'key\u0000', kinesis: { ...record!.kinesis, sequenceNumber: 'not one' } }

    await handler(event, context)
    await handler({ Records: [odd] }, context)

    const place = `shard ${shardId}, sequence number ${sequenceNumber(0)}, sub-sequence number 1`
    expect(warnings).toEqual([
      ['KPL_WARN_RECORD_FAILED', `Error: no 3, ${place}`],
      ['KPL_WARN_RECORD_FAILED', 'Error: no 3, sub-sequence number 1']
    ])
  })

  test('names the Kinesis record that cannot be read', async () => {
    const [good] = kinesisEvent([{ data: 'x', shardId, sequenceNumber: sequenceNumber(0) }]).Records
    const event = { Records: [{ ...good!, kinesis: { ...good!.kinesis, data: 5 as never } }] }

    await kinesisHandler(() => {})(event, context)

    const fault = 'ConsumerError: data must be a Uint8Array or base64 text, got number'
    const place = `shard ${shardId}, sequence number ${sequenceNumber(0)}`
    expect(warnings).toEqual([['KPL_WARN_RECORD_FAILED', `${fault}, ${place}`]])
  })
})

describe('a function that changes the event', () => {
  test.each<[string, (event: LambdaStreamEvent) => void]>([
    ['takes records out of it', event => (event.Records as unknown[]).splice(0)],
    ['turns it round', event => (event.Records as unknown[]).reverse()],
    [
      'takes the sequence numbers away',
      event => {
        for (const record of event.Records) Object.assign(record, { kinesis: null })
      }
    ],
    [
      'gives other sequence numbers',
      event => {
        for (const { kinesis } of event.Records) Object.assign(kinesis, { sequenceNumber: sequenceNumber(9) })
      }
    ]
  ])('does not change the answer: it %s', async (_, change) => {
    const event = eventOf('a=1', 'b=2', 'c=3', 'd=4')
    const handler = kinesisHandler(
      record => {
        if (textOf(record) !== '2') return
        change(event)
        throw FAULT
      },
      { concurrency: 1, onError: () => {} }
    )

    const answer = await handler(event, context)

    expect(answer).toEqual(failuresAt(1))
  })
})

describe('seen and the function', () => {
  test.each<[string, Partial<KinesisHandlerOptions>, UserRecordHandler<unknown>]>([
    ['seen.has throws', { seen: { has: thrower, add: () => {} } }, () => {}],
    ['seen.has rejects', { seen: { has: rejecter, add: () => {} } }, () => {}],
    ['seen.has returns a thenable that throws', { seen: { has: thenable as never, add: () => {} } }, () => {}],
    ['seen.add throws', { seen: { has: () => false, add: thrower } }, () => {}],
    ['seen.add rejects', { seen: { has: () => false, add: rejecter } }, () => {}],
    ['the function throws', {}, thrower],
    ['the function rejects', {}, rejecter],
    ['the function returns a thenable that throws', {}, thenable]
  ])('fail each user record for which %s, and onError that throws does not matter', async (_, options, handle) => {
    const { told, onError } = errorLog()
    const telling = (...failure: Parameters<typeof onError>) => {
      onError(...failure)
      throw new Error('log is down')
    }

    const answer = await play({ ...options, onError: telling }, handle)

    expect([answer, told]).toEqual([failuresAt(0), ['1', '2', '3'].map(text => ['a fault of the user', text])])
    expect(unhandled).toEqual([])
  })
})
