/**
 * The event loop of a program that puts records: how late it is with the producer in its main thread, and with the producer of
 * examples/worker-thread in a thread of its own. All ways take turns at each rate; the same load without any put is beside them.
 * Verified before it is timed: the sink takes every user record apart and finds each of them once.
 */
import { Child } from './harness/child.ts'
import { type Cell, metricOf, type Report, ratio, type Table } from './harness/report.ts'
import { ROUNDS, scaled, thinned } from './harness/settings.ts'
import { openSink, type SinkPlace, verifyArrival } from './sink/place.ts'
import { type LoopSample, WAYS } from './worker-thread-process.ts'

const SHARDS = 4
const POOL = { recordBytes: 300, keys: 4096 }
const RATES = thinned([1000, 5000, 20_000])
const RUN_SECONDS = scaled(4, 1)
const WARM_UP_RECORDS = scaled(40_000, 2000)
const VERIFIED_RECORDS = scaled(20_000, 2000)
const LOAD = 'the load alone'
const MAIN = 'in the main thread'

type Process = Child<typeof import('./worker-thread-process.ts')>

interface Side {
  readonly name: string
  readonly child: Process
}

export async function run(): Promise<Report> {
  const place = await openSink(SHARDS)
  const sides: Side[] = []
  try {
    for (const name of Object.keys(WAYS)) {
      const child: Process = new Child(new URL('./worker-thread-process.js', import.meta.url), place.env)
      sides.push({ name, child })
      await warmUp(name, child, place)
    }
    const tables: Table[] = []
    for (const rate of RATES) tables.push(await tableAt(rate, sides))
    for (const { child } of sides) await child.call('close')
    return { title: 'The event loop of a program that puts records', tables }
  } finally {
    for (const { child } of sides) await child.stop()
    await place.close()
  }
}

async function warmUp(name: string, child: Process, { endpoint, sink }: SinkPlace): Promise<void> {
  await child.call('open', name, endpoint, POOL)
  const rate = Math.max(...RATES)
  if (name !== LOAD) await verifyArrival(sink, POOL, VERIFIED_RECORDS, count => child.call('serve', count, rate))
  await child.call('serve', WARM_UP_RECORDS, rate)
}

async function tableAt(rate: number, sides: readonly Side[]): Promise<Table> {
  const samples = new Map<string, LoopSample[]>(sides.map(({ name }) => [name, []]))
  for (let round = 0; round < ROUNDS; round++) {
    for (const { name, child } of sides) samples.get(name)!.push(await child.call('serve', RUN_SECONDS * rate, rate))
  }
  const main = samples.get(MAIN)!
  const rows = sides.map(({ name }): Cell[] => {
    const own = samples.get(name)!
    const ofMain = (of: (sample: LoopSample) => number) =>
      ratio(own.map((sample, round) => of(sample) / of(main[round]!)))
    return [
      name,
      metricOf('ms', own, sample => sample.delayP50Ms),
      metricOf('ms', own, sample => sample.delayP99Ms),
      metricOf('ms', own, sample => sample.delayMaxMs),
      ofMain(sample => sample.delayP99Ms),
      metricOf('percent', own, sample => sample.busyPercent),
      metricOf('percent', own, sample => sample.cpuMs / (10 * RUN_SECONDS)),
      ofMain(sample => sample.cpuMs)
    ]
  })
  return {
    title: `${rate.toLocaleString('en-US')} records a second of ${POOL.recordBytes} bytes, ${SHARDS} shards`,
    columns: [
      'producer',
      'delay p50',
      'delay p99',
      'longest delay',
      'p99 of main',
      'main thread busy',
      'CPU of a core',
      'CPU of main'
    ],
    rows,
    notes: [
      'Delay: monitorEventLoopDelay of the main thread, one sample a millisecond, its own interval of about 1 ms included.',
      'Of main: times as much as with the producer in the main thread, round by round. CPU is that of the whole process, all threads.'
    ]
  }
}
