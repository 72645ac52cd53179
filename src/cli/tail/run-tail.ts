/**
 * `tail`: the library's reader, filters, and lines on stdout.
 * Invariant: records of a shard are printed in their order; the reader waits while stdout does not take more; a place is saved only
 * once stdout has taken what came before it.
 */
import type { KinesisClient } from '@aws-sdk/client-kinesis'
import { formatSequenceNumber, isAggregated } from '../../consumer/deaggregate.ts'
import { DedupeWindow } from '../../consumer/dedupe.ts'
import {
  type ReadRetry,
  readStream,
  type StreamPosition,
  type StreamReader,
  type StreamRecord,
  type StreamStart
} from '../../reader/read-stream.ts'
import { instantMs } from '../arguments/units.ts'
import { type Outcome, type Words, wordAt } from '../command.ts'
import { kinesisClient } from '../connection.ts'
import { CliError, shownError } from '../errors.ts'
import type { ExitCode } from '../exit-codes.ts'
import { LineWriter } from '../output/line-writer.ts'
import type { Session } from '../session.ts'
import { listAllShards } from '../stream-calls.ts'
import { readCheckpoint, writeCheckpoint } from './checkpoint-file.ts'
import { type ShownRecord, type TailDecoder, tailDecoder } from './decode.ts'
import { filterOf } from './filter.ts'
import { formatterOf } from './format.ts'
import type { TailFlags } from './tail-flags.ts'
import { gunzipped, logEvents } from './unpack.ts'

const SAVE_MS = 1000
const GRACE_MS = 2000
/** Failures of one call in a row. */
const TOLD_FAILURES = 3
/** Lines wait at most so long when few records come. */
const FLUSH_MS = 50

export async function runTail(session: Session, flags: TailFlags, words: Words): Promise<Outcome> {
  const stream = wordAt(words, 0) ?? ''
  const untilMs = endOf(session, flags)
  const printer = new Printer(session, flags, stream, untilMs)
  const client = await kinesisClient(session)
  const decoder = flags.decode === undefined ? undefined : await tailDecoder(session, flags.glueEndpoint)
  const from = startOf(session, flags, stream)
  const reader = readStream(client, stream, {
    from,
    // A time that is over is reached when every shard is read to its newest record.
    follow: flags.follow && untilMs > session.host.wallMs(),
    signal: printer.stop,
    clock: session.host.clock,
    onRetry: retry => printer.retried(retry),
    onStalePosition: flags.onExpired === 'oldest' ? 'restart' : 'throw'
  })
  try {
    if (flags.shard.length > 0) await assertShards(client, stream, flags.shard)
  } catch (error) {
    client.destroy()
    decoder?.close()
    throw error
  }
  session.progress.start(() => ({ records: printer.printed, bytes: printer.bytes, figures: printer.figures }))
  let exit: ExitCode = 0
  try {
    await printer.print(reader, decoder)
  } catch (error) {
    const shown = shownError(error)
    session.errors.tell(shown.code, shown.message, shown.fix)
    // A stream that cannot be read any more is the service's doing.
    exit = shown.exit === 1 ? 3 : shown.exit
  } finally {
    client.destroy()
    decoder?.close()
  }
  const { printed: records, bytes, read, malformed } = printer
  if (exit === 0 && flags.strict === true && malformed > 0) exit = 1
  return { exit, summary: { records, bytes, read, malformed } }
}

/** A name that is not in the list, such as one with a zero too few, would print nothing and end with 0. */
async function assertShards(client: KinesisClient, stream: string, shards: readonly string[]): Promise<void> {
  const listed = (await listAllShards(client, stream)).map(({ ShardId = '' }) => ShardId)
  const unknown = shards.filter(shard => !listed.includes(shard)).map(shard => JSON.stringify(shard))
  if (unknown.length === 0) return
  const names = listed.length === 1 ? `${listed[0]}` : `${listed[0]} to ${listed.at(-1)}`
  throw new CliError('CLI_ERR_USAGE', `--shard: stream ${stream} has no shard ${unknown.join(', ')}; it has ${names}`)
}

class Printer {
  printed = 0
  read = 0
  bytes = 0
  malformed = 0
  readonly #session: Session
  readonly #flags: TailFlags
  readonly #stream: string
  readonly #untilMs: number
  readonly #lines: LineWriter
  readonly #end = new AbortController()
  /** Whether `#end` has fired: asking the signal for each record takes longer. */
  #isOver = false
  /** Of the record that was read last. */
  #arrivalMs: number | undefined
  #lastMs: number

  constructor(session: Session, flags: TailFlags, stream: string, untilMs: number) {
    this.#untilMs = untilMs
    this.#session = session
    this.#flags = flags
    this.#stream = stream
    this.#lines = new LineWriter(session.host.stdout)
    this.#lastMs = session.host.clock.nowMs()
    this.#end.signal.addEventListener('abort', () => (this.#isOver = true), { once: true })
    if (session.stop.aborted) this.#end.abort()
    session.stop.addEventListener('abort', () => this.#end.abort(), { once: true })
    if (flags.idleExit !== undefined) this.#watchIdle(flags.idleExit)
    if (Number.isFinite(untilMs)) this.#endAt(untilMs)
  }

  get stop(): AbortSignal {
    return this.#end.signal
  }

  /** The reader tries again by itself; a failure that lasts is reported. */
  retried({
    operation,
    shardId,
    failureCount,
    error
  }: Pick<ReadRetry, 'operation' | 'shardId' | 'failureCount' | 'error'>): void {
    if (failureCount !== TOLD_FAILURES) return
    const where = shardId === undefined ? '' : ` of ${shardId}`
    const { message } = shownError(error)
    void this.#session.note(
      `${operation}${where} failed ${failureCount} times in a row, and is tried again: ${message}`
    )
  }

