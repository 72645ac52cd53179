/**
 * The table of errors: each code, the class that carries it, whether another try can help, and its meaning.
 * Invariant: the table is the single list. `npm run docs` writes `ErrorCode`, the codes of each class (errors.ts) and the
 * documentation from it.
 */

interface ErrorEntry {
  readonly class: string
  /** Whether the same call may succeed later without a change by the caller. */
  readonly retryable: boolean
  readonly doc: string
}

/** The table. */
export const ERRORS = {
  KPL_ERR_INVALID_OPTIONS: {
    class: 'OptionsError',
    retryable: false,
    doc: 'At least one option is unknown, of the wrong kind or out of bounds. `faults` has a sentence for each.'
  },
  KPL_ERR_INVALID_RECORD: {
    class: 'InvalidRecordError',
    retryable: false,
    doc: 'Kinesis does not accept a field of the user record. `field` names the field. Nothing was taken.'
  },
  KPL_ERR_RECORD_TOO_LARGE: {
    class: 'InvalidRecordError',
    retryable: false,
    doc: 'Data and partition key together are larger than `maxUserRecordBytes`. Nothing was taken.'
  },
  KPL_ERR_BUFFER_FULL: {
    class: 'ProducerError',
    retryable: true,
    doc: 'The buffer has reached `bufferMaxBytes` or `bufferMaxRecords`. Wait for `ready()`. Nothing was taken.'
  },
  KPL_ERR_CLOSED: {
    class: 'ProducerError',
    retryable: false,
    doc: 'The producer is closing or closed, or the writable that held the record is. Nothing was taken.'
  },
  KPL_ERR_ABORTED: {
    class: 'RecordFailedError',
    retryable: true,
    doc: 'The AbortSignal of the record fired before the acknowledgement came.'
  },
  KPL_ERR_EXPIRED: {
    class: 'RecordFailedError',
    retryable: true,
    doc: 'The record was not acknowledged within `recordTtlMs`. `attempts` says why.'
  },
  KPL_ERR_THROTTLED: {
    class: 'RecordFailedError',
    retryable: true,
    doc: 'The shard was over its throughput limit, and `failIfThrottled` is set.'
  },
  KPL_ERR_REJECTED: {
    class: 'RecordFailedError',
    retryable: false,
    doc: 'Kinesis refused the record or the stream for good. `serviceCode` is the error code of Kinesis.'
  },
  KPL_ERR_CANNOT_SEND: {
    class: 'RecordFailedError',
    retryable: false,
    doc: 'No request can leave this process. The reason is the client, its credentials, its region or its endpoint; `cause` says which.'
  },
  KPL_ERR_CLOSE_TIMEOUT: {
    class: 'RecordFailedError',
    retryable: true,
    doc: 'The deadline of `close({ timeoutMs })` came before the acknowledgement.'
  },
  KPL_ERR_TRANSPORT: {
    class: 'TransportError',
    retryable: true,
    doc: 'A request failed as a whole. A Transport throws this error; users see it in `attempts` only.'
  },
  KPL_ERR_BAD_SHARD_MAP: {
    class: 'ProducerError',
    retryable: true,
    doc: 'The answer to ListShards has a gap, an overlap or a malformed range. The last good shard map stays in use.'
  },
  KPL_ERR_PROTOCOL: {
    class: 'TransportError',
    retryable: true,
    doc: 'An answer does not have the shape of the Kinesis API. The records may be stored.'
  },
  KPL_ERR_INTERNAL: {
    class: 'RecordFailedError',
    retryable: true,
    doc: 'A part of the producer threw an error: `cause`. The records of that stream fail, and the producer goes on.'
  },
  KPL_ERR_READ_FAILED: {
    class: 'StreamReadError',
    retryable: true,
    doc: 'A call of `readStream` failed eleven times in a row. `cause` is the last failure. `position()` says where to go on.'
  },
  KPL_ERR_READER_USED: {
    class: 'StreamReadError',
    retryable: false,
    doc: 'The reader was iterated before. Make another one, from `position()` of this one.'
  },
  KPL_ERR_STALE_POSITION: {
    class: 'StreamReadError',
    retryable: false,
    doc: 'The position given to `readStream` cannot belong to this shard. The stream was probably deleted and created again.'
  },
  KPL_ERR_SCHEMA_NOT_FOUND: {
    class: 'SchemaError',
    retryable: false,
    doc: 'The registry, the schema or this version of it does not exist, and registering it was not allowed.'
  },
  KPL_ERR_SCHEMA_INCOMPATIBLE: {
    class: 'SchemaError',
    retryable: false,
    doc: 'Glue refused the definition. It is malformed, or breaks the compatibility rule of its schema.'
  },
  KPL_ERR_SCHEMA_PENDING: {
    class: 'SchemaError',
    retryable: true,
    doc: 'A version was registered, but Glue did not say in time whether it is available.'
  },
  KPL_ERR_SCHEMA_ACCESS: {
    class: 'SchemaError',
    retryable: false,
    doc: 'Glue refused the credentials, or they lack a permission: `action` names it. Or there are no credentials, or no region.'
  },
  KPL_ERR_SCHEMA_UNAVAILABLE: {
    class: 'SchemaError',
    retryable: true,
    doc: 'Every call to Glue failed: it was out of reach, failed or throttled.'
  },
  KPL_ERR_SCHEMA_DATA: {
    class: 'SchemaError',
    retryable: false,
    doc: 'The data of a record do not fit its frame or its schema, or are too large after inflating.'
  },
  KPL_ERR_MALFORMED_ENVELOPE: {
    class: 'MalformedEnvelopeError',
    retryable: false,
    doc: 'Bytes begin with the KPL magic, but no valid aggregate can be read: the digest is wrong, or a field is.'
  },
  KPL_ERR_INVALID_INPUT: {
    class: 'ConsumerError',
    retryable: false,
    doc: 'A consumer got a record, event, context or argument of the wrong kind. The message names it.'
  },
  KPL_ERR_TIME_UP: {
    class: 'ConsumerError',
    retryable: true,
    doc: 'The time of the Lambda invocation ended before the user record was done. Lambda delivers the record again.'
  }
} as const satisfies Record<ErrorCode, ErrorEntry>

