import { expect, test } from 'vitest'
import type { KinesisProducer } from '../../src/index.ts'
import { OptionsError } from '../../src/model/errors.ts'
import { Harness } from '../support/harness.ts'

const RECORD = { partitionKey: 'k', data: 'v' }

/** Calls as JavaScript may write them. */
type Loose = Record<'put' | 'flush' | 'close' | 'writable', (...values: unknown[]) => Promise<unknown>>

test.each<[string, (producer: Loose) => unknown, string]>([
  [
    'put with a time-out',
    producer => producer.put(RECORD, { timeoutMs: 100 }),
    'put takes { signal }; timeoutMs is no such field: write signal; recordTtlMs bounds how long a record may take, and ' +
      'signal takes it back'
  ],
  [
    'put with a callback',
    producer => producer.put(RECORD, () => {}),
    'put takes { signal }, got function; tryPut(record, callback) takes a callback'
  ],
  ['put with a list', producer => producer.put(RECORD, [RECORD]), 'put takes { signal }, got array'],
  [
    'flush with a number',
    producer => producer.flush(100),
    'flush takes { signal }, got number; flush waits until every record has settled; recordTtlMs bounds that'
  ],
  [
    'flush with a time-out',
    producer => producer.flush({ timeoutMs: 1 }),
    'flush takes { signal }; timeoutMs is no such field: write signal; flush waits until every record has settled; ' +
      'recordTtlMs bounds that'
  ],
  [
    'writable with another name',
    async producer => producer.writable({ onError: () => {} }),
    'writable takes { highWaterMark, onFailure }; onError is no such field'
  ]
])('%s is refused, and takes nothing', async (_, call, fault) => {
  const harness = await new Harness().warm()

  const thrown = await Promise.resolve(call(loose(harness.producer))).catch((error: unknown) => error)

  expect([thrown instanceof OptionsError, (thrown as Error).message]).toEqual([true, `Invalid options: ${fault}`])
  expect(harness.producer.stats().bufferedRecords).toBe(0)
})

test.each<[string, unknown, string]>([
  ['a number', 5000, 'close takes { timeoutMs }, got number; write close({ timeoutMs: 5000 })'],
  ['another name', { timeout: 1000 }, 'close takes { timeoutMs }; timeout is no such field: write timeoutMs'],
  ['a negative time', { timeoutMs: -1 }, 'close takes { timeoutMs }, a number of ms from 0, got -1'],
  ['a text', { timeoutMs: '5 s' }, 'close takes { timeoutMs }, a number of ms from 0, got string']
])('close with %s delivers what is buffered, and then rejects', async (_, options, fault) => {
  const harness = await new Harness().warm()
  const put = harness.put('k', 'buffered')

  const closing = loose(harness.producer).close(options)
  const thrown = await harness.settle(closing.catch((error: unknown) => error))

  expect(put.settled?.error).toBeUndefined()
  expect([thrown instanceof OptionsError, (thrown as Error).message]).toEqual([true, `Invalid options: ${fault}`])
})

function loose(producer: KinesisProducer): Loose {
  return producer as unknown as Loose
}
