/**
 * User records from the put call to the service's acknowledgement over HTTPS on this machine, against peers in turns.
 * Everybody puts the same records to the same sink; sink and contestants have a process each; figures are of the
 * contestant's process, the calls that make the load included.
 * Verified before it is timed: the sink takes every user record apart and finds each of them once.
 */
import { Child } from './harness/child.ts'
import type { PoolOptions } from './harness/load.ts'
import { perSecond, type Spent } from './harness/meter.ts'
import { type BarPlot, type Cell, metric, type Report, type Table } from './harness/report.ts'
import { ROUNDS, scaled } from './harness/settings.ts'
import { ensurePeers } from './peers/installed.ts'
import { type Entrant, OURS, ROSTER, SDK_BEST } from './peers/roster.ts'
import { openFakeServer, openSink, type Place, type SinkPlace, verifyArrival } from './sink/place.ts'

const SHARDS = 8
const KEYS = 4096
const VERIFIED_RECORDS = scaled(20_480, 6000)
const ROUND_CPU_MS = scaled(800, 100)
const TARGET_PER_CPU_SECOND = 1_000_000
const TARGET_TIMES = 10
const TARGET_BYTES = 300_000_000

type ContestantChild = Child<typeof import('./peers/contestant-process.ts')>

interface Racer {
  readonly entrant: Entrant
  readonly child: ContestantChild
  readonly count: number
  readonly spent: Spent[]
}

export async function run(): Promise<Report> {
  const hasPeers = ensurePeers()
  const entrants = ROSTER.filter(({ isInstalled = false }) => hasPeers || !isInstalled)
  const tables: Table[] = []
  const plots: BarPlot[] = []
  for (const recordBytes of scaled([100, 1000], [100])) {
    const place = await openSink(SHARDS)
    try {
      const racers = await race(place, entrants, { recordBytes, keys: KEYS }, place)
      tables.push(tableOf(`end to end, user records of ${recordBytes} bytes, discarding sink`, racers, recordBytes))
      plots.push(plotOf(`user records of ${recordBytes} bytes acknowledged a CPU second`, racers))
    } finally {
      await place.close()
    }
  }
  tables.push(await fakeServerTable())
  return { title: 'End to end over HTTPS', tables, plots }
}

async function fakeServerTable(): Promise<Table> {
  const place = await openFakeServer(SHARDS)
  try {
    const entrants = ROSTER.filter(({ name }) => name === OURS || name === SDK_BEST)
    const racers = await race(place, entrants, { recordBytes: 100, keys: KEYS })
    return tableOf('end to end, user records of 100 bytes, the fake Kinesis as server', racers, undefined)
  } finally {
    await place.close()
  }
}

async function race(
  { endpoint, env }: Place,
  entrants: readonly Entrant[],
  pool: PoolOptions,
  checker?: SinkPlace
): Promise<Racer[]> {
  const racers: Racer[] = []
  try {
    for (const entrant of entrants) {
      const child: ContestantChild = new Child(new URL('./peers/contestant-process.js', import.meta.url), env)
      await child.call('open', entrant.name, endpoint, pool)
      const drive = (count: number) => child.call('drive', count)
      if (checker === undefined) await drive(VERIFIED_RECORDS)
      else await verifyArrival(checker.sink, pool, VERIFIED_RECORDS, drive)
      racers.push({ entrant, child, count: await calibrate(child), spent: [] })
    }
    for (let round = 0; round < ROUNDS; round++) {
      for (const { child, count, spent } of racers) spent.push(await child.call('drive', count))
    }
    for (const { child } of racers) await child.call('close')
  } finally {
    for (const { child } of racers) await child.stop()
  }
  return racers
}

/**
 * How many records make a round; warms up on the way. By CPU time, so that a busy machine does not make rounds shorter
 * than the compiler needs.
 */
async function calibrate(child: ContestantChild): Promise<number> {
  let count = VERIFIED_RECORDS
  for (;;) {
    const { cpuMs } = await child.call('drive', count)
    if (cpuMs >= ROUND_CPU_MS / 2) return Math.ceil((count * ROUND_CPU_MS) / cpuMs)
    count *= 3
  }
}

/** `recordBytes` decides which targets apply; none for undefined. */
function tableOf(title: string, racers: readonly Racer[], recordBytes: number | undefined): Table {
  const best = ratesOf(racers.find(({ entrant }) => entrant.name === SDK_BEST)!)
  const rows = racers.map((racer): Cell[] => {
    const rates = ratesOf(racer)
    const isTargeted = racer.entrant.name === OURS
    const ratios = rates.perCpuSecond.map((rate, round) => rate / best.perCpuSecond[round]!)
    const bytes = rates.perCpuSecond.map(rate => rate * (recordBytes ?? 100))
    return [
      racer.entrant.name,
      metric(
        'records/CPU s',
        rates.perCpuSecond,
        isTargeted && recordBytes === 100 ? TARGET_PER_CPU_SECOND : undefined
      ),
      metric('times', ratios, isTargeted && recordBytes === 100 ? TARGET_TIMES : undefined),
      metric('records/s', rates.perSecond),
      metric('bytes/CPU s', bytes, isTargeted && recordBytes === 1000 ? TARGET_BYTES : undefined),
      metric('cores', rates.cores),
      racer.entrant.lacks
    ]
  })
  const columns = [
    'who',
    'user records by CPU time',
    `against ${SDK_BEST}`,
    'by wall time',
    'data',
    'CPU used',
    'without'
  ]
  const notes = [`${SHARDS} shards, ${KEYS} keys; CPU time is of the producer's process alone, load included.`]
  return { title, columns, rows, notes }
}

function ratesOf({ spent, count }: Racer) {
  return {
    perSecond: spent.map(({ wallMs }) => perSecond(count, wallMs)),
    perCpuSecond: spent.map(({ cpuMs }) => perSecond(count, cpuMs)),
    cores: spent.map(({ cpuMs, wallMs }) => cpuMs / wallMs)
  }
}

function plotOf(title: string, racers: readonly Racer[]): BarPlot {
  const bars = racers.map(racer => ({ label: racer.entrant.name, samples: ratesOf(racer).perCpuSecond }))
  return { kind: 'bars', title, unit: 'records/CPU s', bars }
}
