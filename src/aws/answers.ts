/**
 * Reads the service's answers: from whatever arrived to the shapes of the port.
 * Invariant: only known fields of the right type get through; anything else is KPL_ERR_PROTOCOL, never a crash.
 */
import type {
  PutRecordsAnswer,
  PutRecordsEntry,
  PutRecordsResponse,
  ShardHashRange,
  StreamSummary
} from '../model/ports.ts'
import { MALFORMED_ANSWER, protocolFailure } from './classify-failure.ts'
import { redacted } from './redact.ts'

export interface ShardPage {
  readonly shards: readonly ShardHashRange[]
  /** Shards that others name as their parents: closed, whether or not the answer says so. */
  readonly parentIds: readonly string[]
  readonly nextToken: string | undefined
}

const BYTES_PER_KIB = 1024

/** Throws KPL_ERR_PROTOCOL for another shape, or when there is not one answer for each of the entries. */
export function readPutRecords(output: unknown, entries: readonly PutRecordsEntry[]): PutRecordsResponse {
  const entryCount = entries.length
  const records = list(fields(output, 'The answer')['Records'], 'Records')
  if (records.length !== entryCount) {
    const message = `PutRecords was sent ${entryCount} records and answered about ${records.length}.`
    throw protocolFailure('RecordCountMismatch', message, 200)
  }
  return { records: records.map((record, i) => readRecord(record, entries[i]!.partitionKey)) }
}

/**
 * Returns the open shards of one page of ListShards. The request asks for these alone, but an endpoint may not know
 * ShardFilter (kinesalite, old emulators) and list closed parents beside their children.
 */
export function readShardPage(output: unknown): ShardPage {
  const answer = fields(output, 'The answer')
  return {
    shards: list(answer['Shards'], 'Shards').filter(isOpen).map(readShard),
    parentIds: list(answer['Shards'], 'Shards').flatMap(parentsOf),
    // Some emulators say so that there is none.
    nextToken: optionalText(answer['NextToken'], 'NextToken') || undefined
  }
}

/** Returns what DescribeStreamSummary says. */
export function readSummary(output: unknown): StreamSummary {
  const summary = fields(fields(output, 'The answer')['StreamDescriptionSummary'], 'StreamDescriptionSummary')
  const maxKib = summary['MaxRecordSizeInKiB']
  const isSize = typeof maxKib === 'number' && Number.isSafeInteger(maxKib) && maxKib > 0
  return {
    status: text(summary['StreamStatus'], 'StreamStatus'),
    recordDistribution: summary['RecordDistributionStrategy'] === 'AUTO' ? 'AUTO' : 'USER_PARTITION_KEY',
    maxRecordBytes: isSize ? maxKib * BYTES_PER_KIB : undefined
  }
}

function readRecord(value: unknown, partitionKey: string): PutRecordsAnswer {
  const record = asObject(value, 'Records[]')
  const errorMessage = ownText(record, 'ErrorMessage')
  return {
    shardId: ownText(record, 'ShardId'),
    sequenceNumber: ownText(record, 'SequenceNumber'),
    errorCode: ownText(record, 'ErrorCode'),
    errorMessage: errorMessage === undefined ? undefined : redacted(errorMessage, [partitionKey])
  }
}

/** As `fields` and `optionalText`, without a copy: there are up to 500 of them. */
function ownText(record: Readonly<Record<string, unknown>>, name: string): string | undefined {
  return Object.hasOwn(record, name) ? optionalText(record[name], name) : undefined
}

/** A closed shard has a last sequence number. A shard without any range of sequence numbers counts as open. */
function isOpen(value: unknown): boolean {
  const range = fields(value, 'Shards[]')['SequenceNumberRange'] ?? {}
  const last = optionalText(fields(range, 'SequenceNumberRange')['EndingSequenceNumber'], 'EndingSequenceNumber')
  return last === undefined || last === ''
}

function parentsOf(value: unknown): string[] {
  const shard = fields(value, 'Shards[]')
  const parents = ['ParentShardId', 'AdjacentParentShardId'].map(name => optionalText(shard[name], name))
  return parents.filter(parent => parent !== undefined)
}

function readShard(value: unknown): ShardHashRange {
  const shard = fields(value, 'Shards[]')
  const range = fields(shard['HashKeyRange'], 'HashKeyRange')
  return {
    shardId: text(shard['ShardId'], 'ShardId'),
    startingHashKey: text(range['StartingHashKey'], 'StartingHashKey'),
    endingHashKey: text(range['EndingHashKey'], 'EndingHashKey')
  }
}

export function fields(value: unknown, name: string): Readonly<Record<string, unknown>> {
  // Own properties only; the prototype may be anybody's.
  return { __proto__: null, ...asObject(value, name) }
}

function asObject(value: unknown, name: string): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw malformed(name, 'an object')
  return value as Readonly<Record<string, unknown>>
}

export function list(value: unknown, name: string): readonly unknown[] {
  if (!Array.isArray(value)) throw malformed(name, 'a list')
  return value
}

export function text(value: unknown, name: string): string {
  if (typeof value !== 'string') throw malformed(name, 'a string')
  return value
}

export function optionalText(value: unknown, name: string): string | undefined {
  return value === undefined || value === null ? undefined : text(value, name)
}

export function malformed(name: string, kind: string): Error {
  return protocolFailure(MALFORMED_ANSWER, `${name} is not ${kind}, so the answer is not the API's.`, 200)
}
