/**
 * The real KPL beside this library and the SDK, over HTTPS to one sink, in turns, by CPU time: of the contestant's process,
 * for the KPL of the JVM and its daemon together.
 * Verified before it is timed: the sink takes every user record of everybody apart and finds each of them once. Where the
 * KPL cannot run the bench says why, and has no row.
 */
import {
  type Bar,
  type BarPlot,
  type Cell,
  metric,
  type Report,
  ratio,
  type Side,
  type Skipped,
  type Table
} from './harness/report.ts'
import { scaled } from './harness/settings.ts'
import { KPL_NAME, KPL_SETTINGS, kplStarter, MAX_OUTSTANDING_RECORDS, prepareKpl } from './peers/kpl.ts'
import { cpuRatios, nodeStarter, type Raced, race } from './peers/race.ts'
import { OURS, OURS_CBOR, OURS_PUT, SDK_BEST } from './peers/roster.ts'
import { openSink } from './sink/place.ts'

const SHARDS = 8
const KEYS = 4096
/** Long against the hundredths of a second in which the kernel counts other processes' time. */
const LIMITS = { verifiedRecords: scaled(20_480, 6000), roundCpuMs: scaled(1500, 300) }
const SIZES = scaled([100, 1000], [100])
/** Times the KPL, by contestant and record bytes. */
const TARGETS: Readonly<Record<string, number>> = {
  [`${OURS} 100`]: 25,
  [`${OURS} 1000`]: 8,
  [`${OURS_PUT} 100`]: 15
}

export async function run(): Promise<Report | Skipped> {
  const reason = prepareKpl()
  if (reason !== undefined) return { skipped: reason }
  const tables: Table[] = []
  const plots: BarPlot[] = []
  for (const recordBytes of SIZES) {
    const raced = await raceAt(recordBytes)
    tables.push(tableOf(raced, recordBytes))
    plots.push({
      kind: 'bars',
      title: `Against the KPL: user records of ${recordBytes} bytes acknowledged a CPU second`,
      unit: 'records/CPU s',
      bars: raced.map(({ name, perCpuSecond }): Bar => ({ label: name, side: sideOf(name), samples: perCpuSecond }))
    })
  }
  return { title: `Against the ${KPL_NAME}`, tables, plots }
}

async function raceAt(recordBytes: number): Promise<Raced[]> {
  const place = await openSink(SHARDS)
  try {
    const starters = [
      nodeStarter(OURS),
      nodeStarter(OURS_PUT),
      nodeStarter(OURS_CBOR),
      kplStarter,
      nodeStarter(SDK_BEST)
    ]
    return await race(place, starters, { ...LIMITS, pool: { recordBytes, keys: KEYS }, checker: place })
  } finally {
    await place.close()
  }
}

function tableOf(raced: readonly Raced[], recordBytes: number): Table {
  const kpl = raced.find(({ name }) => name === KPL_NAME)!
  const rows = raced.map((each): Cell[] => [
    each.name,
    ratio(cpuRatios(each, kpl), TARGETS[`${each.name} ${recordBytes}`]),
    metric('records/CPU s', each.perCpuSecond),
    metric('records/s', each.perSecond),
    metric('cores', each.cores)
  ])
  const settings = Object.entries(KPL_SETTINGS).map(([name, value]) => `${name}=${value}`)
  return {
    title: `${recordBytes}-byte user records over HTTPS, by CPU time of all processes of a contestant`,
    columns: ['who', `against ${KPL_NAME}`, 'user records by CPU time', 'by wall time', 'CPU used'],
    rows,
    notes: [
      `${SHARDS} shards, ${KEYS} keys. ${KPL_NAME}: ${settings.join(', ')}, ${MAX_OUTSTANDING_RECORDS.toLocaleString('en-US')} records outstanding.`
    ]
  }
}

function sideOf(name: string): Side {
  if (name === KPL_NAME) return 'KPL'
  return name === SDK_BEST ? 'SDK' : 'ours'
}
