/**
 * The bytes of other programs, recorded by `npm run referee -- NAME --record`, against what we read and write today.
 * The user records beside the bytes are the input of the other program. So a reading of ours cannot vouch for itself.
 */
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { ALL_HASH_KEYS, aggregateOf, OUTER_KEY, userRecordsOf } from './aggregates.ts'
import { hashKeyOfText } from './content.ts'
import {
  type RecordedKinesisRecord,
  type Recording,
  recordedUserRecord,
  recordedWorkload,
  userRecordOf
} from './recording.ts'
import type { UserRecord } from './user-record.ts'
import { withoutNulKeys } from './workload.ts'

const FOLDER = new URL('recorded/', import.meta.url)
const MAGIC_HEX = 'f3899ac2'
const MOST_BYTES = 60_000
const files = readdirSync(FOLDER)
const recordings = files.map(file => {
  const text = readFileSync(new URL(file, FOLDER), 'utf8')
  const recording: Recording = JSON.parse(text)
  return { file, bytes: text.length, ...recording }
})
const ofAggregates = recordings.flatMap(({ aggregates, ...rest }) => (aggregates ? [{ ...rest, aggregates }] : []))
const ofStreams = recordings.flatMap(({ given, stored, ...rest }) =>
  given && stored ? [{ ...rest, given, stored }] : []
)

test('every program that writes or reads aggregates has a recording', () => {
  expect(files).toEqual([
    'kcl.json',
    'kpl-0.14.13.json',
    'kpl-1.0.9.json',
    'kpl-1.1.1.json',
    'npm-aws-kinesis-agg.json',
    'pypi-aws-kinesis-agg.json'
  ])
})

test.each(recordings)('$file says its program, day and command, and is small', ({ program, date, command, bytes }) => {
  expect({
    program: /^\S.* \d+\.\d+\.\d+/.test(program),
    date: /^20\d\d-\d\d-\d\d$/.test(date),
    command: /^npm run referee -- \S+ --record$/.test(command),
    isSmall: bytes < MOST_BYTES
  }).toEqual({ program: true, date: true, command: true, isSmall: true })
})

describe.each(ofAggregates)('$program', ({ aggregates }) => {
  test('has more than one aggregate, with explicit hash keys that user records share, empty data and keys beyond ASCII', () => {
    const given = aggregates.flatMap(aggregate => aggregate.given)

    expect({
      aggregates: aggregates.length > 3,
      hashKeys: given.some(([, hashKey]) => hashKey !== null),
      sharedHashKeys: aggregates.some(aggregate => hasRepeats(aggregate.given.map(([, hashKey]) => hashKey))),
      empty: given.some(([, , data]) => data === ''),
      unicode: given.some(([key]) => /[^\0-\x7f]/.test(key))
    }).toEqual({ aggregates: true, hashKeys: true, sharedHashKeys: true, empty: true, unicode: true })
  })

  test('has the bytes that we write for the same user records', () => {
    const ours = aggregates.map(({ given }) => base64(aggregateOf(given.map(userRecordOf))))

    expect(ours).toEqual(aggregates.map(({ data }) => data))
  })

  test('reads and writes the user records that we read', () => {
    const ours = aggregates.map(({ data, shard }) => userRecordsOf(bytes(data), shard).map(recordedUserRecord))

    expect(ours).toEqual(aggregates.map(({ given, read = given }) => read))
  })
})

test('the KCL has read whole aggregates, and has dropped others that are not of its shard', () => {
  const { aggregates } = ofAggregates.find(({ file }) => file === 'kcl.json')!
  const counts = aggregates.map(({ given, read = [], shard }) => ({
    isOfAllShards: shard?.start === ALL_HASH_KEYS.start && shard.end === ALL_HASH_KEYS.end,
    given: given.length,
    read: read.length
  }))

  expect({
    wholeWithoutRange: counts.filter(count => count.isOfAllShards).every(({ given, read }) => given === read),
    someWhole: counts.some(count => !count.isOfAllShards && count.read === count.given),
    someDropped: counts.some(({ read }) => read === 0),
    inPart: counts.filter(({ given, read }) => read !== 0 && read !== given)
  }).toEqual({ wholeWithoutRange: true, someWhole: true, someDropped: true, inPart: [] })
})

describe.each(ofStreams)('$program', ({ given, stored }) => {
  const aggregates = stored.map(({ data }) => bytes(data)).filter(isAggregate)

  test('was given the recorded workload, and made aggregates and plain records of it', () => {
    expect({
      given,
      hasAggregates: aggregates.length > 3,
      hasPlain: aggregates.length < stored.length
    }).toEqual({
      given: withoutNulKeys(recordedWorkload()).map(recordedUserRecord),
      hasAggregates: true,
      hasPlain: true
    })
  })

  test('put the user records that we read, each once', () => {
    const read = stored.flatMap(read => userRecordsIn(read)).map(recordedUserRecord)

    expect(sorted(read)).toEqual(sorted(given))
  })

  test('made the bytes that we write for the user records of each aggregate', () => {
    const ours = aggregates.map(data => base64(aggregateOf(userRecordsOf(data))))

    expect(ours).toEqual(aggregates.map(base64))
  })

  test('ends each aggregate with the MD5 digest of the bytes after the magic', () => {
    const digests = aggregates.map(data => createHash('md5').update(data.subarray(4, -16)).digest('hex'))

    expect(digests).toEqual(aggregates.map(data => Buffer.from(data.subarray(-16)).toString('hex')))
  })

  test('sends an aggregate with the key a, to the hash key of its first user record', () => {
    const places = stored
      .filter(({ data }) => isAggregate(bytes(data)))
      .map(({ partitionKey, explicitHashKey, data }) => {
        const [first] = userRecordsOf(bytes(data))
        return [partitionKey, explicitHashKey, first!.explicitHashKey ?? hashKeyOfText(first!.partitionKey)]
      })

    expect(places.filter(([key, sent, ofFirst]) => key !== 'a' || sent !== ofFirst)).toEqual([])
  })
})

/** The KPL sends a hash key with every record; one that is not the key's own was given. */
function userRecordsIn({ partitionKey, explicitHashKey, data }: RecordedKinesisRecord): UserRecord[] {
  const records = userRecordsOf(bytes(data))
  if (records[0]?.partitionKey !== OUTER_KEY) return records
  const given = explicitHashKey === hashKeyOfText(partitionKey) ? undefined : explicitHashKey
  return [{ partitionKey, explicitHashKey: given, data: records[0].data }]
}

function hasRepeats(hashKeys: readonly (string | null)[]): boolean {
  const given = hashKeys.filter(hashKey => hashKey !== null)
  return new Set(given).size < given.length
}

function isAggregate(data: Uint8Array): boolean {
  return Buffer.from(data.subarray(0, 4)).toString('hex') === MAGIC_HEX
}

function sorted<Item>(items: readonly Item[]): string[] {
  return items.map(item => JSON.stringify(item)).sort()
}

function base64(data: Uint8Array): string {
  return Buffer.from(data).toString('base64')
}

function bytes(text: string): Buffer {
  return Buffer.from(text, 'base64')
}