  get figures(): Readonly<Record<string, number>> {
    const nowMs = this.#session.host.wallMs()
    return { 'ms behind': Math.max(0, Math.round(nowMs - (this.#arrivalMs ?? nowMs))) }
  }

  async print(reader: StreamReader, decoder: TailDecoder | undefined): Promise<void> {
    const { host } = this.#session
    const { count = Number.POSITIVE_INFINITY, checkpoint } = this.#flags
    const isWanted = filterOf(this.#flags)
    const format = formatterOf(this.#flags, host.stdout.isTTY)
    const copies = this.#flags.dedupe === true ? new DedupeWindow() : undefined
    const saver = checkpoint === undefined ? undefined : this.#saver(checkpoint, reader)
    let isCut = false
    for await (const record of reader) {
      this.#see(record)
      // Another shard may still have earlier ones.
      if ((record.arrivalTimestamp ?? 0) > this.#untilMs) continue
      const isCopy = copies !== undefined && !copies.isNew(record)
      if (isCopy) continue
      const decoded = decoder === undefined ? record : await decoder.decode(record)
      for (const shown of this.#unpacked(decoded)) {
        if (isWanted !== undefined && !isWanted(shown)) continue
        format(shown, ++this.printed, this.#lines)
        const isFull = this.#lines.endLine()
        this.bytes += shown.data.length
        if (isFull) await this.#lines.flush()
        else this.#flushSoon()
        if (this.printed >= count) break
      }
      if (saver?.isDue() === true) await saver.save(record)
      if (this.printed < count && !this.#isOver) continue
      isCut = true
      await saver?.save(record)
      break
    }
    await this.#lines.flush()
    if (!isCut) await saver?.save()
  }

  #see(record: StreamRecord): void {
    this.read++
    this.#lastMs = this.#session.host.clock.nowMs()
    this.#arrivalMs = record.arrivalTimestamp
    // A record with the magic that came as a plain record is no valid aggregate.
    const isMalformed = !record.aggregated && isAggregated(record.data)
    if (!isMalformed) return
    this.malformed++
    this.#session.errors.tell(
      'KPL_ERR_MALFORMED_ENVELOPE',
      `a record of ${record.shardId} is a malformed aggregate; shown as it is`
    )
  }

  #unpacked(record: ShownRecord): Iterable<ShownRecord> {
    if (this.#flags.cwlogs === true) return logEvents(record)
    return [this.#flags.gunzip === true ? gunzipped(record) : record]
  }

  #isFlushing = false

  #flushSoon(): void {
    if (this.#isFlushing) return
    this.#isFlushing = true
    const { clock } = this.#session.host
    clock.schedule(clock.nowMs() + FLUSH_MS, () => {
      this.#isFlushing = false
      void this.#lines.flush()
    })
  }

  /** Ends a reading that follows, a little after the time: records are seen a moment after they arrived. */
  #endAt(untilMs: number): void {
    const { clock, wallMs } = this.#session.host
    const leftMs = untilMs - wallMs()
    if (leftMs > 0) clock.schedule(clock.nowMs() + leftMs + GRACE_MS, () => this.#end.abort()).unref?.()
  }

  #watchIdle(idleMs: number): void {
    const { clock } = this.#session.host
    const timer = clock.schedule(this.#lastMs + idleMs, () => {
      if (clock.nowMs() - this.#lastMs >= idleMs) this.#end.abort()
      else this.#watchIdle(idleMs)
    })
    timer.unref?.()
  }

  #saver(path: string, reader: StreamReader) {
    const { clock, stdout } = this.#session.host
    let savedMs = clock.nowMs()
    return {
      isDue: () => clock.nowMs() - savedMs >= SAVE_MS,
      /** `last` is the record that was printed last, if the reader has not been asked for the next one. */
      save: async (last?: StreamRecord) => {
        savedMs = clock.nowMs()
        // Taken before the lines are flushed: what is printed meanwhile is not in it.
        const position = passed(reader.position(), last)
        await this.#lines.flush()
        if (!stdout.closed.aborted) writeCheckpoint(path, this.#stream, position)
      }
    }
  }
}

/** The reader counts a record as done when it is asked for the next one. */
function passed(position: StreamPosition, last: StreamRecord | undefined): StreamPosition {
  if (last === undefined) return position
  return { shards: { ...position.shards, [last.shardId]: formatSequenceNumber(last) } }
}

/** Returns when records are too late to be printed; Infinity without --to. */
function endOf({ host }: Session, { to, checkpoint }: TailFlags): number {
  if (to === undefined) return Number.POSITIVE_INFINITY
  // A place behind records that were not printed would skip them in the next run.
  if (checkpoint !== undefined) throw new CliError('CLI_ERR_USAGE', '--to and --checkpoint exclude each other')
  return instantMs(to, host.wallMs())
}

function startOf(session: Session, { from, checkpoint }: TailFlags, stream: string): StreamStart {
  const saved = checkpoint === undefined ? undefined : readCheckpoint(checkpoint, stream)
  if (saved !== undefined) return saved
  if (from === 'latest') return 'LATEST'
  if (from === 'oldest') return 'TRIM_HORIZON'
  const timestampMs = instantMs(from, session.host.wallMs())
  if (timestampMs < 0) throw new CliError('CLI_ERR_USAGE', '--from is before 1970')
  return { timestampMs }
}
