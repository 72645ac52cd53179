/** Accepted records for tests of stages, as the validator would make them. */
import type { LaneRecord } from '../../src/lanes/lane.ts'
import type { AcceptedRecord } from '../../src/model/kinesis-record.ts'
import { Members } from '../../src/model/kinesis-record.ts'
import { HASH_KEY_WORDS, hashPartitionKey, writeHashKey } from '../../src/wire/hash-key.ts'
import { laneOf } from './lanes.ts'

let nextNumber = 0

export function accepted(
  partitionKey: string,
  data: string | Uint8Array,
  over: Partial<AcceptedRecord> = {}
): AcceptedRecord {
  const hashWords = new Uint32Array(HASH_KEY_WORDS)
  if (over.explicitHashKey === undefined) hashPartitionKey(partitionKey, hashWords)
  else writeHashKey(BigInt(over.explicitHashKey), hashWords)
  return {
    streamName: undefined,
    partitionKey,
    keyBytes: Buffer.byteLength(partitionKey),
    keySlot: undefined,
    explicitHashKey: undefined,
    hashWords,
    hashAt: 0,
    data,
    prefix: undefined,
    dataBytes: Buffer.byteLength(data),
    settle: () => {},
    context: undefined,
    acceptedMs: 0,
    number: nextNumber++,
    budgetBytes: 0,
    sealByMs: 80,
    deadlineMs: 100,
    expirationMs: 120_000,
    history: undefined,
    ...over
  }
}

export function sealed(over: Partial<LaneRecord> = {}): LaneRecord {
  const members = new Members()
  members.push(accepted('key', 'data'))
  return {
    data: Buffer.from('data'),
    partitionKey: 'key',
    explicitHashKey: undefined,
    isAggregate: false,
    isDigested: true,
    members,
    requestBytes: 7,
    lane: laneOf('shardId-0'),
    deadlineMs: 100,
    expirationMs: 120_000,
    attempts: [],
    persisted: 'no',
    ...over
  }
}
