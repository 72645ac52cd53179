/**
 * Many producers on one stream, each knowing only itself: how much of the stream they fill, how equally they share it, and how
 * much they send in vain; and what happens when one joins, when half of them leave, and when the load falls.
 * Verified: every record put is delivered or failed, and the service stored what was acknowledged. On a virtual clock, so the
 * figures are the same on every machine.
 */
import { Fleet, type FleetReading } from './harness/fleet.ts'
import { type Cell, metric, type Report, ratio } from './harness/report.ts'
import { scaled, thinned } from './harness/settings.ts'
import { quantile } from './harness/statistics.ts'

const STREAM = { shardCount: 4, recordBytes: 1000 } as const
const PRODUCERS = [1, 8, 20]
const LOADS = [0.8, 0.95, 1.3]
const OVERLOAD = 1.3
const FLEET = 20
const SETTLING_MS = scaled(20_000, 5_000)
const MEASURED_MS = scaled(40_000, 5_000)
const STEP_MS = 1_000
/** Steps that are waited for something to happen. */
const MAX_STEPS = 120
const LEAST_GOODPUT = 0.98
const LEAST_FAIRNESS = 0.98

export async function run(): Promise<Report> {
  const rows: Cell[][] = []
  for (const count of thinned(PRODUCERS)) {
    for (const load of LOADS) rows.push(rowOf(count, load, await measured(count, load)))
  }
  const notes = [
    'Goodput: stored bytes as a part of what the shards take. Fairness: Jain. Above 1.0 latency is the backlog, which grows.'
  ]
  const columns = ['producers', 'load', 'goodput', 'fairness', 'throttled of those sent', 'p50', 'p99']
  const title = '4 shards, records of 1,000 bytes, answers after 15 ms; loads as parts of the capacity'
  const changes = [await joined(), await left(), await fell()]
  return {
    title: 'Many producers on one stream',
    tables: [
      { title, columns, rows, notes },
      { title: 'changes', columns: ['what happens', 'what is measured', 'figure'], rows: changes }
    ]
  }
}

function rowOf(count: number, load: number, reading: FleetReading): Cell[] {
  const isOver = load > 1
  const { goodput, fairness, throttledPart, latenciesMs } = reading
  return [
    `${count}`,
    `${load}`,
    ratio([goodput], isOver ? LEAST_GOODPUT : undefined),
    ratio([fairness], LEAST_FAIRNESS),
    metric('percent', [throttledPart * 100]),
    metric('ms', [quantile(latenciesMs, 0.5)]),
    metric('ms', [quantile(latenciesMs, 0.99)])
  ]
}

async function measured(count: number, load: number): Promise<FleetReading> {
  const fleet = fleetOf(count, load)
  await fleet.pass(SETTLING_MS)
  fleet.read()
  await fleet.pass(MEASURED_MS)
  const reading = fleet.read()
  await fleet.verify()
  await fleet.close()
  return reading
}

async function joined(): Promise<Cell[]> {
  const fleet = fleetOf(FLEET, OVERLOAD)
  await fleet.pass(SETTLING_MS)
  fleet.join(OVERLOAD / FLEET)
  await fleet.pass(SETTLING_MS)
  fleet.read()
  await fleet.pass(MEASURED_MS)
  const { delivered } = fleet.read()
  await fleet.verify()
  await fleet.close()
  const mean = delivered.reduce((sum, count) => sum + count, 0) / delivered.length
  const what = `a producer joins ${FLEET} at ${OVERLOAD}`
  return [what, `its share of the mean, from ${SETTLING_MS / 1000} s on`, ratio([delivered.at(-1)! / mean])]
}

/** The others ask for 1.3 of the capacity from then on. */
async function left(): Promise<Cell[]> {
  const fleet = fleetOf(FLEET, 2 * OVERLOAD)
  await fleet.pass(SETTLING_MS)
  for (const member of fleet.members.slice(FLEET / 2)) await fleet.leave(member)
  fleet.read()
  const stepCount = await stepsUntil(fleet, () => fleet.read().goodput >= LEAST_GOODPUT)
  await fleet.verify()
  await fleet.close()
  const what = `half of ${FLEET} leave, the others ask for ${OVERLOAD}`
  return [what, `until a second has a goodput of ${LEAST_GOODPUT}`, metric('ms', [stepCount * STEP_MS])]
}

async function fell(): Promise<Cell[]> {
  const fleet = fleetOf(FLEET, OVERLOAD)
  await fleet.pass(SETTLING_MS)
  const backlogCount = fleet.bufferedRecords
  for (const member of fleet.members) member.load = 0.5 / FLEET
  fleet.read()
  const stepCount = await stepsUntil(fleet, () => fleet.bufferedRecords < backlogCount / 20)
  const { goodput } = fleet.read()
  await fleet.verify()
  await fleet.close()
  const what = `the load of ${FLEET} falls from ${OVERLOAD} to 0.5`
  return [what, `goodput until the backlog is gone (${stepCount} s)`, ratio([goodput], 0.95)]
}

function fleetOf(count: number, load: number): Fleet {
  const fleet = new Fleet(STREAM)
  for (let i = 0; i < count; i++) fleet.join(load / count)
  return fleet
}

async function stepsUntil(fleet: Fleet, isDone: () => boolean): Promise<number> {
  for (let step = 1; step <= MAX_STEPS; step++) {
    await fleet.pass(STEP_MS)
    if (isDone()) return step
  }
  throw new Error(`it did not happen within ${MAX_STEPS} steps`)
}
