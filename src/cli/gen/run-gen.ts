/**
 * `gen`: records of a template, in one thread or several, and what the run came to.
 * Invariant: the figures are those of all slices together; a record that failed or was never put ends the command with 1.
 */
import { type Outcome, type Words, wordAt } from '../command.ts'
import { producerOptions } from '../connection.ts'
import { CliError } from '../errors.ts'
import { type ExitCode, worstOf } from '../exit-codes.ts'
import { LineWriter } from '../output/line-writer.ts'
import { grouped } from '../output/progress.ts'
import { frameFor } from '../schema/given-schema.ts'
import type { Session } from '../session.ts'
import type { GenFlags } from './gen-flags.ts'
import { type Generator, generatorOf } from './generator.ts'
import { LoadSeconds } from './load-seconds.ts'
import { type LoadTotals, totalsOfSlices } from './load-totals.ts'
import { scheduleOf, simulationOf } from './plan.ts'
import { reportText, writeReport } from './report.ts'
import { runSlice, type SliceEnd, type SliceProgress } from './run-slice.ts'
import { WHOLE } from './slice.ts'
import { runInThreads } from './threads.ts'

export async function runGen(session: Session, flags: GenFlags, words: Words): Promise<Outcome> {
  const { workers } = flags
  const simulated = simulationOf(session, flags)
  if (flags.sample !== undefined) {
    if (workers > 1) throw new CliError('CLI_ERR_USAGE', '--sample and --workers exclude each other')
    const schema = await frameFor(session, flags, wordAt(words, 0) ?? '', true)
    const generate = await generatorOf(session, flags, simulated?.startMs, { schema })
    return sample(session, flags.sample, generate, simulated?.startMs)
  }
  const stream = wordAt(words, 0) ?? ''
  const seconds = new LoadSeconds(workers)
  const progress: (() => SliceProgress)[] = []
  watch(session, progress)
  const all = { session, flags, stream, onStart: (seen: () => SliceProgress) => void progress.push(seen) }
  const onSecond = seconds.add.bind(seconds)
  let ends: readonly SliceEnd[]
  if (workers === 1) ends = [await runSlice({ ...all, slice: WHOLE, errors: session.errors, onSecond })]
  else {
    // A fault that every thread would have is reported once, before the first record.
    await generatorOf(session, flags, simulated?.startMs)
    scheduleOf(session, flags, simulated?.startMs)
    producerOptions(session)
    await frameFor(session, flags, stream)
    ends = await runInThreads({ ...all, onSecond })
  }
  seconds.finish()
  return outcomeOf(session, flags, stream, totalsOfSlices(ends, seconds.samples))
}

function watch(session: Session, progress: readonly (() => SliceProgress)[]): void {
  const sum = (field: keyof SliceProgress) => progress.reduce((total, seen) => total + seen()[field], 0)
  session.countUnsettled(() => sum('unsettled'))
  session.progress.start(() => ({
    records: sum('put'),
    bytes: sum('bytes'),
    figures: { waiting: sum('unsettled'), behind: sum('dropped'), throttled: sum('throttled') }
  }))
}

async function sample(
  session: Session,
  count: number,
  generate: Generator,
  simMs: number | undefined
): Promise<Outcome> {
  const lines = new LineWriter(session.host.stdout)
  for (let n = 0; n < count && !session.stop.aborted; n++) {
    const nowMs = session.host.wallMs()
    const { data } = generate(nowMs, simMs ?? nowMs)
    const bytes = Buffer.from(data)
    const isFull = lines.add(bytes.at(-1) === 0x0a ? bytes : Buffer.concat([bytes, Buffer.from('\n')]))
    if (isFull) await lines.flush()
  }
  await lines.flush()
  return { exit: 0, summary: { records: count } }
}

async function outcomeOf(session: Session, flags: GenFlags, stream: string, load: LoadTotals): Promise<Outcome> {
  const codes: ExitCode[] = [load.isRefused ? 3 : load.failed > 0 || load.dropped > 0 ? 1 : 0]
  const isCut = session.errors.counts['KPL_ERR_CLOSE_TIMEOUT'] !== undefined
  if (isCut && session.stopExit !== undefined) codes.push(session.stopExit)
  const { put: records, bytes, delivered, failed, dropped: behind, latencies } = load
  const latencyMs = Object.fromEntries(
    [50, 90, 99, 99.9].map(percent => [`p${percent}`, rounded(latencies.percentileMs(percent))])
  )
  const summary = {
    records,
    delivered,
    failed,
    behind,
    bytes,
    ...load.totals,
    latencyMs: { ...latencyMs, max: rounded(latencies.maxMs) }
  }
  const text = `${grouped(records)} records: ${grouped(delivered)} acknowledged, ${grouped(failed)} failed, ${grouped(behind)} behind schedule`
  if (flags.report !== undefined) {
    const report = { stream, load, version: session.host.version(), atMs: session.host.wallMs() }
    if (flags.report !== '-') writeReport(flags.report, report)
    await session.note(reportText(report))
  }
  return { exit: worstOf(codes), summary, text }
}

function rounded(ms: number): number {
  return Math.round(ms * 100) / 100
}
