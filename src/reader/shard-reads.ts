/**
 * Reads of shards that are under way: cursors that are due enter, answers leave in the order in which they come.
 * Invariant: a shard has one read under way, and its next one begins when the consumer has taken the answer; at most
 * READS_AT_ONCE answers are held; a call that hangs holds up its own shard and no other.
 */

import { protocolFailure } from '../aws/classify-failure.ts'
import { Fifo } from '../lanes/fifo.ts'
import { errorText, StreamReadError } from '../model/errors.ts'
import type { Clock } from '../model/ports.ts'
import { isCovered, type KnownShard, type RecordsAnswer } from './answers.ts'
import type { ReadRetry, RetryNotice } from './retry-notice.ts'
import type { ShardCursor } from './shard-tree.ts'
import { codeOf, isPassing, type StreamCalls } from './stream-calls.ts'

/** An answer and its shard. */
export interface ShardRead {
  readonly cursor: ShardCursor
  readonly answer: RecordsAnswer
  /** At the end of the shard: the shards that go on. */
  readonly children: readonly KnownShard[] | undefined
}

export interface ShardReadsOptions {
  readonly streamName: string
  readonly clock: Clock
  readonly notice: RetryNotice
  readonly onStalePosition: 'throw' | 'restart'
  readonly isKnown: (shardId: string) => boolean
}

/** Answers of up to 10 MiB each, which are awaited or held. */
const READS_AT_ONCE = 4
/** A call that takes longer does not count among them until it is answered, so that others get their turn. */
const SLOW_MS = 1_000
/** Failures in a row after which a call is made again. */
const MAX_FAILURES = 10

export class ShardReads {
  readonly #calls: StreamCalls
  readonly #options: ShardReadsOptions
  readonly #busy = new Set<ShardCursor>()
  readonly #answered = new Fifo<ShardRead>()
  /** Reads that count among READS_AT_ONCE. */
  readonly #counted = new Set<ShardCursor>()
  #failure: { readonly error: unknown } | undefined
  #wake: () => void = () => {}

  constructor(calls: StreamCalls, options: ShardReadsOptions) {
    this.#calls = calls
    this.#options = options
  }

  /** Fixes where shards are read from, all at once: what is put from now on is not missed on LATEST. */
  open(cursors: readonly ShardCursor[]): void {
    for (const cursor of cursors) this.#begin(cursor, () => this.#open(cursor))
  }

  /** Begins to read whatever is due, the longest due first. */
  startDue(cursors: readonly ShardCursor[]): void {
    const nowMs = this.#options.clock.nowMs()
    for (const cursor of cursors) {
      if (this.#counted.size >= READS_AT_ONCE) return
      if (cursor.nextReadMs > nowMs || this.#busy.has(cursor)) continue
      this.#counted.add(cursor)
      const slow = this.#options.clock.schedule(nowMs + SLOW_MS, () => this.#uncount(cursor))
      this.#begin(cursor, () => this.#read(cursor).finally(() => slow.cancel()))
    }
  }

  /** Takes the next answer; its shard may be read again. Throws what a read failed with for good. */
  take(): ShardRead | undefined {
    if (this.#failure !== undefined) throw this.#failure.error
    const read = this.#answered.shift()
    if (read !== undefined) this.#release(read.cursor)
    return read
  }

  /** Resolves when something has changed, one of `cursors` is due, or the reader stops. */
  changed(cursors: readonly ShardCursor[]): Promise<void> {
    const hasSlot = this.#counted.size < READS_AT_ONCE
    const waiting = hasSlot ? cursors.filter(cursor => !this.#busy.has(cursor)) : []
    const dueMs = Math.min(...waiting.map(cursor => cursor.nextReadMs))
    const woken = new Promise<void>(resolve => {
      this.#wake = resolve
    })
    return this.#calls.sleepUntil(dueMs, woken)
  }

  #begin(cursor: ShardCursor, work: () => Promise<ShardRead | undefined>): void {
    this.#busy.add(cursor)
    work().then(
      read => {
        if (read === undefined) this.#release(cursor)
        else this.#hold(read)
        this.#wake()
      },
      (error: unknown) => {
        this.#failure ??= { error }
        this.#wake()
      }
    )
  }

  /** An answer beyond the bound is of a call that was slow. It is asked for again, first of all, when there is room. */
  #hold(read: ShardRead): void {
    const hasRoom = this.#answered.count < READS_AT_ONCE
    if (!hasRoom) {
      this.#release(read.cursor)
      return
    }
    this.#counted.add(read.cursor)
    this.#answered.push(read)
  }

  async #open(cursor: ShardCursor): Promise<undefined> {
    try {
      await this.#iterator(cursor)
    } catch (error) {
      this.#failed(cursor, 'GetShardIterator', error)
    }
  }

  /** undefined: it failed, and `cursor.nextReadMs` says when to try again. */
  async #read(cursor: ShardCursor): Promise<ShardRead | undefined> {
    let operation: ReadRetry['operation'] = 'GetShardIterator'
    try {
      const iterator = await this.#iterator(cursor)
      operation = 'GetRecords'
      const answer = await this.#calls.recordsAt(iterator)
      operation = 'ListShards'
      const children = answer.nextIterator === undefined ? await this.#childrenOf(cursor, answer) : undefined
      if (children === 'unconfirmed') {
        cursor.nextReadMs = this.#options.clock.nowMs() + this.#calls.pauseMs(1)
        return undefined
      }
      cursor.failures = 0
      this.#options.notice.worked(cursor.shardId)
      cursor.isEndClaimed = false
      return { cursor, answer, children }
    } catch (error) {
      this.#failed(cursor, operation, error)
      return undefined
    }
  }

