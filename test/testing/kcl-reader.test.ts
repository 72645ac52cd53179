import { expect, test } from 'vitest'
import { FakeKinesis, readAsKcl, seededRandom } from '../../src/testing/index.ts'
import { EnvelopeWriter } from '../../src/wire/encode.ts'

const STREAM = 'orders'
const HALF = 2n ** 127n

test('an aggregate with one user record of another shard is given to nobody, and its records are told apart', () => {
  const kinesis = stream(2)
  put(kinesis, aggregate(['1', 'low'], [String(HALF), 'high']), '1')
  put(kinesis, aggregate(['2', 'fits'], ['3', 'fits too']), '2')

  const read = readAsKcl(kinesis, STREAM)

  expect(read.map(user => [textOf(user.data), user.subSequenceNumber, user.isDelivered, user.isAtHome])).toEqual([
    ['low', 0, false, true],
    ['high', 1, false, false],
    ['fits', 0, true, true],
    ['fits too', 1, true, true]
  ])
})

test('a plain record is given whatever its hash key is', () => {
  const kinesis = stream(1)
  kinesis.splitShard({ StreamName: STREAM, ShardToSplit: 'shardId-000000000000', NewStartingHashKey: String(HALF) })
  put(kinesis, Buffer.from('plain'), '5')

  const [user] = readAsKcl(kinesis, STREAM)

  expect([user?.isAggregated, user?.isDelivered, user?.partitionKey]).toEqual([false, true, 'k'])
})

test('parents are read before their children, whatever their ids are', () => {
  const kinesis = stream(2)
  put(kinesis, Buffer.from('of a parent'), '5')
  kinesis.mergeShards({
    StreamName: STREAM,
    ShardToMerge: 'shardId-000000000000',
    AdjacentShardToMerge: 'shardId-000000000001'
  })
  put(kinesis, Buffer.from('of the child'), '5')
  put(kinesis, Buffer.from('of the child too'), String(HALF))

  const read = readAsKcl(kinesis, STREAM)

  expect(read.map(({ data }) => textOf(data))).toEqual(['of a parent', 'of the child', 'of the child too'])
})

test('a stream that is not there is an error of the service', () => {
  expect(() => readAsKcl(stream(1), 'nobody')).toThrow('not found')
})

function stream(shardCount: number): FakeKinesis {
  const kinesis = new FakeKinesis({ nowMs: () => 0, random: seededRandom('kcl') })
  kinesis.createStream({ StreamName: STREAM, ShardCount: shardCount })
  return kinesis
}

function put(kinesis: FakeKinesis, data: Uint8Array, explicitHashKey: string): void {
  kinesis.putRecord({ StreamName: STREAM, PartitionKey: 'k', Data: data, ExplicitHashKey: explicitHashKey })
}

function aggregate(...members: readonly (readonly [hashKey: string, data: string])[]): Uint8Array {
  const writer = new EnvelopeWriter()
  for (const [hashKey, data] of members) writer.add('k', 1, hashKey, data, data.length)
  return writer.seal()
}

function textOf(data: Uint8Array): string {
  return Buffer.from(data).toString()
}
