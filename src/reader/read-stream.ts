/**
 * Reads all shards of a stream with GetRecords, for tools and tests. It is no KCL: no leases, one process.
 * Invariant: no user record of a shard is shown before all of its parents' were, so one key's records come in order
 * across splits and merges; `position()` never passes a record that the consumer has not asked the next one after; the end of a
 * shard is believed only when children or the listing say it; and every hash key is of a shard that is read or will be.
 * Source: Kinesis API reference, GetRecords (5 calls/s and 2 MiB/s a shard; iterators live 5 minutes), read 2026-11.
 */
import type { KinesisClient } from '@aws-sdk/client-kinesis'
import { type ConsumedRecord, deaggregateAll } from '../consumer/deaggregate.ts'
import { OptionsError, StreamReadError } from '../model/errors.ts'
import { checkedClock, checkedRandom } from '../model/given-clock.ts'
import type { Clock } from '../model/ports.ts'
import { systemClock, systemRandom } from '../system.ts'
import type { KnownShard } from './answers.ts'
import { type ReadStreamOptions, readerFaults } from './options.ts'
import { RetryNotice } from './retry-notice.ts'
import { listPersistently, type ShardRead, ShardReads, stale } from './shard-reads.ts'
import { ShardTree, type StreamPosition } from './shard-tree.ts'
import { StreamCalls } from './stream-calls.ts'

export { StreamReadError } from '../model/errors.ts'
export type { ReadStreamOptions } from './options.ts'
export type { ReadRetry } from './retry-notice.ts'
export type { StreamPosition, StreamStart } from './shard-tree.ts'

/** A user record and the shard it was read from. */
export interface StreamRecord extends ConsumedRecord {
  /** The shard that it was read from. */
  readonly shardId: string
}

/** The user records of a stream, for `for await`. It can be iterated once; a second iteration fails with KPL_ERR_READER_USED. */
export interface StreamReader extends AsyncIterable<StreamRecord> {
  /**
   * Where to go on later: as `from` of another `readStream`. The record being worked on comes again. JSON-safe.
   *
   * @example
   * const reader = readStream(client, 'orders', { follow: false })
   * for await (const record of reader) console.log(record.partitionKey)
   * const rest = readStream(client, 'orders', { from: reader.position(), follow: false })
   */
  position(): StreamPosition
}

const DEFAULT_IDLE_MS = 1000
const DEFAULT_REQUEST_TIMEOUT_MS = 10_000
/** The service allows five reads a second of each shard. */
const BUSY_MS = 200
/** A listing may be a moment behind what GetRecords says. */
const LISTING_LAG_MS = 1000

/**
 * Returns the user records of all shards of a stream, given by name or ARN: parents before children, de-aggregated and,
 * by the shard's range, filtered. Shards are read independently of each other. A call that is throttled, fails, hangs or
 * answers in another shape is made again, with growing pauses, up to 10 times in a row; then KPL_ERR_READ_FAILED is thrown.
 * Any other error of the service is thrown as it is, and so are KPL_ERR_STALE_POSITION and KPL_ERR_MALFORMED_ENVELOPE, if the
 * options say so. Throws OptionsError at once for an option that will not do.
 *
 * @example
 * for await (const record of readStream(client, 'orders', { follow: false })) {
 *   console.log(record.shardId, record.partitionKey, Buffer.from(record.data).toString())
 * }
 */
export function readStream(
  client: Pick<KinesisClient, 'send'>,
  streamName: string,
  options: ReadStreamOptions = {}
): StreamReader {
  const faults = readerFaults(client, streamName, options)
  if (faults.length > 0) throw new OptionsError(faults)
  const { requestTimeoutMs = DEFAULT_REQUEST_TIMEOUT_MS, maxRecordsPerRead } = options
  const clock = checkedClock(options.clock ?? systemClock)
  const random = checkedRandom(options.random ?? systemRandom)
  const calls = new StreamCalls(client, streamName, { clock, random, requestTimeoutMs, maxRecordsPerRead })
  const notice = new RetryNotice(streamName, options.onRetry)
  const tree = new ShardTree(options.from ?? 'TRIM_HORIZON')
  let isTaken = false
  return {
    position: () => tree.position(),
    [Symbol.asyncIterator]: () => {
      if (isTaken) throw iteratedBefore(streamName)
      isTaken = true
      const records = read({ streamName, tree, calls, notice, options, clock })
      const end = records.return.bind(records)
      const fail = records.throw.bind(records)
      // A generator that waits would end with the next record only.
      return Object.assign(records, {
        return: () => {
          calls.stop()
          return end()
        },
        throw: (error: unknown) => {
          calls.stop()
          return fail(error)
        }
      })
    }
  }
}

