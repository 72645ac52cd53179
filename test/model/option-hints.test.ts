import { describe, expect, test } from 'vitest'
import { OptionsError } from '../../src/model/errors.ts'
import { OPTIONS } from '../../src/model/options.ts'
import { resolveOptions } from '../../src/model/resolve-options.ts'

/** Words in hints that are no options of ours: fields of records, of credentials, of handlers. */
const OTHER_WORDS = ['partitionKey', 'explicitHashKey', 'accessKeyId', 'secretAccessKey', 'sessionToken', 'httpsAgent']

describe('a name from elsewhere is answered with the options that do it here', () => {
  test.each([
    ['maxRetries', ['recordTtlMs', 'retryBaseMs', 'retryCapMs']],
    ['retry', ['recordTtlMs', 'retryBaseMs', 'retryCapMs']],
    ['maxAttempts', ['recordTtlMs', 'retryBaseMs', 'retryCapMs']],
    ['batchSize', ['collectionMaxCount', 'aggregationMaxCount']],
    ['max_batch_size', ['collectionMaxCount', 'aggregationMaxCount']],
    ['flushIntervalMs', ['recordMaxBufferedTimeMs']],
    ['flushInterval', ['recordMaxBufferedTimeMs']],
    ['maxBufferedTime', ['recordMaxBufferedTimeMs']],
    ['lingerMs', ['recordMaxBufferedTimeMs']],
    ['linger.ms', ['recordMaxBufferedTimeMs']],
    ['bufferSize', ['bufferMaxBytes', 'bufferMaxRecords']],
    ['maxSockets', ['maxInFlightRequests']],
    ['timeout', ['requestTimeoutMs', 'recordTtlMs']],
    ['accessKeyId', ['credentials', 'accessKeyId', 'secretAccessKey', 'sessionToken']],
    ['secretAccessKey', ['credentials', 'accessKeyId', 'secretAccessKey', 'sessionToken']],
    ['profile', ['credentials']],
    ['streamArn', ['streamName']],
    ['partitionKey', ['partitionKey', 'explicitHashKey']],
    ['idempotent', ['dedupeTags']],
    ['ordered', ['ordering']],
    // The KPL's.
    ['setRecordTtl', ['recordTtlMs']],
    ['MaxConnections', ['maxInFlightRequests']],
    ['AggregationMaxSize', ['aggregationMaxBytes']],
    ['KinesisEndpoint', ['endpoint']],
    // Typos.
    ['streamNmae', ['streamName']],
    ['agregationEnabled', ['aggregationEnabled']],
    ['failIfThrotled', ['failIfThrottled']]
  ])('%s', (name, words) => {
    const fault = faultOf({ [name]: 'canary' })

    const named = fault.slice(name.length).match(/\b[a-z]+(?:[A-Z]\w*)?\b/g) ?? []
    expect(named.filter(word => word in OPTIONS || OTHER_WORDS.includes(word))).toEqual(words)
    expect(fault.startsWith(`${name} is not an option; `)).toBe(true)
    expect(fault).not.toContain('canary')
  })
})

test('what a name nearly says already is answered with what differs', () => {
  expect(['rateLimit', 'aggregation', 'RecordMaxBufferedTime'].map(name => faultOf({ [name]: 1 }))).toEqual([
    'rateLimit is not an option; rateLimitPercent is a percentage of the limit of one shard, not a number of records',
    'aggregation is not an option; aggregationEnabled turns it on or off',
    "RecordMaxBufferedTime is not an option; recordMaxBufferedTimeMs is the KPL's RecordMaxBufferedTime, in ms"
  ])
})

test('a property of the KPL without a meaning here says why', () => {
  expect(faultOf({ ThreadPoolSize: 5 })).toMatch(
    /^ThreadPoolSize is not an option; the KPL's ThreadPoolSize has no meaning/
  )
})

test('a long name and a strange one are cut and cleaned, and those that mean nothing get no advice', () => {
  expect([
    faultOf({ [`zz${'z'.repeat(100)}`]: 1 }),
    faultOf({ 'q\u0007\u00e9\ud800': 1 }),
    faultOf({ maxRetries: undefined })
  ]).toEqual([`zz${'z'.repeat(62)} is not an option`, 'q??? is not an option', expect.stringContaining('recordTtlMs')])
})

function faultOf(options: object): string {
  try {
    resolveOptions(options)
  } catch (error) {
    if (error instanceof OptionsError && error.faults.length === 1) return error.faults[0]!
  }
  return expect.fail('one fault was expected')
}
