import { expect, test } from 'vitest'
import { Lane } from '../../src/lanes/lane.ts'
import { accepted } from '../support/accepted.ts'
import { laneOf, Packing } from '../support/lanes.ts'

test('a record that must leave alone leaves behind what its lane has open, and before what other lanes have', () => {
  const packing = new Packing()
  packing.add(accepted('key', 'first', { number: 1 }), laneOf('one'))
  packing.add(accepted('key', 'second', { number: 2 }), laneOf('one'))
  packing.add(accepted('other', 'third', { number: 3 }), laneOf('two'))

  packing.addAlone(accepted('key', 'fourth', { number: 4 }), laneOf('one'), true)

  expect(packing.sealed.map(({ members }) => members.numbers)).toEqual([[1, 2], [4]])
  expect(packing.openCount).toBe(1)
})

test('in the lane of an unknown shard only records of one hash key share an envelope', () => {
  const packing = new Packing()
  const lane = new Lane({ kind: 'stream' }, 150, 0)
  for (const [number, key, explicitHashKey] of [
    [1, 'a', undefined],
    [2, 'b', undefined],
    [3, 'a', '7'],
    [4, 'b', '7'],
    [5, 'a', undefined]
  ] as const) {
    packing.add(accepted(key, `${number}`, { number, explicitHashKey }), lane)
  }

  packing.sealAll()

  expect(packing.sealed.map(({ members }) => members.numbers)).toEqual([[1, 5], [2], [3, 4]])
})

test('what lanes that are gone have open is sealed, and nothing else', () => {
  const packing = new Packing()
  packing.add(accepted('key', 'one', { number: 1 }), laneOf('one'))
  packing.add(accepted('key', 'two', { number: 2 }), laneOf('two'))

  laneOf('one').isGone = true
  const sealed = packing.aggregator.sealGone()

  expect([sealed.map(({ members }) => members.numbers), packing.openCount]).toEqual([[[1]], 1])
})

test('with an envelope that is due, those leave that are due soon or hold little, and no other', () => {
  const packing = new Packing({ sealTogetherMs: 50 })
  const large = Buffer.alloc(7000)
  packing.add(accepted('key', 'due', { number: 1, sealByMs: 80 }), laneOf('due'))
  packing.add(accepted('key', large, { number: 2, sealByMs: 130 }), laneOf('due soon'))
  packing.add(accepted('key', 'little', { number: 3, sealByMs: 150 }), laneOf('little'))
  packing.add(accepted('key', large, { number: 4, sealByMs: 131 }), laneOf('neither'))

  packing.sealDue(79)
  const before = packing.sealed.length
  packing.sealDue(80)

  expect(before).toBe(0)
  expect(packing.sealed.map(({ members }) => members.numbers)).toEqual([[1], [2], [3]])
  expect([packing.openCount, packing.nextDeadlineMs]).toEqual([1, 131])
})

test('an envelope of few bytes is not little when it has an eighth of the user records that it may have', () => {
  const packing = new Packing({ aggregationMaxCount: 16 })
  packing.add(accepted('key', 'due', { number: 1, sealByMs: 80 }), laneOf('due'))
  for (const number of [2, 3]) packing.add(accepted('key', 'x', { number, sealByMs: 150 }), laneOf('two of 16'))

  packing.sealDue(80)

  expect(packing.sealed.map(({ members }) => members.numbers)).toEqual([[1]])
})
