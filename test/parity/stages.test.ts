/** What the KPL's own unit tests assert of its stages (aggregator, reducer, limiter, records, requests), on ours. */
import { describe, expect, test } from 'vitest'
import { Collector } from '../../src/core/collector.ts'
import { Aggregator, type AggregatorOptions } from '../../src/lanes/aggregator.ts'
import { Limiter } from '../../src/lanes/limiter.ts'
import { TokenBucket } from '../../src/lanes/token-bucket.ts'
import type { KinesisRecord } from '../../src/model/kinesis-record.ts'
import { seededRandom } from '../../src/testing/index.ts'
import { decodeEnvelope, isEnvelope } from '../../src/wire/decode.ts'
import { EnvelopeWriter } from '../../src/wire/encode.ts'
import { hashPartitionKey, readHashKey } from '../../src/wire/hash-key.ts'
import { accepted, sealed } from '../support/accepted.ts'

function aggregator(options: Partial<AggregatorOptions> = {}) {
  const emitted: KinesisRecord[] = []
  const defaults = {
    aggregationEnabled: true,
    aggregationMaxCount: 1000,
    aggregationMaxBytes: 51_200,
    containerKey: 'a'
  } as const
  return { emitted, stage: new Aggregator({ ...defaults, ...options }, record => emitted.push(record)) }
}

describe('aggregator_test', () => {
  test('the 100th record of a shard with a count limit of 100 gives one aggregate of that shard, in order', () => {
    const { stage, emitted } = aggregator({ aggregationMaxCount: 100 })

    for (let i = 0; i < 300; i++) {
      const shard = `shardId-${i % 3}`
      stage.add(accepted(`key-${i % 7}`, `data-${i}`, { lane: shard, predictedShard: shard }))
    }

    expect(emitted.map(record => [record.predictedShard, record.members.count, record.partitionKey])).toEqual([
      ['shardId-0', 100, 'a'],
      ['shardId-1', 100, 'a'],
      ['shardId-2', 100, 'a']
    ])
    const members = decodeEnvelope(emitted[1]!.data).map(member => [member.partitionKey, textOf(member.data)])
    expect(members).toEqual(Array.from({ length: 100 }, (_, i) => [`key-${(i * 3 + 1) % 7}`, `data-${i * 3 + 1}`]))
  })

  test('with aggregation off every record leaves at once as it is, with its own keys', () => {
    const { stage, emitted } = aggregator({ aggregationEnabled: false })

    stage.add(accepted('key', 'data', { explicitHashKey: '5' }))

    expect(
      emitted.map(record => [record.partitionKey, record.explicitHashKey, textOf(record.data), record.isAggregate])
    ).toEqual([['key', '5', 'data', false]])
  })

  test('25,000 records to one shard, interleaved with flushes, are neither lost nor doubled', () => {
    const { stage, emitted } = aggregator({ aggregationMaxCount: 77 })
    const random = seededRandom(7)

    for (let i = 0; i < 25_000; i++) {
      stage.add(accepted(`key-${i % 13}`, String(i)))
      if (random() < 0.01) stage.sealAll()
    }
    stage.sealAll()

    const data = emitted
      .flatMap(record => (record.isAggregate ? decodeEnvelope(record.data) : [record]))
      .map(member => Number(textOf(member.data)))
    expect(data).toEqual(Array.from({ length: 25_000 }, (_, i) => i))
  })
})

