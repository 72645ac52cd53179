/**
 * `put`: inputs, framing, keys and policies, and the sink at the end.
 * Invariant: a record that is refused does not stop the others; data is sent as it came; the exit code says whether every record
 * was acknowledged.
 */
import type { ProducerOptions, RecordFrame, UserRecord } from '../../index.ts'
import { OPTIONS } from '../../model/options.ts'
import { listAt, type Outcome, type Words, wordAt } from '../command.ts'
import { producerFor, producerOptions } from '../connection.ts'
import { CliError } from '../errors.ts'
import { csvFraming } from '../input/csv.ts'
import { envelopeFraming, fileFraming, lineFraming, NOT_JSON, ndjsonFraming, u32Framing } from '../input/framing.ts'
import type { Framing, Item } from '../input/item.ts'
import { JsonPath } from '../input/json-path.ts'
import { keySelector, randomKeys } from '../input/key-selector.ts'
import { sourcesOf } from '../input/source.ts'
import { truncated } from '../input/truncate.ts'
import { LineWriter } from '../output/line-writer.ts'
import { grouped } from '../output/progress.ts'
import { frameFor } from '../schema/given-schema.ts'
import type { Session } from '../session.ts'
import { DeadLetter } from './dead-letter.ts'
import { dryRun } from './dry-run.ts'
import { Outcomes } from './outcomes.ts'
import { Pacing, sleepUntil } from './pacing.ts'
import type { PutFlags } from './put-flags.ts'
import { Sink } from './sink.ts'
import { totalsOf } from './totals.ts'

export async function runPut(session: Session, flags: PutFlags, words: Words): Promise<Outcome> {
  assertFlags(flags)
  const stream = wordAt(words, 0) ?? ''
  const options = optionsOf(session, flags, stream)
  const frame = await frameFor(session, flags, stream, flags.dryRun === true)
  const makeRecord = recordMaker(session, flags, options, frame)
  const framing = framingOf(flags)
  const dry = flags.dryRun === true ? dryRun(session, options, flags.shards) : undefined
  const producer = dry?.producer ?? producerFor(session, options)
  const lines = new LineWriter(session.host.stdout)
  const sink = new Sink({
    session,
    producer,
    stream,
    stopAtFailure: flags.onFailure === 'stop',
    outcomes: flags.out === 'outcomes' ? new Outcomes(lines) : undefined,
    deadLetter: flags.deadLetter === undefined ? undefined : new DeadLetter(flags.deadLetter)
  })
  session.countUnsettled(() => sink.unsettled)
  session.progress.start(() => ({
    records: sink.read,
    bytes: sink.bytes,
    figures: figuresOf(sink, totalsOf(producer.stats()))
  }))
  try {
    await pump({ session, flags, files: listAt(words, 1), framing, sink, makeRecord, lines })
  } finally {
    // Records that were read are sent, also when the next input cannot be read.
    await sink.close()
  }
  const totals = totalsOf(producer.stats())
  const { read: records, delivered, failed, skipped, bytes } = sink
  const summary = { records, delivered, failed, skipped, bytes, ...totals, ...dry?.report(producer.stats()) }
  const done = dry === undefined ? 'acknowledged' : 'would be sent'
  const text = `${grouped(records)} records: ${grouped(delivered)} ${done}, ${grouped(failed)} failed, ${grouped(skipped)} skipped`
  return { exit: sink.exit, summary, text: dry === undefined ? text : `${text}\n${dry.text(producer.stats())}` }
}

interface Pump {
  readonly session: Session
  readonly flags: PutFlags
  readonly files: readonly string[]
  readonly framing: Framing
  readonly sink: Sink
  readonly makeRecord: MakeRecord
  readonly lines: LineWriter
}

async function pump({ session, flags, files, framing, sink, makeRecord, lines }: Pump): Promise<void> {
  const { clock } = session.host
  const pacing = flags.rate === undefined ? undefined : new Pacing(flags.rate, clock)
  const most = flags.count ?? Number.POSITIVE_INFINITY
  const isOver = () => session.isStopped || sink.isEnded
  let seen = 0
  const stop = AbortSignal.any([session.stop, sink.ended])
  for (const { path, chunks } of sourcesOf(session, files, flags.gunzip === true, stop)) {
    for await (const items of framing(flags.tee === true ? teed(chunks, lines) : chunks)) {
      for (const item of items) {
        if (seen - flags.skip >= most || isOver()) return
        if (seen++ < flags.skip) continue
        const record = makeRecord(item, path)
        if (record === 'skip') sink.skip()
        else if ('code' in record) sink.refuse(record, record.record)
        else {
          const waitMs = pacing?.takeMs(record.data.length) ?? 0
          if (waitMs > 0) await sleepUntil(clock, clock.nowMs() + waitMs, stop)
          while (!sink.tryPut(record)) {
            await sink.ready()
            if (isOver()) return
          }
        }
      }
    }
  }
}

async function* teed(chunks: AsyncIterable<Uint8Array>, lines: LineWriter): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) {
    lines.add(chunk)
    await lines.flush()
    yield chunk
  }
}

type MakeRecord = (item: Item, path: string | undefined) => UserRecord | 'skip' | Refusal

interface Refusal {
  readonly code: string
  readonly message: string
  /** The record for the dead letter file; undefined: the data was skipped. */
  readonly record?: UserRecord
}

