/**
 * Cold processes: the import of an entry point, and the time from the start of a process to the acknowledgement of its first
 * record over HTTPS, as in a Lambda function's cold start. This library, packed, against the SDK alone (its import, its PutRecord).
 * Verified: the sink finds the record in every run. The processes take turns, and differences are those of one round.
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { packedProject } from './harness/packed-project.ts'
import { barsOf, type Cell, type Metric, metricOf, type Report, type Table } from './harness/report.ts'
import { scaled } from './harness/settings.ts'
import { openSink, type SinkPlace } from './sink/place.ts'

const SAMPLES = scaled(21, 2)
const SDK = '@aws-sdk/client-kinesis'
const OURS = 'kinesis-producer'
const IMPORTED = [SDK, OURS, `${OURS}/deaggregate`, `${OURS}/lambda`] as const
const PUTTING = [SDK, OURS] as const
const MAX_IMPORT_OVER_SDK_MS = 40
const MAX_CONSUMER_IMPORT_MS = 10
const MAX_PUT_OVER_SDK_MS = 60

/** Milliseconds since the process started. */
export interface Milestones {
  readonly startedMs: number
  readonly importedMs: number
  /** As `importedMs` when nothing was put. */
  readonly acknowledgedMs: number
  readonly cpuMs: number
}

/** The milestones of each round, by package. */
type Samples = ReadonlyMap<string, Milestones[]>

export async function run(): Promise<Report> {
  const project = packedProject()
  const place = await openSink(1)
  try {
    const script = project.add(new URL('./cold-start-process.js', import.meta.url))
    const imports = emptySamples(IMPORTED)
    const puts = emptySamples(PUTTING)
    // One round more than is counted: the first one reads the files from disk.
    for (let round = -1; round < SAMPLES; round++) {
      const isCounted = round >= 0
      for (const [name, list] of imports) {
        const milestones = await startOnce(script, ['import', name], place)
        if (isCounted) list.push(milestones)
      }
      for (const [name, list] of puts) {
        const milestones = await putOnce(script, name, place)
        if (isCounted) list.push(milestones)
      }
    }
    return reportOf(imports, puts)
  } finally {
    await place.close()
    project.remove()
  }
}

function emptySamples(names: readonly string[]): Samples {
  return new Map(names.map(name => [name, []]))
}

async function putOnce(script: string, name: string, place: SinkPlace): Promise<Milestones> {
  await place.sink.call('takeCounts')
  const milestones = await startOnce(script, ['put', name, place.endpoint], place)
  const { kinesisRecords } = await place.sink.call('takeCounts')
  if (kinesisRecords !== 1) throw new Error(`${kinesisRecords} records arrived instead of one`)
  return milestones
}

async function startOnce(script: string, args: readonly string[], { env }: SinkPlace): Promise<Milestones> {
  const child = fork(script, args, { env: { ...process.env, ...env }, execArgv: ['--no-warnings'] })
  const exit = once(child, 'exit')
  const [milestones] = (await Promise.race([
    once(child, 'message'),
    exit.then(() => Promise.reject(new Error(`${args.join(' ')} did not end`)))
  ])) as [Milestones]
  await exit
  return milestones
}

function reportOf(imports: Samples, puts: Samples): Report {
  const putTable = tableOfPuts(puts)
  return {
    title: 'Cold start',
    tables: [tableOfImports(imports), putTable],
    plots: [
      {
        kind: 'bars',
        title: 'start to first acknowledgement',
        unit: 'ms',
        bars: barsOf(putTable.rows, 1, 4, name => (name === SDK ? 'SDK' : 'ours'))
      }
    ]
  }
}

const importMs = ({ startedMs, importedMs }: Milestones): number => importedMs - startedMs

function tableOfImports(samples: Samples): Table {
  const rows = [...samples].map(([name, list]): Cell[] => {
    const isConsumer = name.startsWith(`${OURS}/`)
    const time = metricOf('ms', list, importMs)
    return [
      name,
      isConsumer ? { ...time, target: MAX_CONSUMER_IMPORT_MS } : time,
      name === OURS ? overSdk(samples, importMs, MAX_IMPORT_OVER_SDK_MS) : '',
      metricOf('CPU ms', list, ({ cpuMs }) => cpuMs)
    ]
  })
  const columns = ['entry point', 'import', 'more than the SDK in the same round', 'CPU time of the process']
  return { title: 'import in a cold process', columns, rows }
}

function tableOfPuts(samples: Samples): Table {
  const rows = [...samples].map(([name, list]): Cell[] => [
    name,
    metricOf('ms', list, ({ startedMs }) => startedMs),
    metricOf('ms', list, importMs),
    metricOf('ms', list, ({ importedMs, acknowledgedMs }) => acknowledgedMs - importedMs),
    metricOf('ms', list, ({ acknowledgedMs }) => acknowledgedMs),
    name === OURS ? overSdk(samples, ({ acknowledgedMs }) => acknowledgedMs, MAX_PUT_OVER_SDK_MS) : '',
    metricOf('CPU ms', list, ({ cpuMs }) => cpuMs)
  ])
  const start = ['package', 'Node.js itself', 'import', 'first put acknowledged', 'in all']
  const columns = [...start, 'more than the SDK in the same round', 'CPU time in all']
  return { title: 'from the start of a process to its first acknowledgement', columns, rows }
}

function overSdk(samples: Samples, timeOf: (milestones: Milestones) => number, target: number): Metric {
  const ofSdk = samples.get(SDK)!
  const times = samples.get(OURS)!.map((milestones, round) => timeOf(milestones) - timeOf(ofSdk[round]!))
  return { unit: 'ms', samples: times, target }
}