describe('reducer_test', () => {
  test('CountLimit: nothing leaves until the limit, then everything does, again and again', () => {
    const { stage, emitted } = aggregator({ aggregationMaxCount: 10 })
    const counts: number[] = []

    for (let i = 0; i < 30; i++) {
      stage.add(accepted('key', `${i}`))
      counts.push(emitted.length)
    }

    expect(counts).toEqual(Array.from({ length: 30 }, (_, i) => Math.floor((i + 1) / 10)))
    expect(emitted.map(record => record.members.count)).toEqual([10, 10, 10])
  })

  test('SizeLimit: over 250 rounds no envelope exceeds 10,000 bytes, and nothing is taken back to make it fit', () => {
    const { stage, emitted } = aggregator({ aggregationMaxBytes: 10_000 })
    const random = seededRandom(3)
    let put = 0

    for (let round = 0; round < 250; round++) {
      for (let i = 0; i < 20; i++) {
        stage.add(
          accepted(`key-${Math.floor(random() * 100)}`, 'x'.repeat(Math.floor(random() * 1500)), { number: put++ })
        )
      }
    }
    stage.sealAll()

    expect(emitted.filter(record => record.data.length > 10_000)).toEqual([])
    expect(emitted.flatMap(record => record.members.numbers)).toEqual(Array.from({ length: put }, (_, i) => i))
  })

  test('Deadline: records with far deadlines wait, and one with a near deadline takes them along', () => {
    const { stage, emitted } = aggregator()
    for (let i = 0; i < 100; i++) stage.add(accepted('key', `${i}`, { sealByMs: 5000 }))
    stage.sealDue(1000)
    const before = emitted.length

    stage.add(accepted('key', 'urgent', { sealByMs: 1000 }))
    const nextMs = stage.nextDeadlineMs
    stage.sealDue(1000)

    expect([before, nextMs, emitted.map(record => record.members.count)]).toEqual([0, 1000, [101]])
  })

  test('ResetTimeout: after the near deadline has left by count, the next one is that of what remains', () => {
    const { stage, emitted } = aggregator({ aggregationMaxCount: 3 })
    stage.add(accepted('key', 'near', { sealByMs: 100 }))
    for (let i = 0; i < 3; i++) stage.add(accepted('key', `${i}`, { sealByMs: 2000 + i }))

    const nextMs = stage.nextDeadlineMs
    stage.sealDue(1999)

    expect([nextMs, emitted.map(record => record.members.count)]).toEqual([2002, [3]])
  })

  test('GiantRecord: one above the size limit leaves alone and plain, and what was open does not wait behind it', () => {
    const { stage, emitted } = aggregator({ aggregationMaxBytes: 10_000 })

    stage.add(accepted('key', 'small'))
    stage.add(accepted('key', 'x'.repeat(11_000)))

    expect(emitted.map(record => [record.data.length, record.isAggregate])).toEqual([
      [5, false],
      [11_000, false]
    ])
  })

  test('NonEmpty: sealing when nothing is open gives nothing', () => {
    const { stage, emitted } = aggregator()

    stage.sealAll()
    stage.sealDue(Number.MAX_SAFE_INTEGER)

    expect([emitted, stage.nextDeadlineMs]).toEqual([[], Number.POSITIVE_INFINITY])
  })
})

describe('limiter_test', () => {
  const options = {
    rateLimitPercent: 100,
    retryBaseMs: 50,
    retryCapMs: 5000,
    ordering: 'none',
    laneMaxBytes: Number.POSITIVE_INFINITY
  } as const

  test('Ordering: 4,000 records of one shard leave oldest first, at the rate of the shard', () => {
    const limiter = new Limiter(options, () => 0.5)
    const order = seededRandom(1)
    const records = Array.from({ length: 4000 }, () => sealed())
    for (const record of [...records].sort(() => order() - 0.5)) limiter.add(record, 0)
    const left: KinesisRecord[] = []

    for (let nowMs = 0; left.length < 4000; nowMs += 25) {
      for (let next = limiter.release(nowMs); next !== undefined; next = limiter.release(nowMs)) left.push(next)
      expect(left.length).toBeLessThanOrEqual(1000 + nowMs + 1)
    }

    const numbers = left.map(record => record.members.numbers[0]!)
    expect(numbers).toEqual([...numbers].sort((a, b) => a - b))
  })

  test('Expiration: what expires while it waits is handed out when it does, however slow the lane', () => {
    const limiter = new Limiter({ ...options, rateLimitPercent: 1 }, () => 0.5)
    const expirations = [0, Number.POSITIVE_INFINITY, 1000]
    for (let i = 0; i < 3000; i++) limiter.add(sealed({ expirationMs: expirations[Math.floor(i / 1000)]! }), 0)
    const expired = new Map<number, number>()
    let sent = 0

    for (const nowMs of [0, 999, 1000]) {
      for (let next = limiter.release(nowMs); next !== undefined; next = limiter.release(nowMs)) {
        if (next.expirationMs <= nowMs) expired.set(nowMs, (expired.get(nowMs) ?? 0) + 1)
        else sent++
      }
    }

    // A second's burst, and what 1 % of the rate gave in a second.
    expect(sent).toBe(1009)
    expect([...expired]).toEqual([
      [0, 1000],
      [1000, 991]
    ])
    expect(limiter.count).toBe(0)
  })
})

describe('token_bucket_test', () => {
  const limits = {
    recordsPerSecond: 1000,
    bytesPerSecond: 1e9,
    capacityRecords: 200,
    capacityBytes: 1e9,
    maxFactor: 1,
    recoveryPerSecond: 0.05
  }
  const takeAll = (bucket: TokenBucket, nowMs: number) => {
    let count = 0
    while (bucket.tryTake(1, nowMs)) count++
    return count
  }

  test('Basic: full at the start, grows with time, never above its capacity', () => {
    const bucket = new TokenBucket(limits, 0)

    expect([takeAll(bucket, 0), takeAll(bucket, 100), takeAll(bucket, 10_000)]).toEqual([200, 100, 200])
  })

  test('Multiple: a refusal for want of bytes takes no record token', () => {
    const bucket = new TokenBucket({ ...limits, bytesPerSecond: 1000, capacityBytes: 1000, capacityRecords: 2 }, 0)

    const taken = [bucket.tryTake(900, 0), bucket.tryTake(900, 0), bucket.tryTake(100, 0), bucket.tryTake(0, 0)]

    expect(taken).toEqual([true, false, true, false])
  })
})

