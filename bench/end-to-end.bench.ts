/**
 * User records from the put call to the service's acknowledgement over HTTPS on this machine, against peers in turns.
 * Everybody puts the same records to the same sink; sink and contestants have a process each; figures are of the
 * contestant's process, the calls that make the load included.
 * Verified before it is timed: the sink takes every user record apart and finds each of them once.
 */
import type { PoolOptions } from './harness/load.ts'
import { type BarPlot, type Cell, metric, type Report, ratio, type Table } from './harness/report.ts'
import { scaled } from './harness/settings.ts'
import { ensurePeers } from './peers/installed.ts'
import { cpuRatios, nodeStarter, type Raced, type RaceOptions, race } from './peers/race.ts'
import { type Entrant, OURS, OURS_CBOR, ROSTER, SDK_BEST } from './peers/roster.ts'
import { openFakeServer, openSink } from './sink/place.ts'

const SHARDS = 8
const KEYS = 4096
const LIMITS = { verifiedRecords: scaled(20_480, 6000), roundCpuMs: scaled(800, 100) }
const SIZES = scaled([100, 1000], [100])
/** Times the SDK's best way, by contestant and record bytes. */
const TARGETS: Readonly<Record<string, number>> = {
  [`${OURS} 100`]: 10,
  [`${OURS} 1000`]: 3,
  [`${OURS_CBOR} 1000`]: 4
}

export async function run(): Promise<Report> {
  const hasPeers = ensurePeers()
  const entrants = ROSTER.filter(({ isInstalled = false }) => hasPeers || !isInstalled)
  const tables: Table[] = []
  const plots: BarPlot[] = []
  for (const recordBytes of SIZES) {
    const place = await openSink(SHARDS)
    try {
      const raced = await race(place, startersOf(entrants), optionsOf(recordBytes, place))
      tables.push(tableOf(`end to end, user records of ${recordBytes} bytes, discarding sink`, raced, recordBytes))
      plots.push(plotOf(`End to end: user records of ${recordBytes} bytes acknowledged a CPU second`, raced))
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
    const raced = await race(place, startersOf(entrants), optionsOf(100))
    return tableOf('end to end, user records of 100 bytes, the fake Kinesis as server', raced)
  } finally {
    await place.close()
  }
}

function startersOf(entrants: readonly Entrant[]) {
  return entrants.map(({ name }) => nodeStarter(name))
}

function optionsOf(recordBytes: number, checker?: RaceOptions['checker']): RaceOptions {
  const pool: PoolOptions = { recordBytes, keys: KEYS }
  return { ...LIMITS, pool, checker }
}

/** `targetBytes`: which targets apply; none for undefined. */
function tableOf(title: string, raced: readonly Raced[], targetBytes?: number): Table {
  const best = raced.find(({ name }) => name === SDK_BEST)!
  const rows = raced.map((each): Cell[] => [
    each.name,
    ratio(cpuRatios(each, best), TARGETS[`${each.name} ${targetBytes}`]),
    metric('records/CPU s', each.perCpuSecond),
    metric('records/s', each.perSecond),
    metric('cores', each.cores),
    entrantOf(each).lacks
  ])
  const columns = ['who', `against ${SDK_BEST}`, 'user records by CPU time', 'by wall time', 'CPU used', 'without']
  const notes = [`${SHARDS} shards, ${KEYS} keys; CPU time is of the producer's process alone, load included.`]
  return { title, columns, rows, notes }
}

function plotOf(title: string, raced: readonly Raced[]): BarPlot {
  const bars = raced.map(each => ({ label: each.name, side: entrantOf(each).side, samples: each.perCpuSecond }))
  return { kind: 'bars', title, unit: 'records/CPU s', bars }
}

function entrantOf({ name }: Raced): Entrant {
  return ROSTER.find(entrant => entrant.name === name)!
}