const BAD_KEY = {
  code: 'CLI_ERR_BAD_KEY',
  message: 'a record has no usable key: missing, empty, no text or number, or above 256 characters'
}
const NOT_JSON_FAULT = NOT_JSON.fault ?? BAD_KEY
const BAD_HASH_KEY = { code: 'CLI_ERR_BAD_KEY', message: 'a record has no usable value at --hash-key' }

function recordMaker(
  session: Session,
  flags: PutFlags,
  options: ProducerOptions,
  frame: RecordFrame | undefined
): MakeRecord {
  const select = keySelector(flags, session.host.random)
  const random = randomKeys(session.host.random)
  const hashPath = flags.hashKey === undefined ? undefined : new JsonPath(flags.hashKey)
  const terminator = Buffer.from(flags.keepNewline === true ? '\n' : '')
  const frameBytes = frame?.prefix.length ?? 0
  const maxBytes = Number(options.maxUserRecordBytes ?? OPTIONS.maxUserRecordBytes.default) - frameBytes
  const refused = (fault: Refusal, data: Uint8Array, { streamName }: Item, partitionKey = random()): Refusal => ({
    ...fault,
    record: { partitionKey, data, streamName }
  })
  return (item, path) => {
    if (item.fault !== undefined) {
      if (flags.maxRecord === 'skip' && item.fault.code === 'CLI_ERR_LINE_TOO_LONG') return 'skip'
      return item.data.length === 0 ? item.fault : refused(item.fault, item.data, item)
    }
    const selected = select(item, path)
    if (selected.isNotJson === true && flags.in === 'ndjson') return refused(NOT_JSON_FAULT, selected.data, item)
    if (selected.partitionKey === undefined && flags.badKey !== 'random') {
      return flags.badKey === 'skip' ? 'skip' : refused(BAD_KEY, selected.data, item)
    }
    const partitionKey = selected.partitionKey ?? random()
    let { data } = selected
    if (flags.maxRecord !== 'fail') {
      const mostBytes = maxBytes - Buffer.byteLength(partitionKey)
      if (data.length > mostBytes && flags.maxRecord === 'skip') return 'skip'
      if (data.length > mostBytes) data = truncated(data, mostBytes, terminator)
    }
    const isPlain = hashPath === undefined && item.explicitHashKey === undefined && item.streamName === undefined
    if (isPlain) return frame === undefined ? { partitionKey, data } : { partitionKey, data, schema: frame }
    const found = hashPath?.find(item.data)
    if (found !== undefined && found.kind !== 'text') return refused(BAD_HASH_KEY, data, item, partitionKey)
    const { streamName, explicitHashKey = found?.text } = item
    return { partitionKey, data, streamName, explicitHashKey, schema: frame }
  }
}

function optionsOf(session: Session, flags: PutFlags, stream: string): ProducerOptions {
  return {
    ...producerOptions(session),
    streamName: stream,
    ...(flags.ordering === undefined ? undefined : { ordering: flags.ordering }),
    ...(flags.dedupe === true ? { dedupeTags: true } : undefined),
    ...(flags.aggregation ? undefined : { aggregationEnabled: false })
  }
}

function framingOf(flags: PutFlags): Framing {
  const separator = Buffer.from(flags.null === true ? '\0' : unescaped(flags.delimiter ?? '\n'))
  if (separator.length === 0) throw new CliError('CLI_ERR_USAGE', '--delimiter must not be empty')
  const { keepCr = false, keepNewline = false, maxLine: maxLineBytes } = flags
  const split = { separator, keepCr, keepSeparator: keepNewline, maxLineBytes }
  switch (flags.in) {
    case 'lines':
      return lineFraming(split)
    case 'ndjson':
      // The scan for the key finds invalid JSON: one scan is enough.
      return ndjsonFraming(split, flags.key === undefined)
    case 'records':
      return envelopeFraming(split)
    case 'csv':
      return csvFraming({
        delimiter: unescaped(flags.csvDelimiter),
        keyColumn: flags.keyColumn,
        hasHeader: flags.header === true,
        keepNewline,
        maxRowBytes: maxLineBytes
      })
    case 'file':
      return fileFraming(maxLineBytes)
    case 'u32':
      return u32Framing()
  }
}

function unescaped(text: string): string {
  return text.replace(/\\([nrt0\\])/g, (_, letter: string) => ({ n: '\n', r: '\r', t: '\t', 0: '\0' })[letter] ?? '\\')
}

function assertFlags(flags: PutFlags): void {
  const fault =
    flags.tee === true && flags.out === 'outcomes'
      ? '--tee and --out outcomes both write to stdout'
      : flags.keyColumn !== undefined && flags.in !== 'csv'
        ? '--key-column needs --in csv'
        : flags.state !== undefined || flags.from !== undefined || flags.once === true
          ? '--state, --from and --once need --follow'
          : flags.null === true && flags.delimiter !== undefined
            ? '--null and --delimiter exclude each other'
            : undefined
  if (fault !== undefined) throw new CliError('CLI_ERR_USAGE', fault)
}

function figuresOf(sink: Sink, { throttled }: { readonly throttled: number }): Readonly<Record<string, number>> {
  const figures = { waiting: sink.unsettled, throttled, failed: sink.failed }
  return Object.fromEntries(Object.entries(figures).filter(([, count]) => count > 0))
}
