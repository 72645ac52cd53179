/**
 * One scenario for every SDK that is not ours, run against the fake: a program of that SDK does it and writes down the facts
 * that it saw; here they are compared with what the fake has stored and with the records that the program was given.
 *
 *   CreateStream with 2 shards; PutRecord of the first third; SplitShard; PutRecords of the second third; MergeShards;
 *   PutRecords of the rest; DescribeStreamSummary; DescribeStream; ListShards by pages; each shard with GetShardIterator (TRIM_HORIZON,
 *   AT_TIMESTAMP, AFTER_SEQUENCE_NUMBER) and GetRecords; four errors; DeleteStream and ListStreams.
 *
 * The program writes a line for each fact, its kind and its fields with tabs between:
 *   put NUMBER SHARD SEQUENCE | summary NAME STATUS OPEN | description NAME STATUS SHARDS | created MS | shard ID START END | arrival MS |
 *   read SHARD SEQUENCE base64(KEY) base64(DATA) | counts SHARD ALL RECENT REST | error WHAT CODE | streams BOOLEAN |
 *   wire CONTENT-TYPE
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  FakeKinesis,
  type FakeKinesisServer,
  type StoredRecord,
  startFakeKinesisServer
} from '../../src/testing/index.ts'
import { realClock } from '../../src/testing/real-time.ts'
import { hashKeyOfText } from './content.ts'
import type { Comparison } from './outcome.ts'
import { exchangeFiles, sourceFolder } from './toolchain.ts'
import { formatUserRecord, toBase64, type UserRecord } from './user-record.ts'
import { workload } from './workload.ts'

/** The program as a function: it returns when the program has ended. */
export type ClientProgram = (endpoint: string, streamName: string, inFile: string, outFile: string) => Promise<void>

export interface ScenarioOptions {
  readonly program: string
  readonly seed: number
  /** The format that the program's requests must have. */
  readonly format: 'json' | 'cbor'
  readonly isTls?: boolean
}

const RECORDS = 1_500
const LARGE_RECORDS = 6
/** A stream is CREATING, and UPDATING after a split or a merge, for so long. */
const CHANGE_MS = 100
const TWO_DAYS_MS = 172_800_000
const ERRORS = [
  ['missing stream', 'ResourceNotFoundException'],
  ['too large', 'ValidationException'],
  ['bad iterator', 'InvalidArgumentException'],
  ['unknown operation', 'UnknownOperationException']
]

/** Runs the scenario and returns its rows. */
export async function runScenario(options: ScenarioOptions, run: ClientProgram): Promise<Comparison[]> {
  const { program, seed, format, isTls = false } = options
  const given = workload({ seed, count: RECORDS, largeCount: LARGE_RECORDS })
  const [inFile, outFile] = exchangeFiles('scenario')
  writeFileSync(inFile, given.map(record => `${formatUserRecord(record)}\n`).join(''))
  writeFileSync(outFile, '')
  // Deleted streams keep their records for as long as this, so that they can be compared after the program has ended.
  const nowMs = () => realClock.nowMs()
  const changes = { creatingMs: CHANGE_MS, updatingMs: CHANGE_MS, deletingMs: TWO_DAYS_MS }
  const kinesis = new FakeKinesis({ nowMs, throughputLimits: false, ...changes })
  const server = await startFakeKinesisServer({ kinesis, ...(isTls ? { tls: selfSigned() } : {}) })
  try {
    const startMs = nowMs()
    await run(server.endpoint, 'scenario', inFile, outFile)
    return compareFacts(
      { program, format, given, server, startMs, endMs: nowMs() },
      factsOf(readFileSync(outFile, 'utf8'))
    )
  } finally {
    await server.close()
  }
}

/** The certificate of the tests of the fake server. */
export function selfSigned(): { readonly key: string; readonly cert: string } {
  const pem = (name: string) => readFileSync(join(sourceFolder('../testing'), name), 'utf8')
  return { key: pem('self-signed-key.pem'), cert: pem('self-signed-cert.pem') }
}

interface Side {
  readonly program: string
  readonly format: 'json' | 'cbor'
  readonly given: readonly UserRecord[]
  readonly server: FakeKinesisServer
  readonly startMs: number
  readonly endMs: number
}

type Facts = (kind: string) => readonly (readonly string[])[]

function factsOf(text: string): Facts {
  const lines = text.split('\n').map(line => line.split('\t'))
  return kind => lines.filter(([first]) => first === kind).map(([, ...fields]) => fields)
}

