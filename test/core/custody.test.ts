import { expect, test } from 'vitest'
import { Custody } from '../../src/core/custody.ts'
import type { Members } from '../../src/model/kinesis-record.ts'
import { accepted } from '../support/accepted.ts'

test('gives every record that it holds once, also one that stands in two members because it was being moved', () => {
  const custody = new Custody()
  const former = place(custody, 0, 1)
  const later = custody.open(1)
  later.push(facts(1, 'maybe'))
  place(custody, 2)

  const all = custody.takeAll(5000)

  expect(all.numbers).toEqual([0, 1, 2])
  expect([0, 1, 2].map(index => all.historyOf(index)?.persisted)).toEqual(['no', 'maybe', 'no'])
  expect([all.budgetBytes, all.count, former.isDecided, later.isDecided]).toEqual([30, 3, true, true])
})

test('says of a record that was in a request that it may be stored, and since when it was out', () => {
  const custody = new Custody()
  place(custody, 7).sentMs = 4000

  const all = custody.takeAll(5000)

  expect(all.historyOf(0)).toEqual({
    attempts: [
      {
        startMs: 4000,
        endMs: 5000,
        errorCode: 'Unanswered',
        errorMessage: 'the producer gave the request up before its answer came'
      }
    ],
    persisted: 'maybe'
  })
})

test('holds nothing that was decided or moved', () => {
  const custody = new Custody()
  const decided = place(custody, 0)
  const moved = place(custody, 1)
  custody.decided(decided)
  custody.moved(moved)
  const after = custody.open(1)
  after.push(facts(1))

  const held = [0, 1].map(number => custody.holds(number))
  const all = custody.takeAll(5000)

  expect([held, all.numbers, all.budgetBytes, custody.recordCount]).toEqual([[false, true], [1], 10, 1])
})

function place(custody: Custody, ...numbers: number[]): Members {
  const members = custody.open(numbers.length)
  for (const number of numbers) {
    members.push(facts(number))
    custody.placed(10)
  }
  return members
}

function facts(number: number, persisted?: 'no' | 'maybe') {
  const history = persisted && { attempts: [], persisted }
  return accepted('key', 'data', { number, budgetBytes: 10, history })
}
