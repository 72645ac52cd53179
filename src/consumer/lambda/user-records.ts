/**
 * The Kinesis records of an event, and the user records in them.
 * Invariant: a user record comes out only with an id that tells it from all others; what has none is an error.
 */

import { invalidInput } from '../deaggregate/consumer-error.ts'
import type { DeaggregateOptions } from '../deaggregate.ts'
import { deaggregate } from '../deaggregate.ts'
import type { LambdaStreamEvent, LambdaStreamRecord, LambdaUserRecord } from './event.ts'

/** Returns the event's records. Throws KPL_ERR_INVALID_INPUT for what is no event of Kinesis. */
export function recordsOf<Source extends LambdaStreamRecord>(event: LambdaStreamEvent<Source>): readonly Source[] {
  const records: unknown = Object(event).Records
  if (Array.isArray(records)) return records
  throw invalidInput('event.Records', 'the list of a Kinesis event', records)
}

/** Yields the user records of one of an event's records. Throws KPL_ERR_INVALID_INPUT. */
export function* userRecordsOf<Source extends LambdaStreamRecord>(
  source: Source,
  options: DeaggregateOptions | undefined
): Generator<LambdaUserRecord<Source>, void, undefined> {
  const sequenceNumber = sequenceNumberOf(source)
  if (sequenceNumber === undefined) throw invalidInput('kinesis.sequenceNumber', 'text', sequenceNumber)
  const id = source.eventID ?? sequenceNumber
  for (const record of deaggregate(source, options)) {
    yield { ...record, id: `${id}:${record.subSequenceNumber}`, source }
  }
}

/** Returns the record's sequence number; undefined when it has none by which Lambda would know it. */
export function sequenceNumberOf(source: LambdaStreamRecord | undefined): string | undefined {
  const sequenceNumber: unknown = source?.kinesis?.sequenceNumber
  return typeof sequenceNumber === 'string' && sequenceNumber !== '' ? sequenceNumber : undefined
}