interface Reading {
  readonly streamName: string
  readonly tree: ShardTree
  readonly calls: StreamCalls
  readonly notice: RetryNotice
  readonly options: ReadStreamOptions
  readonly clock: Clock
}

async function* read(reading: Reading): AsyncGenerator<StreamRecord, void, undefined> {
  const { streamName, tree, calls, notice, options, clock } = reading
  const { signal, follow = true, onStalePosition = 'throw' } = options
  const stop = () => calls.stop()
  signal?.addEventListener('abort', stop)
  try {
    if (signal?.aborted) return
    const reads = new ShardReads(calls, {
      streamName,
      clock,
      notice,
      onStalePosition,
      isKnown: shardId => tree.isKnown(shardId)
    })
    tree.start(await firstListing(reading))
    reads.open(tree.readable())
    while (!calls.isStopped) {
      const readable = tree.readable()
      const cursors = follow ? readable : readable.filter(cursor => !cursor.isCaughtUp)
      if (readable.length === 0 && tree.isWaiting) throw noStart(streamName)
      if (cursors.length === 0) return
      reads.startDue(cursors)
      const next = reads.take()
      if (next === undefined) await reads.changed(cursors)
      else yield* take(next, reading)
    }
  } catch (error) {
    // A read that was cut off because the consumer wants no more is no failure.
    if (!calls.isStopped) throw error
  } finally {
    signal?.removeEventListener('abort', stop)
    stop()
  }
}

/** Lists the shards, and holds the saved position against them: twice, before it counts as that of another stream. */
async function firstListing({
  streamName,
  tree,
  calls,
  notice,
  options,
  clock
}: Reading): Promise<readonly KnownShard[]> {
  let shards = await listPersistently(calls, { streamName, clock, notice })
  if (tree.staleShard(shards) !== undefined) {
    await calls.sleepUntil(clock.nowMs() + LISTING_LAG_MS)
    shards = await listPersistently(calls, { streamName, clock, notice })
  }
  const shard = tree.staleShard(shards)
  if (shard === undefined) return shards
  if (options.onStalePosition !== 'restart') throw stale(streamName, shard.shardId, tree.placeOf(shard)!)
  tree.forget()
  return shards
}

/** Two iterations would share the records between them, and neither would know. */
function iteratedBefore(streamName: string): StreamReadError {
  const message = `stream ${streamName}: a reader is iterated once; make another one, from position() of this one`
  return new StreamReadError('KPL_ERR_READER_USED', message, { streamName })
}

/** Sequence: a listing names shard 1 as the parent of 2, and 2 as that of 1 -> neither may be read before the other. */
function noStart(streamName: string): StreamReadError {
  const message = `stream ${streamName}: the shards that ListShards names are each other's parents, so none can be read first`
  return new StreamReadError('KPL_ERR_READ_FAILED', message, { streamName })
}

/** Shows the records of an answer, and moves its shard on. */
function* take(
  { cursor, answer, children }: ShardRead,
  { tree, options, clock }: Reading
): Generator<StreamRecord, void, undefined> {
  const { signal, idleMs = DEFAULT_IDLE_MS, outOfRange, onCorrupt, maxUserRecords, copy } = options
  const { shardId, range: shardRange } = cursor
  const deaggregation = { shardRange, outOfRange, onCorrupt, maxUserRecords, copy }
  for (const record of deaggregateAll(answer.records, deaggregation)) {
    // A reading that starts in the middle of an aggregate passes over what was done.
    if (cursor.isDone(record)) continue
    if (signal?.aborted) return
    yield { ...record, shardId }
    cursor.done(record)
  }
  cursor.iterator = answer.nextIterator
  cursor.isCaughtUp = answer.isAtTip && !cursor.isClosed
  cursor.nextReadMs = clock.nowMs() + (answer.isAtTip ? idleMs : BUSY_MS)
  if (children === undefined) return
  cursor.end()
  tree.add(children)
}
