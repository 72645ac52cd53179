/**
 * The Kinesis records of an event, and the user records in them.
 * Invariant: a user record comes out only with an id that tells it from all others; what has none is an error.
 */

import { type ConsumerError, invalidInput } from '../deaggregate/consumer-error.ts'
import { type DeaggregateOptions, membersOf, type RecordAccess } from '../deaggregate/members.ts'
import type { LambdaStreamEvent, LambdaStreamRecord, LambdaUserRecord } from './event.ts'

/** Returns the event's records, in a list that is not the event's. Throws KPL_ERR_INVALID_INPUT for what is no event of Kinesis. */
export function recordsOf<Source extends LambdaStreamRecord>(event: LambdaStreamEvent<Source>): readonly Source[] {
  const records: unknown = Object(event).Records
  if (Array.isArray(records)) return [...records]
  throw invalidInput('event.Records', 'the list of a Kinesis event', records)
}

/** Yields the user records of one of an event's records; the options were checked. Throws KPL_ERR_INVALID_INPUT. */
export function* userRecordsOf<Source extends LambdaStreamRecord>(
  source: Source,
  options: DeaggregateOptions,
  access: RecordAccess
): Generator<LambdaUserRecord<Source>, void, undefined> {
  const sequenceNumber = sequenceNumberOf(source)
  if (sequenceNumber === undefined) throw noKinesisRecord(source)
  const eventId: unknown = source.eventID
  const id = typeof eventId === 'string' && eventId !== '' ? eventId : sequenceNumber
  for (const record of membersOf(source, options, access)) {
    yield { ...record, id: `${id}:${record.subSequenceNumber}`, source }
  }
}

/** Returns where a record stands, for a log: nothing of it is what a producer wrote. */
export function placeOf(source: LambdaStreamRecord | undefined, record: LambdaUserRecord | undefined): string[] {
  const [, shardId] = /^(shardId-\d{1,20}):/.exec(String(source?.eventID)) ?? []
  const [sequenceNumber] = /^\d{1,128}$/.exec(String(sequenceNumberOf(source))) ?? []
  return [
    ...(shardId === undefined ? [] : [`shard ${shardId}`]),
    ...(sequenceNumber === undefined ? [] : [`sequence number ${sequenceNumber}`]),
    ...(record?.aggregated ? [`sub-sequence number ${record.subSequenceNumber}`] : [])
  ]
}

/** Returns the record's sequence number; undefined when it has none by which Lambda would know it. */
export function sequenceNumberOf(source: LambdaStreamRecord | undefined): string | undefined {
  const sequenceNumber: unknown = source?.kinesis?.sequenceNumber
  return typeof sequenceNumber === 'string' && sequenceNumber !== '' ? sequenceNumber : undefined
}

/** The error for a record without a sequence number: one of another service, most often. */
function noKinesisRecord(source: unknown): ConsumerError {
  const { kinesis, eventSource, EventSource } = Object(source) as Readonly<Record<string, unknown>>
  if (typeof kinesis === 'object' && kinesis !== null) {
    return invalidInput('kinesis.sequenceNumber', 'text', Object(kinesis).sequenceNumber)
  }
  const service = String(eventSource ?? EventSource)
  const must = /^aws:[a-z0-9]{1,32}$/.test(service) ? `records of Kinesis, not of ${service}` : 'records of Kinesis'
  return invalidInput('event.Records', must, source)
}
