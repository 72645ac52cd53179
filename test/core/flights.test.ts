import { expect, test } from 'vitest'
import { Flights } from '../../src/core/flights.ts'
import type { Stream } from '../../src/core/stream.ts'
import type { LaneBatch } from '../../src/lanes/lane.ts'
import { sealed } from '../support/accepted.ts'

const STREAM = {} as Stream

test('a request lands once', () => {
  const flights = new Flights(500)
  const flight = flights.start(STREAM, batch(1_000))

  const heard = [flights.count, flights.land(flight), flights.land(flight), flights.count]

  expect(heard).toEqual([1, true, false, 0])
})

test('a request is given up a time-out after the first of its records has expired, and does not land after that', () => {
  const flights = new Flights(500)
  const flight = flights.start(STREAM, batch(1_000, 3_000))
  flights.start(STREAM, batch(9_000))

  const early = flights.takeLate(1_499)
  const due = [flights.nextDeadlineMs, flights.takeLate(1_500)]

  expect([early, due, flights.land(flight), flights.count]).toEqual([[], [1_500, [flight]], false, 1])
  expect(flights.nextDeadlineMs).toBe(9_500)
})

test('with nothing under way nothing is due', () => {
  const flights = new Flights(500)
  flights.start(STREAM, batch(1_000))

  const all = flights.takeAll().length

  expect([all, flights.count, flights.nextDeadlineMs]).toEqual([1, 0, Number.POSITIVE_INFINITY])
})

function batch(...expirationsMs: number[]): LaneBatch {
  const entries = expirationsMs.map(expirationMs => sealed({ expirationMs }))
  return { entries, requestBytes: 7 * entries.length, isIsolated: false }
}
