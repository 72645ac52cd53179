/**
 * Unpacks a record's data: gzip, and the events of a CloudWatch Logs subscription.
 * Invariant: data that is not packed so is handed on as it is; what a packed record may grow to is bounded.
 */
import { gunzipSync } from 'node:zlib'
import { jsonFields } from '../input/json-text.ts'
import type { ShownRecord } from './decode.ts'

const MAX_UNPACKED_BYTES = 64 * 1_048_576

/** Returns the record with its data unpacked, if it is gzip. */
export function gunzipped(record: ShownRecord): ShownRecord {
  const { data } = record
  if (data[0] !== 0x1f || data[1] !== 0x8b) return record
  try {
    return { ...record, data: gunzipSync(data, { maxOutputLength: MAX_UNPACKED_BYTES }) }
  } catch {
    // It only begins like gzip: the bytes themselves are shown.
    return record
  }
}

/** Gives a record for each log event. Control messages give none. */
export function* logEvents(record: ShownRecord): Generator<ShownRecord, void, undefined> {
  const unpacked = gunzipped(record)
  const envelope = jsonFields(Buffer.from(unpacked.data).toString())
  const events = envelope === undefined ? undefined : envelope['logEvents']
  if (envelope?.['messageType'] === 'CONTROL_MESSAGE') return
  if (!Array.isArray(events)) return yield unpacked
  for (const event of events) {
    const message: unknown = event instanceof Object && 'message' in event ? event.message : undefined
    if (typeof message === 'string') yield { ...record, data: Buffer.from(message) }
  }
}
