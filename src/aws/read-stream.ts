/**
 * Reads all shards of a stream with GetRecords, for tools and tests. It is no KCL: no leases, one process.
 * Invariant: no user record of a shard is shown before all of its parents' were, so one key's records come in order
 * across splits and merges; and `position()` never passes a record that the consumer has not asked the next one after.
 * Source: Kinesis API reference, GetRecords (5 calls/s and 2 MiB/s a shard; iterators live 5 minutes), read 2026-11.
 */
import type { ChildShard, KinesisClient, Shard } from '@aws-sdk/client-kinesis'
import { type ConsumedRecord, type DeaggregateOptions, deaggregate } from '../deaggregate.ts'
import type { Clock, Random } from '../model/ports.ts'
import { systemClock, systemRandom } from '../system.ts'
import { type ShardCursor, ShardTree, type StreamPosition, type StreamStart } from './shard-tree.ts'
import { type ShardAnswer, StreamCalls } from './stream-calls.ts'

export type { StreamPosition, StreamStart } from './shard-tree.ts'

/** A user record and the shard it was read from. */
export interface StreamRecord extends ConsumedRecord {
  readonly shardId: string
}

export interface ReadStreamOptions extends Omit<DeaggregateOptions, 'shardRange'> {
  /** Where to start. Default: `'TRIM_HORIZON'`, the oldest record kept. */
  readonly from?: StreamStart | undefined
  /** Ends the reading; the iteration then finishes without error. */
  readonly signal?: AbortSignal | undefined
  /** False: finish when every shard was read up to its newest record. Default: true, wait for more. */
  readonly follow?: boolean | undefined
  /** Between two reads of a shard that has nothing new, in milliseconds. Default: 1,000. */
  readonly idleMs?: number | undefined
  /** Kinesis records of one read, at most. Default: the service's 10,000. */
  readonly maxRecordsPerRead?: number | undefined
  readonly clock?: Clock | undefined
  readonly random?: Random | undefined
}

/** Can be iterated once. */
export interface StreamReader extends AsyncIterable<StreamRecord> {
  /** Where to go on later: as `from` of another `readStream`. The record being worked on comes again. JSON-safe. */
  position(): StreamPosition
}

const DEFAULT_IDLE_MS = 1000
/** The service allows five reads a second of each shard. */
const BUSY_MS = 200
/** Answers of up to 10 MiB each are held at once. */
const READS_AT_ONCE = 4

/**
 * Returns the user records of all shards of a stream, given by name or ARN: parents before children, de-aggregated and,
 * by the shard's range, filtered. Throttled and failed reads are tried again, with growing pauses, up to 10 times in a
 * row; any other error of the service is thrown, and so is KPL_ERR_MALFORMED_ENVELOPE, if `onCorrupt` says so.
 *
 *   for await (const record of readStream(client, 'orders', { from: 'LATEST', signal })) ...
 */
export function readStream(
  client: Pick<KinesisClient, 'send'>,
  streamName: string,
  options: ReadStreamOptions = {}
): StreamReader {
  const { clock = systemClock, random = systemRandom, signal, maxRecordsPerRead } = options
  const calls = new StreamCalls(client, streamName, { clock, random, signal, maxRecordsPerRead })
  const tree = new ShardTree(options.from ?? 'TRIM_HORIZON')
  return {
    position: () => tree.position(),
    [Symbol.asyncIterator]: () => read(tree, calls, options, clock)
  }
}

async function* read(
  tree: ShardTree,
  calls: StreamCalls,
  options: ReadStreamOptions,
  clock: Clock
): AsyncGenerator<StreamRecord, void, undefined> {
  const { signal, follow = true, idleMs = DEFAULT_IDLE_MS } = options
  try {
    tree.start(await calls.listShards())
    for (const cursor of tree.readable()) await calls.open(cursor)
    for (let cursors = tree.readable(); cursors.length > 0; cursors = tree.readable()) {
      if (signal?.aborted || (!follow && cursors.every(cursor => cursor.isCaughtUp))) return
      const due = cursors.filter(cursor => cursor.nextReadMs <= clock.nowMs()).slice(0, READS_AT_ONCE)
      if (due.length === 0) await calls.sleepUntil(Math.min(...cursors.map(cursor => cursor.nextReadMs)))
      const answers = await Promise.all(due.map(cursor => calls.read(cursor)))
      for (const [i, answer] of answers.entries()) {
        if (answer === undefined) continue
        const cursor = due[i]!
        yield* userRecords(cursor, answer, options)
        await advance(tree, calls, cursor, answer)
        cursor.nextReadMs = clock.nowMs() + (answer.isAtTip ? idleMs : BUSY_MS)
      }
    }
  } catch (error) {
    // A read that was cut off because the consumer wants no more is no failure.
    if (!signal?.aborted) throw error
  }
}

function* userRecords(
  cursor: ShardCursor,
  answer: ShardAnswer,
  options: ReadStreamOptions
): Generator<StreamRecord, void, undefined> {
  const { shardId } = cursor
  for (const source of answer.records) {
    if (options.signal?.aborted) return
    for (const record of deaggregate(source, { ...options, shardRange: cursor.range })) {
      // A reading that starts in the middle of an aggregate passes over what was done.
      if (cursor.isDone(record)) continue
      yield { ...record, shardId }
      cursor.done(record)
    }
  }
}

/** At the end of a shard its children take over; a service that does not name them is asked for all shards. */
async function advance(tree: ShardTree, calls: StreamCalls, cursor: ShardCursor, answer: ShardAnswer): Promise<void> {
  cursor.iterator = answer.nextIterator
  cursor.isCaughtUp = answer.isAtTip
  if (answer.nextIterator !== undefined) return
  cursor.end()
  const children: readonly (Shard | ChildShard)[] = answer.children ?? (await calls.listShards())
  tree.add(children)
}