function compareFacts(side: Side, facts: Facts): Comparison[] {
  const { program, given, server } = side
  const stored = server.kinesis.storedRecords('scenario')
  const row = (what: string, compared: number, differences: number) => ({ program, what, compared, differences })
  const bySequence = new Map(stored.map(record => [record.sequenceNumber, record]))
  const wrongPuts = given.filter((record, i) => !isStoredAs(record, facts('put')[i], i, bySequence)).length
  const reads = facts('read').map(fields => fields.join(' '))
  const wrongReads = countMissing(stored.map(readLine), reads) + Math.abs(reads.length - stored.length)
  const shards = server.kinesis.listShards({ StreamName: 'scenario' }).Shards
  const wantedShards = shards.map(({ ShardId, HashKeyRange }) =>
    [ShardId, HashKeyRange.StartingHashKey, HashKeyRange.EndingHashKey].join(' ')
  )
  const seenShards = facts('shard').map(fields => fields.join(' '))
  const errors = facts('error').map(fields => fields.join(' '))
  const wantedErrors = ERRORS.map(fields => fields.join(' '))
  return [
    row(
      'records put with PutRecord and PutRecords, and stored',
      given.length,
      wrongPuts + Math.abs(stored.length - given.length)
    ),
    row('records read with GetRecords', reads.length, wrongReads),
    row('reads of a shard from a time and after a sequence number', shards.length, wrongCounts(facts, stored)),
    row('times of arrival and of creation', facts('arrival').length + 1, wrongTimes(side, facts)),
    row('shards listed by pages, through a split and a merge', shards.length, countMissing(wantedShards, seenShards)),
    row('streams described, deleted and listed', 2, wrongStreams(facts)),
    row('content type of the requests, JSON or CBOR as named', 1, wrongFormat(side, facts)),
    row('errors of the service by their codes', ERRORS.length, countMissing(wantedErrors, errors))
  ]
}

function isStoredAs(
  record: UserRecord,
  put: readonly string[] | undefined,
  i: number,
  bySequence: ReadonlyMap<string, StoredRecord>
): boolean {
  const [number, shardId, sequenceNumber = ''] = put ?? []
  const stored = bySequence.get(sequenceNumber)
  if (stored === undefined || Number(number) !== i) return false
  const { partitionKey, explicitHashKey, data } = record
  const hashKey = stored.explicitHashKey ?? hashKeyOfText(partitionKey)
  return (
    stored.shardId === shardId &&
    stored.partitionKey === partitionKey &&
    hashKey === (explicitHashKey ?? hashKeyOfText(partitionKey)) &&
    Buffer.compare(stored.data, data) === 0
  )
}

function readLine({ shardId, sequenceNumber, partitionKey = '', data }: StoredRecord): string {
  return [shardId, sequenceNumber, toBase64(Buffer.from(partitionKey)), toBase64(data)].join(' ')
}

function wrongCounts(facts: Facts, stored: readonly StoredRecord[]): number {
  return facts('counts').filter(([shardId, all, recent, rest]) => {
    const count = stored.filter(record => record.shardId === shardId).length
    return Number(all) !== count || Number(recent) !== count || Number(rest) !== Math.max(0, count - 1)
  }).length
}

function wrongTimes({ startMs, endMs }: Side, facts: Facts): number {
  const times = [...facts('arrival'), ...facts('created')].map(([ms]) => Number(ms))
  // The API's times have milliseconds, or seconds in an SDK that rounds.
  return times.filter(ms => !(ms >= Math.floor(startMs) - 1 && ms <= endMs + 1)).length + (times.length > 1 ? 0 : 1)
}

function wrongFormat({ format }: Side, facts: Facts): number {
  const types = facts('wire').map(([type]) => type)
  return Number(types.join() !== `application/x-amz-${format}-1.1`)
}

function wrongStreams(facts: Facts): number {
  const summary = facts('summary').map(fields => fields.join(' '))
  const description = facts('description').map(fields => fields.join(' '))
  const streams = facts('streams').map(([isListed]) => isListed)
  const isDescribed = summary.join() === 'scenario ACTIVE 2' && description.join() === 'scenario ACTIVE 5'
  return Number(!isDescribed) + Number(streams.join() !== 'true')
}

function countMissing(wanted: readonly string[], found: readonly string[]): number {
  const all = new Set(found)
  return wanted.filter(line => !all.has(line)).length
}
