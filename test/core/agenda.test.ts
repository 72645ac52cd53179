import { expect, test } from 'vitest'
import { Agenda } from '../../src/core/agenda.ts'

/** An agenda, the deadline of each stream, and the streams that were asked for theirs. */
function agendaOf(deadlines: Record<string, number>) {
  const agenda = new Agenda()
  const asked: string[] = []
  const deadlineOf = (streamName: string): number => {
    asked.push(streamName)
    return deadlines[streamName]!
  }
  for (const streamName of Object.keys(deadlines)) agenda.changed(streamName)
  return {
    agenda,
    asked,
    nearestMs: (hasFreeSlot = true) => agenda.nearestMs(hasFreeSlot, deadlineOf),
    due: (nowMs: number) => agenda.due(nowMs, true, deadlineOf)
  }
}

test('only streams that changed are asked for their deadline', () => {
  const deadlines = { a: 30, b: 20, c: 10 }
  const { agenda, asked, nearestMs } = agendaOf(deadlines)
  const first = nearestMs()
  deadlines.c = 40
  deadlines.b = 5

  agenda.changed('c')
  const second = nearestMs()

  expect([first, second]).toEqual([10, 20])
  expect(asked).toEqual(['a', 'b', 'c', 'c'])
})

test('due streams take turns at being first', () => {
  const { due } = agendaOf({ a: 10, b: 10, later: 11, c: 10 })

  const turns = [due(10), due(10), due(10), due(10)]

  expect(turns).toEqual([
    ['b', 'c', 'a'],
    ['c', 'a', 'b'],
    ['c', 'a', 'b'],
    ['a', 'b', 'c']
  ])
})

test('streams that were asked while no request could start are asked again once one can', () => {
  const deadlines = { a: Infinity, b: 50 }
  const { asked, nearestMs } = agendaOf(deadlines)
  const without = nearestMs(false)
  deadlines.a = 0

  const still = nearestMs(false)
  const free = nearestMs(true)
  const again = nearestMs(true)

  expect([without, still, free, again]).toEqual([50, 50, 0, 0])
  expect(asked).toEqual(['a', 'b', 'a', 'b'])
})

test('a stream that changes while it is asked is asked again the next time', () => {
  const agenda = new Agenda()
  const deadlines = [7, 3]
  const deadlineOf = (): number => {
    if (deadlines.length === 2) agenda.changed('a')
    return deadlines.shift()!
  }
  agenda.changed('a')

  const times = [agenda.nearestMs(true, deadlineOf), agenda.nearestMs(true, deadlineOf)]

  expect(times).toEqual([7, 3])
})
