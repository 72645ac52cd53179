import { expect, test } from 'vitest'
import { expired } from '../../src/core/failures.ts'
import { callBack } from '../../src/core/settlement.ts'
import type { RecordFailedError } from '../../src/model/errors.ts'
import type { Settlement } from '../../src/model/exchange.ts'
import { type History, Members } from '../../src/model/kinesis-record.ts'
import type { Attempt } from '../../src/model/results.ts'
import { PipelineWorld, shards } from '../parity/pipeline-world.ts'
import { accepted, sealed } from '../support/accepted.ts'

const throttle: Attempt = { startMs: 1, endMs: 2, errorCode: 'ProvisionedThroughputExceededException' }
const reset: Attempt = { startMs: 3, endMs: 4, errorCode: 'ECONNRESET' }

test('members of one Kinesis record with different histories are each told their own', () => {
  const errors: RecordFailedError[] = []
  const members = new Members()
  const histories: (History | undefined)[] = [
    undefined,
    { attempts: [throttle], persisted: 'no' },
    { attempts: [throttle, reset], persisted: 'maybe' }
  ]
  for (const history of histories) {
    members.push(accepted('key', 'data', { history, settle: error => void errors.push(error!) }))
  }
  const failure = expired('s', 1_000, sealed())
  const settlement: Settlement = { kind: 'failed', members, attempts: [], persisted: 'no', failure }

  callBack(
    settlement,
    () => {},
    error => expect.fail(String(error))
  )

  const told = errors.map(({ message, serviceCode, persisted, attempts }) => ({
    message: message.split('; ')[1],
    serviceCode,
    persisted,
    attempts
  }))
  expect(told).toEqual([
    { message: 'it was never sent', serviceCode: undefined, persisted: 'no', attempts: [] },
    {
      message: `last attempt: ${throttle.errorCode}`,
      serviceCode: throttle.errorCode,
      persisted: 'no',
      attempts: [throttle]
    },
    { message: 'last attempt: ECONNRESET', serviceCode: 'ECONNRESET', persisted: 'maybe', attempts: [throttle, reset] }
  ])
})

test('a record whose answer is held when it is given up has that answer among its attempts', () => {
  const world = new PipelineWorld(shards([0]))
  const slot = world.put('x', 1n)
  world.put('y', 1n)
  world.answer(world.flush(), [{ shardId: 'shardId-000000000009', sequenceNumber: '7' }])

  world.stream.abandon({ code: 'KPL_ERR_CLOSE_TIMEOUT', message: 'closed' }, world.nowMs)
  world.pass(0)

  const [error] = slot.fate!
  expect([error?.persisted, error?.message, error?.attempts]).toMatchObject([
    'maybe',
    'closed; last attempt: WrongShard: stored in a shard whose hash key range does not hold every user record',
    [{ errorCode: 'WrongShard', shardId: 'shardId-000000000009', sequenceNumber: '7' }]
  ])
})