describe('kinesis_record_test', () => {
  test('AccurateSize: the size before sealing is the size after it, for any mix of keys and hash keys', () => {
    const random = seededRandom(11)
    for (let round = 0; round < 100; round++) {
      const writer = new EnvelopeWriter()
      const count = 1 + Math.floor(random() * 60)
      for (let i = 0; i < count; i++) {
        const key = `k${'é'.repeat(Math.floor(random() * 5))}${Math.floor(random() * 10)}`
        const hashKey = random() < 0.5 ? String(Math.floor(random() * 1e15)) : undefined
        const data = 'x'.repeat(Math.floor(random() * 300))
        const wanted = writer.bytesWith(key, Buffer.byteLength(key), hashKey, data.length)
        writer.add(key, Buffer.byteLength(key), hashKey, data, data.length)
        expect(writer.sealedBytes).toBe(wanted)
      }
      const bytes = writer.sealedBytes

      const sealedRecord = writer.seal()

      expect([sealedRecord.length, isEnvelope(sealedRecord), writer.count]).toEqual([bytes, count > 1, 0])
    }
  })

  test('Deadlines: an aggregate has the nearest of its members', () => {
    const { stage, emitted } = aggregator()
    stage.add(accepted('key', '1', { deadlineMs: 90, expirationMs: 500 }))
    stage.add(accepted('key', '2', { deadlineMs: 70, expirationMs: 900 }))

    stage.sealAll()

    expect(emitted.map(record => [record.deadlineMs, record.expirationMs])).toEqual([[70, 500]])
  })

  test('an aggregate carries the hash key of its first member, and the container key or that of the first', () => {
    for (const containerKey of ['a', 'first'] as const) {
      const { stage, emitted } = aggregator({ containerKey })
      stage.add(accepted('abcd', '1'))
      stage.add(accepted('other', '2'))

      stage.sealAll()

      const key = containerKey === 'a' ? 'a' : 'abcd'
      expect(emitted.map(record => [record.partitionKey, record.explicitHashKey])).toEqual([
        [key, '301716283811389038011477436469853762335']
      ])
    }
  })
})

describe('put_records_request_test', () => {
  test('a request counts data and partition keys, and holds 500 records at most', () => {
    const limits = { collectionMaxCount: 500, collectionMaxBytes: 52_224, collectionMaxShardBytes: 10_485_760 }
    const collector = new Collector(limits)
    for (let i = 0; i < 900; i++) collector.add(sealed({ requestBytes: i < 600 ? 10 : 1000 }))

    const batches = []
    for (let batch = collector.take(100, true); batch !== undefined; batch = collector.take(100, true))
      batches.push(batch)

    expect(batches.every(batch => batch.entries.length <= 500 && batch.requestBytes <= 52_224)).toBe(true)
    expect(batches.map(batch => batch.entries.length).reduce((sum, count) => sum + count, 0)).toBe(900)
  })

  test('a record above the limit of a request goes alone', () => {
    const collector = new Collector({
      collectionMaxCount: 500,
      collectionMaxBytes: 52_224,
      collectionMaxShardBytes: 10_485_760
    })
    for (const requestBytes of [100, 60_000, 100]) collector.add(sealed({ requestBytes }))

    const batches = [collector.take(0, true), collector.take(0, true), collector.take(0, true)]

    expect(batches.map(batch => batch?.requestBytes)).toEqual([100, 60_000, 100])
  })

  test('a quarter MiB for one shard sends what waits, before any deadline', () => {
    const collector = new Collector({
      collectionMaxCount: 500,
      collectionMaxBytes: 5_242_880,
      collectionMaxShardBytes: 262_144
    })
    collector.add(sealed({ requestBytes: 200_000 }))
    const early = collector.take(0, false)
    collector.add(sealed({ requestBytes: 62_144 }))

    const batch = collector.take(0, false)

    expect([early, batch?.entries.length]).toEqual([undefined, 2])
  })
})

describe('user_record_test', () => {
  test('the hash key of "abcd" is E2FC714C4727EE9395F324CD2E7F331F', () => {
    const words = new Uint32Array(4)

    hashPartitionKey('abcd', words)

    expect(readHashKey(words).toString(16)).toBe('e2fc714c4727ee9395f324cd2e7f331f')
  })
})

function textOf(data: Uint8Array): string {
  return new TextDecoder().decode(data)
}
