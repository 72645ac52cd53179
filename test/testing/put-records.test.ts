import { describe, expect, test } from 'vitest'
import { contents, fixture, record, refusal, STREAM } from './fixture.ts'

const MAX_HASH_KEY = 2n ** 128n - 1n
const MIB = 1_048_576

describe('PutRecords', () => {
  test('stores each record in the shard of its MD5, or of its explicit hash key', () => {
    const { kinesis } = fixture(2)

    // MD5('a') begins with 0c, MD5('b') with 92.
    const { FailedRecordCount, Records } = kinesis.putRecords({
      ...STREAM,
      Records: [
        record('low', 'a'),
        record('high', 'b'),
        record('first key', 'b', '0'),
        record('last of the first', 'b', String(2n ** 127n - 1n)),
        record('first of the second', 'a', String(2n ** 127n)),
        record('last key', 'a', String(MAX_HASH_KEY))
      ]
    })

    expect(FailedRecordCount).toBe(0)
    expect(Records.map(answer => answer.ShardId)).toEqual(
      [0, 1, 0, 0, 1, 1].map(shard => `shardId-00000000000${shard}`)
    )
    expect(contents(kinesis)).toEqual([
      'shardId-000000000000: low',
      'shardId-000000000000: first key',
      'shardId-000000000000: last of the first',
      'shardId-000000000001: high',
      'shardId-000000000001: first of the second',
      'shardId-000000000001: last key'
    ])
  })

  test('answers with increasing sequence numbers of 56 digits', () => {
    const { kinesis } = fixture(1)

    const { Records } = kinesis.putRecords({ ...STREAM, Records: [record('a'), record('b'), record('c')] })

    const numbers = Records.map(answer => BigInt(answer.SequenceNumber!))
    expect(Records.map(answer => answer.SequenceNumber!.length)).toEqual([56, 56, 56])
    expect(numbers[0]! < numbers[1]! && numbers[1]! < numbers[2]!).toBe(true)
  })

  test.each([
    ['no record', [], 'ValidationException'],
    ['501 records', new Array(501).fill(record('x')), 'ValidationException'],
    ['an empty key', [record('x', '')], 'ValidationException'],
    ['a key of 257 characters', [record('x', 'k'.repeat(257))], 'ValidationException'],
    ['no key', [{ Data: Buffer.from('x') }], 'ValidationException'],
    ['no data', [{ PartitionKey: 'key' }], 'ValidationException'],
    ['1 MiB of data, over with its key', [record('x'.repeat(MIB), 'k')], 'ValidationException'],
    ['a signed explicit hash key', [record('x', 'k', '+5')], 'ValidationException'],
    ['an explicit hash key with a leading zero', [record('x', 'k', '05')], 'ValidationException'],
    ['an explicit hash key of 2^128', [record('x', 'k', String(MAX_HASH_KEY + 1n))], 'InvalidArgumentException'],
    ['more than 10 MiB', new Array(11).fill(record('x'.repeat(MIB - 1), 'k')), 'InvalidArgumentException']
  ])('refuses the whole request for %s and stores nothing', (_name, records, code) => {
    const { kinesis } = fixture(1, { throughputLimits: false })

    const refused = refusal(() => kinesis.putRecords({ ...STREAM, Records: [...records] }))

    expect({ code: refused?.code, statusCode: refused?.statusCode }).toEqual({ code, statusCode: 400 })
    expect(contents(kinesis)).toEqual([])
  })

  test('takes what is exactly at the limits', () => {
    const { kinesis } = fixture(1, { throughputLimits: false })
    const Records = [
      ...new Array(9).fill(record('x'.repeat(MIB - 1), 'k')),
      record('x'.repeat(MIB - 256 - 490), 'k'.repeat(256)),
      ...new Array(490).fill(record('', 'k'))
    ]

    const { FailedRecordCount } = kinesis.putRecords({ ...STREAM, Records })

    expect(FailedRecordCount).toBe(0)
  })

  test('counts the UTF-8 bytes of the key', () => {
    const { kinesis } = fixture(1)

    const fits = refusal(() => kinesis.putRecords({ ...STREAM, Records: [record('x'.repeat(MIB - 4), '\u{1F600}')] }))
    const isOver = refusal(() => kinesis.putRecords({ ...STREAM, Records: [record('x'.repeat(MIB - 3), '\u{1F600}')] }))

    expect({ fits, message: isOver?.message }).toEqual({
      fits: undefined,
      message:
        "1 validation error detected: Value at 'records.1.member.data' failed to satisfy constraint: Member must " +
        'have length less than or equal to 1048576 together with the partition key, got 1048577'
    })
  })

  test('takes a 10 MiB record after UpdateMaxRecordSize', () => {
    const { kinesis } = fixture(1)
    const put = () => kinesis.putRecords({ ...STREAM, Records: [record('x'.repeat(10 * MIB - 1), 'k')] })

    const before = refusal(put)
    kinesis.updateMaxRecordSize({ ...STREAM, MaxRecordSizeInKiB: 10_240 })
    const after = put()

    expect({ code: before?.code, failed: after.FailedRecordCount }).toEqual({ code: 'ValidationException', failed: 0 })
    expect(refusal(() => kinesis.updateMaxRecordSize({ ...STREAM, MaxRecordSizeInKiB: 10_241 }))?.code).toBe(
      'ValidationException'
    )
  })

  test('throttles records over 1,000 a second and shard, each on its own, with the text of the service', () => {
    const { clock, kinesis } = fixture(2)
    const low = record('x', 'k', '0')
    const high = record('x', 'k', String(MAX_HASH_KEY))
    const put = (Records: ReturnType<typeof record>[]) => kinesis.putRecords({ ...STREAM, Records })

    put(new Array(500).fill(low))
    put(new Array(500).fill(low))
    const throttled = put([low, high])
    clock.advanceBy(1)
    const recovered = put([low, low])

    expect(
      throttled.Records.map(({ ErrorCode, ErrorMessage, ShardId }) => ({ ErrorCode, ErrorMessage, ShardId }))
    ).toEqual([
      {
        ErrorCode: 'ProvisionedThroughputExceededException',
        ErrorMessage: 'Rate exceeded for shard shardId-000000000000 in stream orders under account 000000000000.',
        ShardId: undefined
      },
      { ErrorCode: undefined, ErrorMessage: undefined, ShardId: 'shardId-000000000001' }
    ])
    expect(throttled.FailedRecordCount).toBe(1)
    expect(recovered.FailedRecordCount).toBe(1)
  })

  test('throttles bytes over 1 MiB a second and shard', () => {
    const { clock, kinesis } = fixture(1)
    const put = (bytes: number) => kinesis.putRecords({ ...STREAM, Records: [record('x'.repeat(bytes - 3))] })

    const failed = [put(MIB), put(10)].map(answer => answer.FailedRecordCount)
    clock.advanceBy(500)
    failed.push(put(MIB / 2 + 1).FailedRecordCount, put(MIB / 2).FailedRecordCount)

    expect(failed).toEqual([0, 1, 1, 0])
  })

  test('throttles nothing when the limits are off', () => {
    const { kinesis } = fixture(1)

    kinesis.setThroughputLimits(false)
    const failed = Array.from({ length: 5 }, () =>
      kinesis.putRecords({ ...STREAM, Records: new Array(500).fill(record('x')) })
    ).map(answer => answer.FailedRecordCount)

    expect(failed).toEqual([0, 0, 0, 0, 0])
  })

  test('ignores keys on a stream with AUTO distribution', () => {
    const { kinesis } = fixture(1, { throughputLimits: false })
    kinesis.createStream({
      StreamName: 'auto',
      StreamModeDetails: { StreamMode: 'ON_DEMAND' },
      RecordDistributionStrategy: 'AUTO'
    })

    const { Records } = kinesis.putRecords({ StreamName: 'auto', Records: new Array(100).fill(record('x', 'k', '0')) })
    const withoutKey = kinesis.putRecords({ StreamName: 'auto', Records: [{ Data: Buffer.from('x') }] })

    expect(new Set(Records.map(answer => answer.ShardId)).size).toBe(4)
    expect(withoutKey.FailedRecordCount).toBe(0)
    expect(
      kinesis.describeStreamSummary({ StreamName: 'auto' }).StreamDescriptionSummary.RecordDistributionStrategy
    ).toBe('AUTO')
  })

  test('takes the stream by its ARN', () => {
    const { kinesis } = fixture(1)
    const { StreamARN } = kinesis.describeStreamSummary(STREAM).StreamDescriptionSummary

    kinesis.putRecords({ StreamARN, Records: [record('by ARN')] })

    expect({ StreamARN, contents: contents(kinesis) }).toEqual({
      StreamARN: 'arn:aws:kinesis:us-east-1:000000000000:stream/orders',
      contents: ['shardId-000000000000: by ARN']
    })
  })

  test('keeps nothing but the counters with storage discard', () => {
    const { kinesis } = fixture(1, { storage: 'discard' })

    kinesis.putRecords({ ...STREAM, Records: [record('abc')] })

    expect(contents(kinesis)).toEqual([])
    expect(kinesis.stats()).toEqual({
      orders: {
        status: 'ACTIVE',
        shards: [
          {
            shardId: 'shardId-000000000000',
            isOpen: true,
            startingHashKey: '0',
            endingHashKey: String(MAX_HASH_KEY),
            recordCount: 1,
            storedBytes: 6,
            throttledCount: 0
          }
        ]
      }
    })
  })

  test('forgets records older than the retention', () => {
    const { clock, kinesis } = fixture(1, { retentionMs: 1_000 })
    kinesis.putRecords({ ...STREAM, Records: [record('old')] })

    clock.advanceBy(1_001)
    kinesis.putRecords({ ...STREAM, Records: [record('new')] })

    expect(contents(kinesis)).toEqual(['shardId-000000000000: new'])
  })
})
