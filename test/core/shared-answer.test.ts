import { describe, expect, test } from 'vitest'
import { SharedAnswer } from '../../src/core/shared-answer.ts'
import { RecordFailedError } from '../../src/model/errors.ts'
import { type Joiner, Members } from '../../src/model/kinesis-record.ts'
import type { PutResult, SettleCallback } from '../../src/model/results.ts'
import { accepted } from '../support/accepted.ts'

describe('callers who joined the same members', () => {
  test('take their answers in the order in which they joined, whatever stands between them', () => {
    const { members, shared } = joined(['joins', 'calls back', 'joins', 'aborted', 'joins'])
    members.settles[3] = undefined
    shared.decide(resultAt)

    const taken = [shared.take(), shared.take(), shared.take()]

    expect(taken).toEqual([0, 2, 4].map(resultAt))
  })

  test('are each thrown the error of their own record', () => {
    const { shared } = joined(['joins', 'joins'])
    shared.decide(index => {
      throw failureAt(index)
    })

    const thrown = [0, 1].map(() => {
      try {
        return shared.take()
      } catch (error) {
        return error
      }
    })

    expect(thrown).toEqual([failureAt(0), failureAt(1)])
  })

  test('take an answer that comes later for a record that left, and the same one however often it leaves', () => {
    const { shared, later } = joined(['joins', 'joins'])
    const settle = shared.leave(1)
    const again = shared.leave(1)
    shared.decide(resultAt)

    const taken = [shared.take(), shared.take()]

    expect([again === settle, later.length]).toEqual([true, 1])
    expect(taken).toEqual([resultAt(0), 'later 0'])
  })

  test('cannot take an answer before there is one', () => {
    const { shared } = joined(['joins'])

    expect(() => shared.take()).toThrow(new RangeError('the record at 0 has no answer'))
  })
})

type Kind = 'joins' | 'calls back' | 'aborted'

function joined(kinds: readonly Kind[]) {
  const later: SettleCallback[] = []
  const members = new Members()
  const shared = new SharedAnswer(members, () => {
    const settle: SettleCallback = () => {}
    later.push(settle)
    return { answer: `later ${later.length - 1}`, settle }
  })
  const joiner: Joiner = {
    settle: undefined,
    open: () => ({ join() {}, decide() {}, leave: index => shared.leave(index), end() {} })
  }
  for (const kind of kinds) members.push(accepted('key', 'data', { settle: kind === 'joins' ? joiner : () => {} }))
  return { members, shared, later }
}

function resultAt(index: number): PutResult {
  return { shardId: 'shardId-0', sequenceNumber: '1', subSequenceNumber: index, attempts: [] }
}

function failureAt(index: number): RecordFailedError {
  return new RecordFailedError({ code: 'KPL_ERR_EXPIRED', message: `of ${index}`, persisted: 'no', attempts: [] })
}
