import { describe, expect, test } from 'vitest'
import { StreamStatus } from '../../src/core/stream-status.ts'

const INTERVAL_MS = 300_000
/** With a random number of 0 nothing is spread. */
const noJitter = () => 0

describe('summaries', () => {
  test('are fetched one at a time, and two start at least a second apart', () => {
    const status = new StreamStatus(noJitter, INTERVAL_MS)
    status.ask(0)

    const first = [status.startIfDue(0), status.startIfDue(0), status.nextDeadlineMs]
    status.ask(10)
    const underWay = [status.startIfDue(5_000), status.nextDeadlineMs]
    status.told('ACTIVE', 20)

    expect([first, underWay, status.nextDeadlineMs, status.startIfDue(999), status.startIfDue(1_000)]).toEqual([
      [true, false, Infinity],
      [false, Infinity],
      1_000,
      false,
      true
    ])
  })

  test('of a stream that is being created come again, from one second to five', () => {
    const status = new StreamStatus(noJitter, INTERVAL_MS)

    const waitsMs = polls(status, ['CREATING', 'CREATING', 'CREATING', 'CREATING', 'CREATING', 'CREATING'])

    expect(waitsMs).toEqual([1_000, 1_500, 2_250, 3_375, 5_000, 5_000])
  })

  test('of many producers that wait for one stream are spread by a quarter', () => {
    const status = new StreamStatus(() => 1, INTERVAL_MS)

    expect(polls(status, ['CREATING'])).toEqual([1_250])
  })

  test.each(['ACTIVE', 'UPDATING', 'DELETING', 'MISSING', undefined])('that say %s are not asked for again', told => {
    const status = new StreamStatus(noJitter, INTERVAL_MS)

    expect(polls(status, [told])).toEqual([Infinity])
  })

  test('that cannot be had do not end a creation', () => {
    const status = new StreamStatus(noJitter, INTERVAL_MS)

    const waitsMs = polls(status, ['CREATING', undefined, undefined])

    expect([waitsMs, status.isCreating]).toEqual([[1_000, 1_500, 2_250], true])
  })

  test('say when the stream is ready, once', () => {
    const status = new StreamStatus(noJitter, INTERVAL_MS)

    const news = [undefined, 'CREATING', 'CREATING', 'ACTIVE', 'ACTIVE'].map(told => status.told(told, 0))

    expect(news).toEqual([undefined, undefined, undefined, 'ready', undefined])
  })

  test('are asked for again by a stream in use once they are as old as the interval', () => {
    const status = new StreamStatus(noJitter, INTERVAL_MS)
    status.told('ACTIVE', 1_000)

    const dueMs = [1_000, 200_000, 300_999, 301_000].map(nowMs => {
      status.answered(nowMs)
      return status.nextDeadlineMs
    })

    expect(dueMs).toEqual([Infinity, Infinity, Infinity, 301_000])
  })
})

describe('a refusal that denies the stream', () => {
  test.each(['MISSING', 'DELETING', undefined])('is believed when a fresh summary says %s', told => {
    const status = fetched(told, 0)

    expect([status.believes(5_000), status.nextDeadlineMs]).toEqual([true, Infinity])
  })

  test('is never believed while the stream is being created', () => {
    const status = fetched('CREATING', 0)

    expect([5_001, 1e9].map(nowMs => status.believes(nowMs))).toEqual([false, false])
  })

  test('asks for another summary when the last one is older than five seconds, and the answer is worth a probe', () => {
    const status = fetched('MISSING', 0)

    const early = [status.believes(5_001), status.startIfDue(5_001)]
    const news = status.told('MISSING', 5_010)

    expect([early, news, status.believes(5_020)]).toEqual([[false, true], 'known', true])
  })

  test.each(['ACTIVE', 'UPDATING'])('is doubted for five seconds when the summary says %s', told => {
    const status = fetched(told, 0)

    const believed = [0, 100, 4_999, 5_000].map(nowMs => status.believes(nowMs))

    expect(believed).toEqual([false, false, false, true])
  })

  test('is doubted for five seconds when the summary does not come', () => {
    const status = new StreamStatus(noJitter, INTERVAL_MS)
    status.ask(0)
    status.startIfDue(0)

    const believed = [100, 5_099, 5_100].map(nowMs => status.believes(nowMs))

    expect(believed).toEqual([false, false, true])
  })

  test('is doubted anew after the stream took a request', () => {
    const status = fetched('ACTIVE', 0)
    status.believes(100)

    status.answered(1_000)

    expect([status.believes(60_000), status.believes(64_999)]).toEqual([false, false])
  })
})

/** Fetches summaries that say so, and returns how long after each the next one is due. */
function polls(status: StreamStatus, says: readonly (string | undefined)[]): number[] {
  let nowMs = 0
  status.ask(nowMs)
  return says.map(told => {
    status.startIfDue(nowMs)
    status.told(told, nowMs)
    const waitMs = status.nextDeadlineMs - nowMs
    nowMs = status.nextDeadlineMs
    return waitMs
  })
}

function fetched(told: string | undefined, nowMs: number): StreamStatus {
  const status = new StreamStatus(noJitter, INTERVAL_MS)
  status.ask(nowMs)
  status.startIfDue(nowMs)
  status.told(told, nowMs)
  return status
}