  async #iterator(cursor: ShardCursor): Promise<string> {
    cursor.iterator ??= await this.#calls.iteratorOf(cursor)
    cursor.confirm()
    return cursor.iterator
  }

  /**
   * An answer without a next iterator says that the shard has ended only if it names children that take over all of its hash
   * keys, or if the next answer and the listing say so too. Sequence without that: a proxy answers `{ Records: [] }` once ->
   * the shard counts as ended -> all that is in it and comes later is never read.
   */
  async #childrenOf(
    cursor: ShardCursor,
    { children = [] }: RecordsAnswer
  ): Promise<readonly KnownShard[] | 'unconfirmed'> {
    const { shardId, range } = cursor
    const heirs = children.filter(child => child.shardId !== shardId && child.parents.includes(shardId))
    if (isCovered(range, heirs)) return this.#withParents(heirs)
    if (!cursor.isEndClaimed) {
      cursor.isEndClaimed = true
      return 'unconfirmed'
    }
    const shards = await this.#calls.listShards()
    const shard = shards.find(known => known.shardId === shardId)
    const hasChildren = shards.some(known => known.parents.includes(shardId))
    // A shard that is not listed any more ended so long ago that its records are gone.
    if (shard === undefined || shard.endsAt !== undefined || hasChildren) return shards
    throw protocolFailure('NoIterator', 'GetRecords gave no next iterator, and ListShards says that the shard is open.')
  }

  /**
   * A child may have a second parent that no listing has named yet; it comes with all that it descends from. Sequence without
   * that: shard 0 splits into 2 and 3 -> 3 and 1 merge into 4 -> shard 1 is at its end and names 4 -> shard 0 is not, so that
   * nobody knows 3 -> 4 is read before 3.
   */
  async #withParents(heirs: readonly KnownShard[]): Promise<readonly KnownShard[]> {
    const isComplete = heirs.every(({ parents }) => parents.every(this.#options.isKnown))
    if (isComplete) return heirs
    const shards = await this.#calls.listShards()
    const ids = new Set(shards.map(({ shardId }) => shardId))
    // A shard that is not listed beside its child is gone. A listing without the child is older than the answer.
    if (heirs.every(({ shardId }) => ids.has(shardId))) return shards
    throw protocolFailure('ListingGap', 'ListShards did not name a child that GetRecords had named.')
  }

  /** Plans the next try, or throws what will not pass. */
  #failed(cursor: ShardCursor, operation: ReadRetry['operation'], error: unknown): void {
    const code = codeOf(error)
    if (cursor.isUnconfirmed && operation === 'GetShardIterator' && code === 'InvalidArgumentException') {
      this.#refused(cursor, error)
      return
    }
    const isExpired = code === 'ExpiredIteratorException' && !cursor.isAdrift
    if (isExpired) cursor.iterator = undefined
    else if (!isPassing(error)) throw error
    const { streamName, clock, notice } = this.#options
    const { shardId } = cursor
    if (++cursor.failures > MAX_FAILURES) throw exhausted(streamName, operation, error, shardId)
    const pauseMs = this.#calls.pauseMs(cursor.failures)
    cursor.nextReadMs = clock.nowMs() + pauseMs
    // A call that was cut off because the reader stops is not made again.
    if (!this.#calls.isStopped) notice.tell({ error, operation, shardId, failureCount: cursor.failures, pauseMs })
  }

  /** The service never gave the saved number of this shard. */
  #refused(cursor: ShardCursor, cause: unknown): void {
    const { streamName, onStalePosition } = this.#options
    if (onStalePosition === 'throw') throw stale(streamName, cursor.shardId, cursor.place, cause)
    cursor.restart()
  }

  #release(cursor: ShardCursor): void {
    this.#busy.delete(cursor)
    this.#counted.delete(cursor)
  }

  #uncount(cursor: ShardCursor): void {
    this.#counted.delete(cursor)
    this.#wake()
  }
}

/** The error for a saved place that cannot be of its shard. */
export function stale(streamName: string, shardId: string, place: string, cause?: unknown): StreamReadError {
  const fact = `stream ${streamName}, shard ${shardId}: the saved place ${place} cannot be of this shard`
  const message = `${fact}; the stream was probably deleted and created again`
  return new StreamReadError('KPL_ERR_STALE_POSITION', message, { streamName, shardId, cause })
}

/** Lists all shards, again and again while that fails in a way that may pass. */
export async function listPersistently(
  calls: StreamCalls,
  { streamName, clock, notice }: Pick<ShardReadsOptions, 'streamName' | 'clock' | 'notice'>
): Promise<readonly KnownShard[]> {
  for (let failureCount = 1; ; failureCount++) {
    try {
      const shards = await calls.listShards()
      notice.worked()
      return shards
    } catch (error) {
      if (calls.isStopped || !isPassing(error)) throw error
      if (failureCount > MAX_FAILURES) throw exhausted(streamName, 'ListShards', error)
      const pauseMs = calls.pauseMs(failureCount)
      const slept = calls.sleepUntil(clock.nowMs() + pauseMs)
      notice.tell({ error, operation: 'ListShards', shardId: undefined, failureCount, pauseMs })
      await slept
    }
  }
}

function exhausted(streamName: string, operation: string, cause: unknown, shardId?: string): StreamReadError {
  const where = shardId === undefined ? `stream ${streamName}` : `stream ${streamName}, shard ${shardId}`
  const message = `${where}: ${operation} failed ${MAX_FAILURES + 1} times in a row; the last time with ${errorText(cause)}`
  return new StreamReadError('KPL_ERR_READ_FAILED', message, { streamName, shardId, cause })
}
