/**
 * The Kinesis records of an event, and the user records in them.
 * Invariant: every user record has an id of its own. A record without one is an error.
 */

import { type ConsumerError, invalidInput } from '../deaggregate/consumer-error.ts'
import { type DeaggregateOptions, membersOf, type RecordAccess } from '../deaggregate/members.ts'
import type { LambdaStreamEvent, LambdaStreamRecord, LambdaUserRecord } from './event.ts'

/** Returns the event's records in a new list. Throws KPL_ERR_INVALID_INPUT for an event of another service. */
export function recordsOf<Source extends LambdaStreamRecord>(event: LambdaStreamEvent<Source>): readonly Source[] {
  const records: unknown = Object(event).Records
  if (Array.isArray(records)) return [...records]
  throw invalidInput('event.Records', 'the list of a Kinesis event', records)
}

/** Yields the user records of one record of an event. The caller has checked the options. Throws KPL_ERR_INVALID_INPUT. */
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

/** Returns the place of a record, for a log. It holds no text that a producer wrote. */
export function placeOf(source: LambdaStreamRecord | undefined, record: LambdaUserRecord | undefined): string[] {
  const [, shardId] = /^(shardId-\d{1,20}):/.exec(String(source?.eventID)) ?? []
  const [sequenceNumber] = /^\d{1,128}$/.exec(String(sequenceNumberOf(source))) ?? []
  return [
    ...(shardId === undefined ? [] : [`shard ${shardId}`]),
    ...(sequenceNumber === undefined ? [] : [`sequence number ${sequenceNumber}`]),
    ...(record?.aggregated ? [`sub-sequence number ${record.subSequenceNumber}`] : [])
  ]
}

/** Returns the record's sequence number; undefined when Lambda could not find the record by it. */
export function sequenceNumberOf(source: LambdaStreamRecord | undefined): string | undefined {
  const sequenceNumber: unknown = source?.kinesis?.sequenceNumber
  return typeof sequenceNumber === 'string' && sequenceNumber !== '' ? sequenceNumber : undefined
}

/** The error for a record without a sequence number. Most often, the record is of another service. */
function noKinesisRecord(source: unknown): ConsumerError {
  const { kinesis, eventSource, EventSource } = Object(source) as Readonly<Record<string, unknown>>
  if (typeof kinesis === 'object' && kinesis !== null) {
    return invalidInput('kinesis.sequenceNumber', 'text', Object(kinesis).sequenceNumber)
  }
  const service = String(eventSource ?? EventSource)
  const must = /^aws:[a-z0-9]{1,32}$/.test(service) ? `records of Kinesis, not of ${service}` : 'records of Kinesis'
  return invalidInput('event.Records', must, source)
}
