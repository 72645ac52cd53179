/** Test doubles refuse wrong arguments at the call, so that a test fails where it is wrong. */
import { expect, test } from 'vitest'
import { OptionsError } from '../../src/index.ts'
import {
  DiscardTransport,
  FakeGlue,
  FakeKinesis,
  FaultPlan,
  InMemoryTransport,
  readAsKcl,
  startFakeGlue,
  startFakeKinesisServer,
  VirtualClock
} from '../../src/testing/index.ts'

const clock = new VirtualClock()
const wrong = (value: unknown): never => value as never

test.each<[string, () => unknown, string]>([
  [
    'FakeKinesis with a clock in place of a time',
    () => new FakeKinesis(wrong({ clock })),
    'FakeKinesis: nowMs is missing; FakeKinesis: clock is not an option, there are nowMs, accountId, region, random, throughputLimits, creatingMs, deletingMs, updatingMs, retentionMs, storage'
  ],
  [
    'FakeKinesis without options',
    () => new FakeKinesis(wrong(undefined)),
    'FakeKinesis: nowMs is missing; FakeKinesis: options must be an object, got undefined'
  ],
  [
    'InMemoryTransport without a clock',
    () => new InMemoryTransport(wrong({ kinesis: new FakeKinesis({ nowMs: () => 0 }) })),
    'InMemoryTransport: clock is missing'
  ],
  [
    'InMemoryTransport with a negative latency',
    () => new InMemoryTransport({ kinesis: new FakeKinesis({ nowMs: () => 0 }), clock, latencyMs: -1 }),
    'InMemoryTransport: latencyMs must be a number from 0, or a function that returns one, got -1'
  ],
  [
    'DiscardTransport with a misspelt option',
    () => new DiscardTransport(wrong({ shardCount: 4 })),
    'DiscardTransport: shardCount is not an option, there are shards, clock, latencyMs'
  ],
  [
    'FaultPlan of one rule',
    () => new FaultPlan(wrong({ action: { kind: 'reset' } })),
    'FaultPlan: rules must be a list of rules, got Object'
  ],
  [
    'a rule with an unknown action',
    () => new FaultPlan().add(wrong({ action: { kind: 'resets' } })),
    'FaultPlan: a rule must be { match, action: { kind, ... }, times } with a kind of failRecords, throttle, failRequest, reset, silence, rawAnswer, delay, shuffle, staleShards, recordCount, got Object'
  ],
  [
    'a rule with a misspelt condition, which would match every request',
    () => new FaultPlan([wrong({ match: { operations: 'PutRecords' }, action: { kind: 'reset' } })]),
    'FaultPlan, the match of a rule: operations is not an option, did you mean operation?'
  ],
  [
    'a rule with a misspelt field',
    () => new FaultPlan([wrong({ action: { kind: 'reset' }, time: 1 })]),
    'FaultPlan, a rule: time is not an option, did you mean times?'
  ],
  [
    'readAsKcl of a transport',
    () => readAsKcl(wrong({}), 'orders'),
    'readAsKcl: kinesis must be a FakeKinesis, got Object'
  ],
  [
    'FakeGlue with a misspelt option',
    () => new FakeGlue(wrong({ pendingPoll: 1 })),
    'FakeGlue: pendingPoll is not an option, did you mean pendingPolls?'
  ]
])('%s', (_what, call, message) => {
  expect(call).toThrow(OptionsError)
  expect(call).toThrow(`Invalid options: ${message}`)
})

test.each([
  [
    'startFakeKinesisServer',
    () => startFakeKinesisServer(wrong({ port: '4567' })),
    'startFakeKinesisServer: port must be a number from 0 to 65535, got string'
  ],
  ['startFakeGlue', () => startFakeGlue(wrong(null)), 'startFakeGlue: options must be an object, got null']
])('%s rejects wrong options', async (_name, call, message) => {
  await expect(call()).rejects.toThrow(`Invalid options: ${message}`)
})
