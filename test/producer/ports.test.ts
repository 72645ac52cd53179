import { expect, test } from 'vitest'
import { KinesisProducer, OptionsError, type ProducerPorts } from '../../src/index.ts'
import { DiscardTransport, VirtualClock } from '../../src/testing/index.ts'
import { thrownBy } from '../support/thrown-by.ts'

class MyTransport {
  putRecords(): void {}
  listShards(): void {}
  describeStream(): void {}
  close(): void {}
}

const METHODS = 'must have the methods putRecords, listShards, describeStream, close'
const TAKES = 'new KinesisProducer(options, ports) takes { transport, clock, random }'

test.each<[string, unknown, string[]]>([
  ['null', null, [`${TAKES}, got null`]],
  ['a transport itself', new MyTransport(), [`${TAKES}, got MyTransport; write { transport }`]],
  ['another name', { transports: {} }, [`${TAKES}; transports is not a field`]],
  ['the class of a transport', { transport: DiscardTransport }, [`transport ${METHODS}, got function`]],
  ['half a transport', { transport: { putRecords() {} } }, [`transport ${METHODS}, got Object`]],
  [
    'what has the wrong kinds',
    { transport: null, clock: Date, random: 7 },
    [
      `transport ${METHODS}, got null`,
      'clock must have the methods nowMs, schedule, got function',
      'random must be a function, got number'
    ]
  ]
])('ports that are %s are refused, so that no test reaches AWS unawares', (_, ports, faults) => {
  const thrown = thrownBy(() => new KinesisProducer({ region: 'eu-west-1' }, ports as ProducerPorts))

  expect(thrown instanceof OptionsError && thrown.faults).toEqual(faults)
})

test('ports that are left out or undefined are the real ones', () => {
  const ports = { transport: new DiscardTransport(), clock: new VirtualClock(), random: undefined }

  expect([{}, undefined, ports].map(given => thrownBy(() => new KinesisProducer({}, given as ProducerPorts)))).toEqual([
    undefined,
    undefined,
    undefined
  ])
})

test.each<[string, () => unknown]>([
  ['no number', () => Number.NaN],
  ['a text', () => '5']
])('a clock that gives %s is an error of the call, and nothing waits for it', async (_, nowMs) => {
  const clock = { nowMs: nowMs as () => number, schedule: () => ({ cancel() {} }) }
  const producer = new KinesisProducer({ streamName: 'orders' }, { transport: new DiscardTransport(), clock })
  const calls = [producer.put({ partitionKey: 'k', data: 'x' }), producer.flush(), producer.close({ timeoutMs: 100 })]

  const outcomes = await Promise.allSettled(calls)

  const message = 'Invalid options: clock.nowMs() must return a number of milliseconds'
  expect(outcomes).toEqual(calls.map(() => ({ status: 'rejected', reason: expect.objectContaining({ message }) })))
})
