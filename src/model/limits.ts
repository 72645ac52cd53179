/**
 * The service's limits, each with its source and the date it was read.
 * Invariant: no other file repeats one of these numbers.
 */

/** 1 MiB. */
export const MEBIBYTE = 1_048_576

/** Entries in one PutRecords request. Source: Kinesis API reference, PutRecords, 2026-11. */
export const MAX_REQUEST_RECORDS = 500

/** Bytes in one PutRecords request, data and partition keys. Source: API reference, PutRecords, 2026-11 (5 MiB before). */
export const MAX_REQUEST_BYTES = 10 * MEBIBYTE

/** The KPL's and our default for a request: every region and every stream takes it. Source: KPL 1.0.7 CollectionMaxSize. */
export const DEFAULT_REQUEST_BYTES = 5 * MEBIBYTE

/** Bytes of one record on a stream that was not raised, data and partition key. Source: API reference, PutRecord, 2026-11. */
export const DEFAULT_RECORD_BYTES = MEBIBYTE

/** Bytes of one record after UpdateMaxRecordSize. Source: API reference, UpdateMaxRecordSize, 2026-11. */
export const MAX_RECORD_BYTES = 10 * MEBIBYTE

/** Characters of a partition key, in UTF-16 units as the KPL counts them. Source: API reference, PutRecord; KPL 1.0.7. */
export const MAX_PARTITION_KEY_CHARACTERS = 256

/** Records per second that one shard takes. Source: Kinesis quotas page, 2026-11. */
export const SHARD_RECORDS_PER_SECOND = 1_000

/** Bytes per second that one shard takes. Source: Kinesis quotas page, 2026-11. */
export const SHARD_BYTES_PER_SECOND = MEBIBYTE

/** Shards on one page of ListShards. Source: API reference, ListShards MaxResults, 2026-11. */
export const LIST_SHARDS_PAGE = 1_000

/** Pages of one ListShards listing we follow: 200,000 shards, ten times the largest default quota. */
export const MAX_LIST_SHARDS_PAGES = 200

/** Attempts kept in a record's history; older ones are dropped, so an outage cannot grow it. */
export const MAX_ATTEMPTS_KEPT = 16

/** The cost of one buffered record beside its bytes: its callback, times and place in its envelope. Measured in bench/. */
export const RECORD_OVERHEAD_BYTES = 256

/** The bytes of a request's body that are hashed, or encrypted and written, in one turn of the event loop: 0.6 to 1 ms. */
export const BODY_BYTES_PER_TURN: number = MEBIBYTE
