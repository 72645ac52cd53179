/**
 * A process from its start to the acknowledgement of its first record over HTTPS, as in a Lambda function's cold start:
 * this library against the SDK's PutRecord.
 * Verified: the sink finds the record in every run.
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { barsOf, type Cell, metricOf, type Report } from './harness/report.ts'
import { scaled } from './harness/settings.ts'
import { openSink, type SinkPlace } from './sink/place.ts'

const SAMPLES = scaled(11, 2)
const WAYS = ['kinesis-producer', 'the SDK alone'] as const

export type Way = (typeof WAYS)[number]

/** Milliseconds since the process started. */
export interface Milestones {
  readonly startedMs: number
  readonly importedMs: number
  readonly acknowledgedMs: number
  readonly cpuMs: number
}

export async function run(): Promise<Report> {
  const place = await openSink(1)
  try {
    const samples = new Map<Way, Milestones[]>(WAYS.map(way => [way, []]))
    // One round more than is counted: the first one reads the files from disk.
    for (let round = -1; round < SAMPLES; round++) {
      for (const way of WAYS) {
        const milestones = await startOnce(way, place)
        if (round >= 0) samples.get(way)!.push(milestones)
      }
    }
    return reportOf(samples)
  } finally {
    await place.close()
  }
}

async function startOnce(way: Way, { endpoint, env, sink }: SinkPlace): Promise<Milestones> {
  await sink.call('takeCounts')
  const child = fork(new URL('./cold-start-process.js', import.meta.url), [way, endpoint], {
    env: { ...process.env, ...env },
    execArgv: ['--no-warnings']
  })
  const exit = once(child, 'exit')
  const [milestones] = (await Promise.race([
    once(child, 'message'),
    exit.then(() => Promise.reject(new Error(`${way} did not start`)))
  ])) as [Milestones]
  await exit
  const { kinesisRecords } = await sink.call('takeCounts')
  if (kinesisRecords !== 1) throw new Error(`${kinesisRecords} records arrived instead of one`)
  return milestones
}

function reportOf(samples: ReadonlyMap<Way, readonly Milestones[]>): Report {
  const rows = [...samples].map(([way, list]): Cell[] => [
    way,
    metricOf('ms', list, ({ startedMs }) => startedMs),
    metricOf('ms', list, ({ startedMs, importedMs }) => importedMs - startedMs),
    metricOf('ms', list, ({ importedMs, acknowledgedMs }) => acknowledgedMs - importedMs),
    metricOf('ms', list, ({ acknowledgedMs }) => acknowledgedMs),
    metricOf('CPU ms', list, ({ cpuMs }) => cpuMs)
  ])
  const columns = ['way', 'Node.js itself', 'import', 'first put acknowledged', 'in all', 'CPU time in all']
  return {
    title: 'Cold start',
    tables: [{ title: 'from the start of a process to its first acknowledgement', columns, rows }],
    plots: [
      {
        kind: 'bars',
        title: 'start to first acknowledgement',
        unit: 'ms',
        bars: barsOf(rows, 1, 4, way => (way === 'the SDK alone' ? 'SDK' : 'ours'))
      }
    ]
  }
}
