import { expect, test } from 'vitest'
import type { KinesisProducer } from '../../src/index.ts'
import { OptionsError, type ProducerError } from '../../src/model/errors.ts'
import { Harness } from '../support/harness.ts'

const RECORD = { partitionKey: 'k', data: 'v' }

const TTL = 'recordTtlMs limits the time of a record, and signal takes it back'

/** Calls as JavaScript may write them. */
type Call = 'put' | 'putMany' | 'tryPut' | 'ready' | 'putAll' | 'flush' | 'close' | 'writable' | 'stats'
type Loose = Record<Call, (...values: unknown[]) => Promise<unknown>>

test.each<[string, (producer: Loose) => unknown, string]>([
  [
    'put with a time-out',
    producer => producer.put(RECORD, { timeoutMs: 100 }),
    'put takes { signal }; timeoutMs is not a field: write signal; recordTtlMs limits the time of a record, and ' +
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
    'flush takes { signal }, got number; flush waits until every record has settled; recordTtlMs limits that time'
  ],
  [
    'flush with a time-out',
    producer => producer.flush({ timeoutMs: 1 }),
    'flush takes { signal }; timeoutMs is not a field: write signal; flush waits until every record has settled; ' +
      'recordTtlMs limits that time'
  ],
  [
    'writable with another name',
    async producer => producer.writable({ onError: () => {} }),
    'writable takes { highWaterMark, onFailure }; onError is not a field; write writable({ onFailure: callback })'
  ],
  [
    'writable with other letters',
    async producer => producer.writable({ onfailure: () => {} }),
    'writable takes { highWaterMark, onFailure }; onfailure is not a field: write onFailure'
  ],
  [
    'writable with a mark that is none',
    async producer => producer.writable({ highWaterMark: -1 }),
    'highWaterMark must be a whole number of records from 0, got -1'
  ],
  [
    'writable with a text for a mark',
    async producer => producer.writable({ highWaterMark: '16' }),
    'highWaterMark must be a whole number of records from 0, got string'
  ],
  ['put with null', producer => producer.put(RECORD, null), `put takes { signal }, got null; ${TTL}`],
  ['put with an empty text', producer => producer.put(RECORD, ''), `put takes { signal }, got string; ${TTL}`],
  [
    'put with the signal itself',
    producer => producer.put(RECORD, AbortSignal.abort()),
    'put takes { signal }, got AbortSignal; write put(record, { signal })'
  ],
  [
    'flush with the signal itself',
    producer => producer.flush(AbortSignal.abort()),
    'flush takes { signal }, got AbortSignal; write flush({ signal })'
  ],
  [
    'putMany with the signal itself',
    producer => producer.putMany([RECORD], AbortSignal.abort()),
    'putMany takes { signal, whenFull }, got AbortSignal; write putMany(records, { signal })'
  ],
  ['put with a map', producer => producer.put(RECORD, new Map()), `put takes { signal }, got Map; ${TTL}`],
  [
    'put with a proxy that was revoked',
    producer => producer.put(RECORD, revoked()),
    'put takes { signal }; reading the argument (object that cannot be read) threw'
  ],
  [
    'flush with a getter that throws',
    producer => producer.flush(throwing('signal')),
    'flush takes { signal }; reading the argument (Object) threw'
  ],
  [
    'putAll with settings',
    async producer => producer.putAll([RECORD], { concurrency: 5 }),
    'putAll(source) takes no other argument, got Object as well'
  ],
  ['ready with a signal', producer => producer.ready({}), 'ready() takes no other argument, got Object as well'],
  [
    'stats with a name',
    async producer => producer.stats('orders'),
    "stats takes an object that keeps a reader's place, got string"
  ]
])('%s is refused, and takes nothing', async (_, call, fault) => {
  const harness = await new Harness().warm()

  const thrown = await Promise.resolve(call(loose(harness.producer))).catch((error: unknown) => error)

  expect([thrown instanceof OptionsError, (thrown as Error).message]).toEqual([true, `Invalid options: ${fault}`])
  expect(harness.producer.stats().bufferedRecords).toBe(0)
})

test.each<[string, unknown, string]>([
  ['a number', 5000, 'close takes { timeoutMs }, got number; write close({ timeoutMs: 5000 })'],
  ['another name', { timeout: 1000 }, 'close takes { timeoutMs }; timeout is not a field: write timeoutMs'],
  ['a negative time', { timeoutMs: -1 }, 'close takes { timeoutMs }, a number of ms from 0, got -1'],
  ['null', null, 'close takes { timeoutMs }, got null'],
  ['a getter that throws', throwing('timeoutMs'), 'close takes { timeoutMs }; reading the argument (Object) threw'],
  [
    'a proxy that was revoked',
    revoked(),
    'close takes { timeoutMs }; reading the argument (object that cannot be read) threw'
  ],
  ['a text', { timeoutMs: '5 s' }, 'close takes { timeoutMs }, a number of ms from 0, got string']
])('close with %s delivers what is buffered, and then rejects', async (_, options, fault) => {
  const harness = await new Harness().warm()
  const put = harness.put('k', 'buffered')

  const closing = loose(harness.producer).close(options)
  const thrown = await harness.settle(closing.catch((error: unknown) => error))

  expect(put.settled?.error).toBeUndefined()
  expect([thrown instanceof OptionsError, (thrown as Error).message]).toEqual([true, `Invalid options: ${fault}`])
})

test('fields that are inherited are read: an AbortController has its signal so', async () => {
  const harness = await new Harness().warm()
  const aborter = new AbortController()
  const put = loose(harness.producer).put(RECORD, aborter)

  aborter.abort(new Error('not needed any more'))
  const thrown = await harness.settle(put.catch((error: unknown) => error))

  expect((thrown as ProducerError).code).toBe('KPL_ERR_ABORTED')
})

function revoked(): object {
  const { proxy, revoke } = Proxy.revocable({}, {})
  revoke()
  return proxy
}

function throwing(name: string): object {
  return Object.defineProperty({}, name, {
    enumerable: true,
    get() {
      throw new Error('canary')
    }
  })
}

function loose(producer: KinesisProducer): Loose {
  return producer as unknown as Loose
}
