/**
 * `writable`: the producer as a Node.js stream of user records.
 * Invariant: `write` calls back only when the record is in the buffer, so a full buffer stops the source; `end` calls
 * back only when every record written has settled.
 */
import { Writable } from 'node:stream'
import type { RecordFailedError } from './model/errors.ts'
import type { UserRecord } from './model/records.ts'
import type { RecordSink } from './put-all.ts'

export interface WritableOptions {
  /** Records that may wait in the stream itself; default 16. */
  readonly highWaterMark?: number
  /** Called for each record that failed. Without it the first failure destroys the stream with its error. */
  readonly onFailure?: (error: RecordFailedError, record: UserRecord) => void
}

export function recordWritable(sink: RecordSink, options: WritableOptions): Writable {
  const { highWaterMark = 16, onFailure } = options
  let outstanding = 0
  let whenSettled: (() => void) | undefined
  const settled = (record: UserRecord, error: RecordFailedError | undefined) => {
    outstanding--
    if (error !== undefined && onFailure !== undefined) onFailure(error, record)
    else if (error !== undefined) stream.destroy(error)
    if (outstanding === 0) whenSettled?.()
  }
  const stream = new Writable({
    objectMode: true,
    highWaterMark,
    write(record: UserRecord, _encoding, callback) {
      const attempt = (): void => {
        try {
          if (sink.tryPut(record, error => settled(record, error))) {
            outstanding++
            callback()
          } else sink.ready().then(attempt, callback)
        } catch (error) {
          callback(error as Error)
        }
      }
      attempt()
    },
    final(callback) {
      if (outstanding === 0) callback()
      else whenSettled = callback
    }
  })
  return stream
}
