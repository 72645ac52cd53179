import { expect, test } from 'vitest'
import type { ShardState, StreamState } from '../../src/stats/stats.ts'
import { STREAM } from '../support/harness.ts'
import { KEYS, Observed, SHARDS } from './fixture.ts'

test('after a messy run every name that stats() has twice has one number', async () => {
  const observed = await messy()

  const { shards, ...stream } = observed.stats().streams[STREAM]!

  const twice = Object.keys(stream.metrics).filter(name => nameIn(stream, name) !== undefined)
  expect(twice.sort()).toEqual([
    'AllErrors',
    'KinesisRecordsDataPut',
    'KinesisRecordsPut',
    'UserRecordExpired',
    'UserRecordsDataPut',
    'UserRecordsPending',
    'UserRecordsPut',
    'UserRecordsReceived',
    'UserRecordsRefused'
  ])
  // Pending is a gauge, which a sum of samples is not.
  const sums = (state: object & Pick<StreamState | ShardState, 'metrics'>) =>
    Object.entries(state.metrics)
      .filter(([name]) => twice.includes(name) && name !== 'UserRecordsPending')
      .map(([name, { sum }]) => [name, sum])
  const counters = (state: object & Pick<StreamState | ShardState, 'metrics'>) =>
    sums(state).map(([name]) => [name, nameIn(state, String(name)) ?? state.metrics[name as 'AllErrors'].sum])
  for (const state of [stream, ...Object.values(shards)]) expect(counters(state)).toEqual(sums(state))
  const { min, max } = stream.metrics.UserRecordsPending
  expect(min <= stream.userRecordsPending && stream.userRecordsPending <= max).toBe(true)
})

test('a misrouted aggregate counts as a Kinesis record put, by either name, as with the KPL', async () => {
  const observed = await messy()

  const { kinesisRecordsPut, mispredicted, allErrors, throttled, userRecordExpired } = observed.stats().streams[STREAM]!

  const stored = observed.harness.kinesis.storedRecords(STREAM).length
  expect([kinesisRecordsPut, mispredicted > 0, allErrors > 0, throttled > 0, userRecordExpired]).toEqual([
    stored,
    true,
    true,
    true,
    1
  ])
})

/** A throttle, a failed request, an expiry, and aggregates that land in the halves of a shard that has split. */
async function messy(): Promise<Observed> {
  const observed = await new Observed({ shardCount: 2, recordTtlMs: 5_000 }).open()
  const { faults, kinesis } = observed.harness
  faults.add({ match: { operation: 'PutRecords' }, action: { kind: 'throttle', shardIds: [SHARDS[1]] }, times: 1 })
  await observed.send([KEYS[0], 'a'], [KEYS[1], 'b'])
  faults.add({
    match: { operation: 'PutRecords' },
    action: { kind: 'failRequest', errorCode: 'Odd', statusCode: 400 },
    times: 1
  })
  await observed.send([KEYS[0], 'c'])
  const lift = faults.add({ match: { operation: 'PutRecords' }, action: { kind: 'throttle' } })
  observed.put(KEYS[0], 'expires')
  await observed.harness.pass(6_000)
  lift()
  kinesis.splitShard({ StreamName: STREAM, ShardToSplit: SHARDS[0], NewStartingHashKey: String(2n ** 126n) })
  await observed.harness.pass(100)
  await observed.send(...Array.from({ length: 40 }, (_, i) => [`key-${i}`, `d${i}`] as const))
  await observed.harness.pass(10_000)
  return observed
}

function nameIn(state: object, metric: string): number | undefined {
  const value: unknown = Reflect.get(state, `${metric[0]!.toLowerCase()}${metric.slice(1)}`)
  return typeof value === 'number' ? value : undefined
}
