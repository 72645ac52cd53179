import type { Context, KinesisStreamEvent } from 'aws-lambda'
import { describe, expect, expectTypeOf, test } from 'vitest'
import { aggregate, ConsumerError } from '../../src/consumer/deaggregate.ts'
import { kinesisHandler, userRecords } from '../../src/consumer/lambda.ts'
import {
  FakeKinesis,
  kinesisEvent,
  type LambdaTestContext,
  type LambdaTestEvent,
  lambdaContext,
  VirtualClock
} from '../../src/testing/index.ts'

const invalid = (message: string) => new ConsumerError('KPL_ERR_INVALID_INPUT', message)
function transferred(): Uint8Array {
  const bytes = new Uint8Array(8)
  structuredClone(bytes.buffer, { transfer: [bytes.buffer] })
  return bytes
}
const ARN = 'arn:aws:kinesis:eu-central-1:123456789012:stream/orders'

test('event and context are what @types/aws-lambda says of the real ones', () => {
  expectTypeOf<LambdaTestEvent>().toExtend<KinesisStreamEvent>()
  expectTypeOf<LambdaTestContext>().toExtend<Context>()
})

describe('kinesisEvent', () => {
  test('makes an event of what the fake Kinesis stores', () => {
    const kinesis = new FakeKinesis({ nowMs: () => 1_518_133_507_063 })
    kinesis.createStream({ StreamName: 'orders', ShardCount: 1 })
    kinesis.putRecord({ StreamName: 'orders', PartitionKey: 'k', Data: Buffer.from('x') })
    const [stored] = kinesis.storedRecords('orders')

    const event = kinesisEvent(kinesis.storedRecords('orders'), { streamArn: ARN })

    expect(event).toEqual({
      Records: [
        {
          eventSource: 'aws:kinesis',
          eventVersion: '1.0',
          eventID: `shardId-000000000000:${stored!.sequenceNumber}`,
          eventName: 'aws:kinesis:record',
          invokeIdentityArn: 'arn:aws:iam::000000000000:role/consumer',
          awsRegion: 'eu-central-1',
          eventSourceARN: ARN,
          kinesis: {
            kinesisSchemaVersion: '1.0',
            partitionKey: 'k',
            sequenceNumber: stored!.sequenceNumber,
            data: 'eA==',
            approximateArrivalTimestamp: 1_518_133_507.063
          }
        }
      ]
    })
  })

  test('takes user records, one Kinesis record each, and what aggregate makes of them', () => {
    const records = [
      { partitionKey: 'a', data: '1' },
      { partitionKey: 'b', data: Buffer.from('2'), explicitHashKey: '5' }
    ]

    const seen = [kinesisEvent(records), kinesisEvent([...aggregate(records)])].map(event =>
      [...userRecords(event)].map(({ partitionKey, data, aggregated, id }) => ({
        partitionKey,
        text: Buffer.from(data).toString(),
        aggregated,
        id: id.replace(/^shardId-0{12}:\d{52}/, '')
      }))
    )

    expect(seen).toEqual([
      [
        { partitionKey: 'a', text: '1', aggregated: false, id: '0961:0' },
        { partitionKey: 'b', text: '2', aggregated: false, id: '0962:0' }
      ],
      [
        { partitionKey: 'a', text: '1', aggregated: true, id: '0961:0' },
        { partitionKey: 'b', text: '2', aggregated: true, id: '0961:1' }
      ]
    ])
  })

  test('takes bytes as long as they are, whatever a subclass says', () => {
    class Liar extends Uint8Array {
      override get length(): number {
        return 5
      }
    }

    const event = kinesisEvent([{ data: new Liar(3) }])

    expect(event.Records[0]?.kinesis.data).toBe('AAAA')
  })

  test.each<[unknown, unknown, string]>([
    [undefined, {}, 'records must be a list of records, got undefined'],
    [{ Records: [] }, {}, 'records must be a list of records, got object'],
    [['text'], {}, 'records[0] must be a record, got string'],
    [[{ partitionKey: 'k' }], {}, 'data must be a Uint8Array or text, got undefined'],
    [[{ data: '', partitionKey: 5 }], {}, 'partitionKey must be text, got number'],
    [[{ data: '', sequenceNumber: 5 }], {}, 'sequenceNumber must be an id as Kinesis gives it, got number'],
    [[{ data: '', sequenceNumber: '' }], {}, 'sequenceNumber must be an id as Kinesis gives it, got string'],
    [[{ data: '', shardId: 'a:b' }], {}, 'shardId must be an id as Kinesis gives it, got string'],
    [[{ data: '\ud800' }], {}, 'data has a lone surrogate'],
    [[{ data: transferred() }], {}, 'data must have its memory, but its ArrayBuffer was transferred or made smaller'],
    [new Array(1), {}, 'records[0] must be a record, got undefined'],
    [[{ data: '', arrivalMs: 'now' }], {}, 'arrivalMs must be a number of milliseconds, got string'],
    [[], { streamArn: 'orders' }, 'streamArn must be the ARN of a stream, got string'],
    [[], { streamARN: ARN }, 'streamARN is not an option, did you mean streamArn?']
  ])('refuses %j with %j', (records, options, message) => {
    const call = () => kinesisEvent(records as never, options as never)

    expect(call).toThrow(invalid(message))
  })
})

describe('lambdaContext', () => {
  test('has time that runs down with its clock, to nothing', () => {
    const clock = new VirtualClock()
    const context = lambdaContext({ remainingTimeMs: 1000, clock })

    const left = [0, 400, 600, 600].map(ms => {
      clock.advanceBy(ms)
      return context.getRemainingTimeInMillis()
    })

    expect(left).toEqual([1000, 600, 0, 0])
  })

  test('is enough for a handler, with half a minute of real time unless told', async () => {
    const context = lambdaContext()
    const left = context.getRemainingTimeInMillis()
    expect(left).toBe(Math.floor(left))
    const done: string[] = []

    const answer = await kinesisHandler(record => done.push(record.partitionKey))(
      kinesisEvent([{ partitionKey: 'k', data: 'x' }]),
      context
    )

    expect([answer, done, left > 29_000 && left <= 30_000]).toEqual([{ batchItemFailures: [] }, ['k'], true])
  })

  test.each<[unknown, string]>([
    [{ remainingTimeMs: '5' }, 'remainingTimeMs must be a number from 0 to 900000, got string'],
    [{ remainingTimeMs: Number.POSITIVE_INFINITY }, 'remainingTimeMs must be a number from 0 to 900000, got Infinity'],
    [{ remainingTime: 5 }, 'remainingTime is not an option, did you mean remainingTimeMs?'],
    [{ clock: Date }, 'clock must be an object with nowMs(), got function'],
    [5000, 'options must be an object, got number']
  ])('refuses %j', (options, message) => {
    expect(() => lambdaContext(options as never)).toThrow(invalid(message))
  })
})
