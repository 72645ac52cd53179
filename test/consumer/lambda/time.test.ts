import { describe, expect, test } from 'vitest'
import { kinesisHandler, type LambdaUserRecord } from '../../../src/consumer/lambda.ts'
import { collectWarnings, context, contextWith, errorLog, eventOf, failuresAt, textOf } from './fixture.ts'

const warnings = collectWarnings()

describe('kinesisHandler when the time is up', () => {
  test('tells onError of each user record that is worked on, and once of each', async () => {
    const deadline = new AbortController()
    const { told, onError } = errorLog()
    const handler = kinesisHandler(
      (_record, _context, signal) => {
        queueMicrotask(() => deadline.abort())
        return new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(new Error('aborted'))))
      },
      { concurrency: 2, onError, timeoutSignal: () => deadline.signal }
    )

    const answer = await handler(eventOf('b=hangs', 'c=hangs too', 'b=waits', 'd=never'), context)
    await new Promise(resolve => setImmediate(resolve))

    expect(answer).toEqual(failuresAt(0))
    expect(told).toEqual([
      ['KPL_ERR_TIME_UP', 'hangs'],
      ['KPL_ERR_TIME_UP', 'hangs too']
    ])
  })

  test('tells onError once of those that never started, unless it was a failure that stopped them', async () => {
    const run = async (failing: string) => {
      let leftMs = 4000
      const { told, onError } = errorLog()
      const work = (record: LambdaUserRecord) => {
        leftMs -= 2000
        if (textOf(record) === failing) throw new Error('bad')
      }
      const handler = kinesisHandler(work, { onError, concurrency: 1 })
      const answer = await handler(
        eventOf('a=1', 'b=2', 'c=3', 'd=4'),
        contextWith(() => leftMs)
      )
      return [answer, told]
    }

    const outcomes = [await run('none'), await run('2')]

    expect(outcomes).toEqual([
      [failuresAt(2), [['KPL_ERR_TIME_UP', undefined]]],
      [failuresAt(1), [['bad', '2']]]
    ])
  })

  test('tells onError also when the last function ends in the moment in which the time is up', async () => {
    const deadline = new AbortController()
    const { told, onError } = errorLog()
    const seen = { has: () => false, add: () => queueMicrotask(() => deadline.abort()) }
    const options = { onError, concurrency: 1, seen, timeoutSignal: () => deadline.signal }
    const handler = kinesisHandler(() => {}, options)

    const answer = await handler(eventOf('a=1', 'b=2'), context)

    // Whether the first Kinesis record holds more was not looked at any more.
    expect([answer, told]).toEqual([failuresAt(0), [['KPL_ERR_TIME_UP', undefined]]])
  })

  test('says it in a process warning without onError, with the times', async () => {
    let leftMs = 4000
    const handler = kinesisHandler(
      () => {
        leftMs = 0
      },
      { concurrency: 1 }
    )

    await handler(
      eventOf('a=1', 'b=2'),
      contextWith(() => leftMs)
    )

    const text = 'the time ended (4000 ms at the start, 1000 of them in reserve) before every user record started'
    expect(warnings).toEqual([['KPL_WARN_RECORD_FAILED', `ConsumerError: ${text}`]])
  })

  test('fails the batch with KPL_ERR_TIME_UP when partial answers are not understood', async () => {
    const deadline = new AbortController()
    const options = { reportBatchItemFailures: false, onError: () => {}, timeoutSignal: () => deadline.signal }
    const handler = kinesisHandler(() => {
      queueMicrotask(() => deadline.abort())
      return new Promise(() => {})
    }, options)

    const answer = handler(eventOf('a=1'), context)

    await expect(answer).rejects.toMatchObject({ name: 'ConsumerError', code: 'KPL_ERR_TIME_UP' })
  })
})

describe('kinesisHandler that is given less time than its reserve', () => {
  test.each([1000, 999.5, 10, 1])('works in half of %j ms, and warns', async leftMs => {
    const done: string[] = []
    let askedMs: number | undefined
    const handler = kinesisHandler(record => done.push(textOf(record)), {
      timeoutSignal: ms => {
        askedMs = ms
        return new AbortController().signal
      }
    })

    const answer = await handler(
      eventOf('a=1', 'b=2'),
      contextWith(() => leftMs)
    )

    expect([answer, done, askedMs]).toEqual([failuresAt(), ['1', '2'], Math.floor(leftMs / 2)])
    expect(warnings).toEqual([
      [
        'KPL_WARN_RESERVE',
        `${Math.round(leftMs)} ms are left at the start, and reserveMs is 1000: half of it is kept in reserve; ` +
          'raise the function timeout, or lower reserveMs'
      ]
    ])
  })

  test('tells that there was no time when there was none', async () => {
    const { told, onError } = errorLog()
    const handler = kinesisHandler(() => {}, { onError })

    const answer = await handler(
      eventOf('a=1'),
      contextWith(() => 0)
    )

    expect([answer, told]).toEqual([failuresAt(0), [['KPL_ERR_TIME_UP', undefined]]])
  })

  test.each([-1, Number.NaN])('is not made with a reserveMs of %j', reserveMs => {
    const make = () => kinesisHandler(() => {}, { reserveMs })

    expect(make).toThrow(`reserveMs must be a number from 0, got ${reserveMs}`)
  })
})