/** Every code of this library. Programs branch on it; each error class has those that it carries. */
export type ErrorCode =
  | 'KPL_ERR_INVALID_OPTIONS'
  | 'KPL_ERR_INVALID_RECORD'
  | 'KPL_ERR_RECORD_TOO_LARGE'
  | 'KPL_ERR_BUFFER_FULL'
  | 'KPL_ERR_CLOSED'
  | 'KPL_ERR_ABORTED'
  | 'KPL_ERR_EXPIRED'
  | 'KPL_ERR_THROTTLED'
  | 'KPL_ERR_REJECTED'
  | 'KPL_ERR_CANNOT_SEND'
  | 'KPL_ERR_CLOSE_TIMEOUT'
  | 'KPL_ERR_TRANSPORT'
  | 'KPL_ERR_BAD_SHARD_MAP'
  | 'KPL_ERR_PROTOCOL'
  | 'KPL_ERR_INTERNAL'
  | 'KPL_ERR_READ_FAILED'
  | 'KPL_ERR_READER_USED'
  | 'KPL_ERR_STALE_POSITION'
  | 'KPL_ERR_SCHEMA_NOT_FOUND'
  | 'KPL_ERR_SCHEMA_INCOMPATIBLE'
  | 'KPL_ERR_SCHEMA_PENDING'
  | 'KPL_ERR_SCHEMA_ACCESS'
  | 'KPL_ERR_SCHEMA_UNAVAILABLE'
  | 'KPL_ERR_SCHEMA_DATA'
  | 'KPL_ERR_MALFORMED_ENVELOPE'
  | 'KPL_ERR_INVALID_INPUT'
  | 'KPL_ERR_TIME_UP'
