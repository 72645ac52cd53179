/**
 * Runs one seed: a safety phase with faults, a liveness phase without, then every checker.
 * Invariant: the same seed and mode give the same report, hash included, whatever ran before in the process.
 */
import { seededRandom } from '../../src/testing/index.ts'
import { checkAll, type ReadingCounts } from './invariants.ts'
import { drawRecord } from './records.ts'
import { drawSwarm, type Mode, type SwarmConfig } from './swarm.ts'
import { throwing } from './throws.ts'
import type { Violation } from './trace.ts'
import { planWorkload } from './workload.ts'
import { World } from './world.ts'

export interface SimReport extends ReadingCounts {
  readonly seed: number
  readonly mode: Mode
  readonly hash: string
  readonly violations: readonly Violation[]
  readonly eventCount: number
  readonly putCount: number
  readonly deliveredCount: number
  readonly requestCount: number
  readonly faultCount: number
  readonly virtualMs: number
  /** Only when asked for. */
  readonly lines: readonly string[] | undefined
  readonly config: SwarmConfig
}

export interface SimOptions {
  readonly isVerbose?: boolean
}

const MAX_EVENTS = 400_000
const PROBE_COUNT = 5
/** The longest that the producer may wait on its own: the breaker's and the listing's cap, and their jitter. */
const LONGEST_WAIT_MS = 31_000
/** The slowest that a lane stays after throttles, as a part of its rate; a lane that was slower is there again in time. */
const SLOWEST_PART = 0.05
const RECOVERY_MS = 5_000

/** Runs `seed` in `mode`. Deterministic; takes a few milliseconds. */
export function runSeed(seed: number, mode: Mode, { isVerbose = false }: SimOptions = {}): SimReport {
  const name = `${mode}/${seed}`
  const config = drawSwarm(seededRandom(name).split('swarm'), mode)
  const world = new World(name, config, isVerbose)
  const startMs = world.clock.nowMs()
  for (const { streamName } of config.streams) world.event(() => world.core.open(streamName, world.clock.nowMs()))
  planWorkload(world)
  const runSafety = () => runUntil(world, startMs + config.safetyMs, () => false)
  if (config.coreThrows === Number.POSITIVE_INFINITY) runSafety()
  else throwing(strikesOf(world), runSafety)
  live(world)
  world.book.endAll(config.streams.map(({ streamName }) => streamName))
  const counts = checkAll(world)
  const { trace, ledger, network, faults, clock } = world
  return {
    ...counts,
    seed,
    mode,
    hash: trace.hash,
    violations: trace.violations,
    eventCount: trace.eventCount,
    putCount: ledger.puts.length,
    deliveredCount: ledger.deliveredCount,
    requestCount: network.requestCount,
    faultCount: faults.count,
    virtualMs: clock.nowMs() - startMs,
    lines: trace.lines,
    config
  }
}

/** The liveness phase: without faults everything settles in time, and what is put then is delivered. */
function live(world: World): void {
  const { ledger, trace, clock, config, faults } = world
  faults.calm()
  const calmMs = clock.nowMs()
  const boundMs = livenessBoundMs(world)
  runUntil(world, calmMs + boundMs, () => ledger.outstanding === 0)
  if (ledger.outstanding > 0) trace.violated('I16', `${ledger.outstanding} records do not settle in ${boundMs} ms`)
  // Zombies land, waits end.
  const waitMs = LONGEST_WAIT_MS + config.creatingMs + 4 * config.requestTimeoutMs
  runUntil(world, Math.max(clock.nowMs(), calmMs + waitMs), () => false)
  if (world.closingMs !== undefined || ledger.outstanding > 0) return
  const probes = Array.from({ length: PROBE_COUNT }, () => {
    const record = drawRecord(
      world.random.split('probes'),
      { ...config, maxDataBytes: 40, hugeCount: 0 },
      ledger.puts.length
    )
    let put: ReturnType<World['put']>
    world.event(() => {
      put = world.put(record, { isProbe: true })
    })
    return put
  })
  runUntil(world, clock.nowMs() + boundMs, () => ledger.outstanding === 0)
  if (config.mode === 'short') return
  for (const put of probes) {
    if (put === undefined) trace.violated('I16', 'the idle buffer has no room')
    else if (put.result === undefined) trace.violated('I16', `probe ${put.id} is not delivered: ${put.error?.message}`)
  }
  runUntil(world, clock.nowMs() + LONGEST_WAIT_MS, () => false)
  if (config.recreates.length > 0) return
  for (const { streamName, gauges } of world.core.streams) {
    if (gauges.openShards === 0) trace.violated('I16', `the shards of ${streamName} are not listed again`)
  }
}

/** Counts calls down rather than drawing for each of them. */
function strikesOf({ config, random, faults }: World): () => boolean {
  const draws = random.split('throws')
  const draw = () => Math.ceil(-Math.log(1 - draws()) * config.coreThrows)
  let left = draw()
  return () => {
    if (--left > 0) return false
    left = draw()
    faults.count++
    return true
  }
}

function livenessBoundMs({ config, options, ledger, network }: World): number {
  const perSecond = (SLOWEST_PART * options.rateLimitPercent) / 100
  const bytes = ledger.puts.reduce((sum, { budgetBytes }) => sum + budgetBytes, 0)
  const limiterMs = (1_000 * ledger.puts.length) / (1_000 * perSecond) + (1_000 * bytes) / (1_048_576 * perSecond)
  // In order of keys one shard may have all of the records, and answers one after the other.
  const requestsAtOnce = options.ordering === 'key' ? 1 : options.maxInFlightRequests
  const requestsMs = (4 * config.latencyMs * ledger.puts.length) / requestsAtOnce
  // Requests that were forgotten before are waited for, as long as their records live.
  const forgottenMs = network.muteCount > 0 ? options.recordTtlMs + config.requestTimeoutMs : 0
  const waitMs = LONGEST_WAIT_MS + RECOVERY_MS + config.creatingMs + forgottenMs
  return Math.ceil(waitMs + 4 * config.requestTimeoutMs + 2 * options.retryCapMs + limiterMs + requestsMs)
}

function runUntil({ clock, trace }: World, untilMs: number, isDone: () => boolean): void {
  let stepCount = 0
  while (!isDone()) {
    const nextMs = clock.nextAtMs
    if (nextMs === undefined || nextMs > untilMs) {
      clock.advanceTo(untilMs)
      return
    }
    clock.runNext()
    if (++stepCount > MAX_EVENTS) {
      trace.violated('I16', `an endless loop at ${clock.nowMs()} ms`)
      return
    }
  }
}
