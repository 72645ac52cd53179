/** A stub in place of the SDK's `send`, as mocks of the SDK set one: it sees the records, and they stay what they were. */
import { KinesisClient, PutRecordsCommand, type PutRecordsCommandInput } from '@aws-sdk/client-kinesis'
import { afterEach, expect, test, vi } from 'vitest'
import { KinesisProducer } from '../../src/producer/kinesis-producer.ts'
import { CREDENTIALS } from './fixture.ts'

afterEach(() => vi.restoreAllMocks())

test('a stub on the prototype of the client sees every record, also when it looks long after', async () => {
  const inputs: PutRecordsCommandInput[] = []
  const send = (command: unknown): Promise<object> => {
    if (!(command instanceof PutRecordsCommand)) return Promise.reject(new Error('not mocked'))
    inputs.push(command.input)
    const Records = command.input.Records?.map(() => ({ ShardId: 'shardId-0', SequenceNumber: `${inputs.length}` }))
    return Promise.resolve({ FailedRecordCount: 0, Records })
  }
  vi.spyOn(KinesisClient.prototype, 'send').mockImplementation(send as never)
  const producer = new KinesisProducer({
    streamName: 'orders',
    region: 'us-east-1',
    credentials: CREDENTIALS,
    recordMaxBufferedTimeMs: 0
  })

  for (const data of ['one', 'two', 'three']) {
    await Promise.all(['a', 'b'].map(partitionKey => producer.put({ partitionKey, data: data.repeat(5000) })))
  }
  await producer.close()

  const seen = inputs.flatMap(({ Records = [] }) => Records.map(({ Data }) => Buffer.from(Data ?? []).toString()))
  const counts = ['one', 'two', 'three'].map(text => seen.join('').split(text).length - 1)
  expect(counts).toEqual([10_000, 10_000, 10_000])
})
