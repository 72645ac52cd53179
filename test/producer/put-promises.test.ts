import { expect, test } from 'vitest'
import { KinesisProducer, type PutResult, type RecordFailedError } from '../../src/index.ts'
import { DiscardTransport } from '../../src/testing/index.ts'
import { Harness, STREAM } from '../support/harness.ts'

const KEYS = ['a', 'b', 'c', 'd']

test('every caller of a record of one aggregate is told its own place', async () => {
  const harness = await new Harness().warm()

  const results = await harness.settle(Promise.all(KEYS.map(partitionKey => put(harness, partitionKey))))

  expect(results.map(({ subSequenceNumber }) => subSequenceNumber)).toEqual([0, 1, 2, 3])
  expect(new Set(results.map(({ sequenceNumber }) => sequenceNumber)).size).toBe(1)
})

test('callers of promises and of callbacks in one aggregate are each told their own place', async () => {
  const harness = await new Harness().warm()

  const callbacks = [harness.put('a', 'a')]
  const promises = [put(harness, 'b')]
  callbacks.push(harness.put('c', 'c'))
  promises.push(put(harness, 'd'))
  const results = await harness.settle(Promise.all(promises))

  expect(callbacks.map(({ settled }) => settled?.result?.subSequenceNumber)).toEqual([0, 2])
  expect(results.map(({ subSequenceNumber }) => subSequenceNumber)).toEqual([1, 3])
})

test('a caller whose record moves to another aggregate, because its shard has split, is told where the record is', async () => {
  const harness = await new Harness().warm()
  const puts = KEYS.map(partitionKey => put(harness, partitionKey))
  const NewStartingHashKey = `${1n << 127n}`
  harness.kinesis.splitShard({ StreamName: STREAM, ShardToSplit: 'shardId-000000000000', NewStartingHashKey })

  const results = await harness.settle(Promise.all(puts))

  const stored = new Map(harness.stored().map(record => [record.data, placeOf(record)]))
  expect(results.map(placeOf)).toEqual(KEYS.map(key => stored.get(key)))
})

test('who awaits put goes on before who awaits flush, and before who awaits close', async () => {
  const harness = await new Harness().warm()
  const order: string[] = []
  const note = (what: string) => () => void order.push(what)
  const puts = KEYS.map(partitionKey => put(harness, partitionKey).then(note('put')))
  const flush = harness.producer.flush().then(note('flush'))
  await harness.settle(Promise.all([...puts, flush]))

  const last = put(harness, 'last').then(note('put'))
  await harness.settle(Promise.all([last, harness.producer.close().then(note('close'))]))

  expect(order).toEqual(['put', 'put', 'put', 'put', 'flush', 'put', 'close'])
})

test('who awaits a put that fails goes on before who awaits close', async () => {
  const harness = new Harness({ shardCount: 0 })
  const order: string[] = []
  const failed = put(harness, 'a').catch((error: RecordFailedError) => void order.push(error.code))

  await harness.settle(Promise.all([failed, harness.producer.close({ timeoutMs: 10 }).then(() => order.push('close'))]))

  expect(order).toEqual(['KPL_ERR_CLOSE_TIMEOUT', 'close'])
})

test('a transport that puts while it is handed a request gets the promise of its own record', async () => {
  const inner: Promise<PutResult>[] = []
  class PuttingTransport extends DiscardTransport {
    override putRecords(request: Parameters<DiscardTransport['putRecords']>[0]) {
      if (inner.length === 0) inner.push(producer.put({ partitionKey: 'inner', data: 'inner' }))
      return super.putRecords(request)
    }
  }
  const options = { streamName: STREAM, region: 'eu-west-1', aggregationEnabled: false, collectionMaxCount: 1 }
  const producer: KinesisProducer = new KinesisProducer(options, { transport: new PuttingTransport({ shards: 1 }) })

  const outer = producer.put({ partitionKey: 'outer', data: 'outer' })
  const outerResult = await outer
  const innerResult = await inner[0]
  await producer.close()

  expect(inner[0] === outer).toBe(false)
  expect([outerResult.shardId, innerResult?.shardId]).toEqual(['shardId-000000000000', 'shardId-000000000000'])
})

function put(harness: Harness, partitionKey: string): Promise<PutResult> {
  return harness.producer.put({ partitionKey, data: partitionKey })
}

function placeOf({
  shardId,
  sequenceNumber,
  subSequenceNumber
}: Pick<PutResult, 'shardId' | 'sequenceNumber' | 'subSequenceNumber'>) {
  return `${shardId} ${sequenceNumber} ${subSequenceNumber ?? 0}`
}
