/** Fields of a record that nobody reads, under a name that is a slip: said once, since the record goes elsewhere. */
import { expect, test } from 'vitest'
import { unreadField } from '../../src/model/record-hints.ts'
import { Harness } from '../support/harness.ts'

test.each([
  [{ partitionKey: 'k', data: '', stream: 'other' }, 'stream is not read: write streamName'],
  [{ partitionKey: 'k', data: '', explicitHashkey: '7' }, 'explicitHashkey is not read: write explicitHashKey'],
  [{ partitionKey: 'k', data: '', explicit_hash_key: '7' }, 'explicit_hash_key is not read: write explicitHashKey'],
  [{ partitionKey: 'k', data: '', streamARN: 'x' }, 'streamARN is not read: write streamName'],
  [{ partitionKey: 'k', data: '', streamname: 'x' }, 'streamname is not read: write streamName'],
  [{ partitionKey: 'k', data: '', signal: 'x' }, 'signal is not read: write put(record, { signal })'],
  [{ partitionKey: 'k', data: '', stream: 'mine', streamName: 'other' }, undefined],
  [{ partitionKey: 'k', data: '', id: 7, orderStream: 1 }, undefined],
  [{ partitionKey: 'k', data: '' }, undefined]
])('%o: %s', (record, said) => {
  expect(unreadField(record)).toBe(said)
})

test('the first record with one is put, and the slip is told once', async () => {
  const warnings: unknown[] = []
  const note = (message: string, fields: unknown): void => void warnings.push([message, fields])
  const logger = { debug: () => {}, info: () => {}, warn: note, error: () => {} }
  const harness = await new Harness({ logger }).warm()
  const record = { partitionKey: 'k', data: 'v', stream: 'other' }

  const puts = [harness.producer.put(record), harness.producer.put(record)]
  await harness.pass(2_000)

  expect((await Promise.all(puts)).length).toBe(2)
  expect(warnings).toEqual([
    [
      'the producer took a record and ignored one of its fields: stream is not read: write streamName',
      { code: 'KPL_WARN_RECORD_FIELD' }
    ]
  ])
})

test('a record whose names cannot be looked at is taken as it is, and told once', async () => {
  const harness = await new Harness().warm()
  const ownKeys = (): never => {
    throw new Error('no names')
  }
  const settled: unknown[] = []

  const isTaken = harness.producer.tryPut(new Proxy({ partitionKey: 'k', data: 'v' }, { ownKeys }), error =>
    settled.push(error)
  )
  await harness.pass(2_000)

  expect([isTaken, settled]).toEqual([true, [undefined]])
})

test("a record for the stream null is refused, and does not go to the producer's own", async () => {
  const harness = await new Harness().warm()
  const record = { partitionKey: 'k', data: 'v', streamName: null as unknown as string }

  const thrown = await harness.producer.put(record).catch((error: unknown) => error)

  expect(thrown).toMatchObject({
    code: 'KPL_ERR_INVALID_RECORD',
    field: 'streamName',
    message: 'streamName must be a stream name or a stream ARN, got null'
  })
})
