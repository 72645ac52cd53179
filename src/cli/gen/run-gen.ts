/**
 * `gen`: records by an absolute schedule, in slices of 10 ms.
 * Invariant: open loop: a slow service does not slow the schedule down. What cannot be put within a second of being due is dropped
 * from the schedule and told as `behind`, and ends the command with 1.
 */
import type { KinesisProducer, ProducerOptions, Random } from '../../index.ts'
import { seededRandom } from '../../testing/index.ts'
import { instantMs } from '../arguments/units.ts'
import { type Outcome, type Words, wordAt } from '../command.ts'
import { parseJsonc, readText } from '../config.ts'
import { producerFor, producerOptions } from '../connection.ts'
import { CliError } from '../errors.ts'
import { type ExitCode, worstOf } from '../exit-codes.ts'
import { LineWriter } from '../output/line-writer.ts'
import { grouped } from '../output/progress.ts'
import { totalsOf } from '../put/totals.ts'
import { frameFor } from '../schema/given-schema.ts'
import type { Session } from '../session.ts'
import type { GenFlags } from './gen-flags.ts'
import { type Generator, generatorOf } from './generator.ts'
import { Load } from './load.ts'
import { asFastAsTaken, bySchedule, inSimulatedTime, type Run, type Simulated } from './pace.ts'
import { profileOf } from './profile.ts'
import { reportText, writeReport } from './report.ts'
import { constantRate, profileRate, type Schedule } from './schedule.ts'

const DEFAULT_PER_SECOND = 10

export async function runGen(session: Session, flags: GenFlags, words: Words): Promise<Outcome> {
  const simulated = simulationOf(session, flags)
  const stream = wordAt(words, 0) ?? ''
  const schema = await frameFor(session, flags, stream, flags.sample !== undefined)
  const generate = await generatorOf(session, flags, simulated?.startMs, schema)
  if (flags.sample !== undefined) return sample(session, flags.sample, generate, simulated?.startMs)
  const options: ProducerOptions = { ...producerOptions(session), streamName: stream }
  const schedule = scheduleOf(session, flags, simulated?.startMs)
  const producer = producerFor(session, options)
  const load = new Load(session, producer)
  session.countUnsettled(() => load.unsettled)
  session.progress.start(() => ({
    records: load.put,
    bytes: load.bytes,
    figures: { waiting: load.unsettled, behind: load.dropped, throttled: totalsOf(producer.stats()).throttled }
  }))
  const run: Run = { session, flags, generate, load, producer }
  const due = await put(run, schedule, simulated)
  load.endSchedule()
  await close(session, producer)
  load.finish(due)
  return outcomeOf(run, stream)
}

function put(run: Run, schedule: Schedule | 'max', simulated: Simulated | undefined): Promise<number> {
  if (schedule === 'max') return asFastAsTaken(run)
  return simulated === undefined ? bySchedule(run, schedule) : inSimulatedTime(run, schedule, simulated)
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

async function close(session: Session, producer: KinesisProducer): Promise<void> {
  const timeoutMs = session.flags.drain
  const shorten = () => void producer.close({ timeoutMs })
  session.stop.addEventListener('abort', shorten, { once: true })
  await producer.close(session.stop.aborted ? { timeoutMs } : {})
  session.stop.removeEventListener('abort', shorten)
}

async function outcomeOf({ session, flags, load, producer }: Run, stream: string): Promise<Outcome> {
  const codes: ExitCode[] = [load.refusal !== undefined ? 3 : load.failed > 0 || load.dropped > 0 ? 1 : 0]
  const isCut = session.errors.counts['KPL_ERR_CLOSE_TIMEOUT'] !== undefined
  if (isCut && session.stopExit !== undefined) codes.push(session.stopExit)
  const { put: records, bytes, delivered, failed, dropped: behind } = load
  const latencyMs = Object.fromEntries(
    [50, 90, 99, 99.9].map(percent => [`p${percent}`, rounded(load.total.percentileMs(percent))])
  )
  const summary = {
    records,
    delivered,
    failed,
    behind,
    bytes,
    ...totalsOf(producer.stats()),
    latencyMs: { ...latencyMs, max: rounded(load.total.maxMs) }
  }
  const text = `${grouped(records)} records: ${grouped(delivered)} acknowledged, ${grouped(failed)} failed, ${grouped(behind)} behind schedule`
  if (flags.report !== undefined) {
    const report = {
      stream,
      load,
      stats: producer.stats(),
      version: session.host.version(),
      atMs: session.host.wallMs()
    }
    if (flags.report !== '-') writeReport(flags.report, report)
    await session.note(reportText(report))
  }
  return { exit: worstOf(codes), summary, text }
}

function rounded(ms: number): number {
  return Math.round(ms * 100) / 100
}

function scheduleOf(session: Session, flags: GenFlags, simStartMs: number | undefined): Schedule | 'max' {
  const { rate, rateProfile: profile, seed } = flags
  if (rate !== undefined && profile !== undefined)
    throw new CliError('CLI_ERR_USAGE', '--rate and --rate-profile exclude each other')
  if (profile !== undefined) {
    const random: Random = seed === undefined ? session.host.random : seededRandom(seed).split('profile')
    return profileRate(
      profileOf(parseJsonc(readText(profile), profile), profile),
      simStartMs ?? session.host.wallMs(),
      random
    )
  }
  if (rate === undefined) return constantRate(DEFAULT_PER_SECOND)
  if (rate.per === 'bytes') throw new CliError('CLI_ERR_USAGE', '--rate of gen counts records: 500/s')
  if (Number.isFinite(rate.perSecond)) return constantRate(rate.perSecond)
  if (simStartMs !== undefined) throw new CliError('CLI_ERR_USAGE', '--rate max has no simulated time')
  return 'max'
}

function simulationOf({ host }: Session, { simStart, simEnd }: GenFlags): Simulated | undefined {
  if (simStart === undefined && simEnd === undefined) return undefined
  if (simStart === undefined || simEnd === undefined)
    throw new CliError('CLI_ERR_USAGE', '--sim-start and --sim-end belong together')
  const startMs = instantMs(simStart, host.wallMs())
  const endMs = instantMs(simEnd, host.wallMs())
  if (endMs <= startMs) throw new CliError('CLI_ERR_USAGE', '--sim-end must be after --sim-start')
  return { startMs, endMs }
}
