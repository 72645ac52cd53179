/**
 * Contestants at one sink, in turns: each gets the sink for itself for a round, all get as many rounds.
 * Invariant: everybody puts the same records, and the sink found each of them once before anything is timed; a round is of
 * as much CPU time for a slow contestant as for a fast one.
 */
import { Child } from '../harness/child.ts'
import type { PoolOptions } from '../harness/load.ts'
import { perSecond, type Spent } from '../harness/meter.ts'
import { ROUNDS } from '../harness/settings.ts'
import { type Place, type SinkPlace, verifyArrival } from '../sink/place.ts'

/** A contestant that runs, in a process or several of its own. */
export interface Runner {
  /** Puts `count` records; resolves when they are acknowledged, with what the contestant's processes spent. */
  drive(count: number): Promise<Spent>
  close(): Promise<void>
}

export interface Starter {
  readonly name: string
  start(place: Place, pool: PoolOptions): Promise<Runner>
}

export interface Raced {
  readonly name: string
  readonly perSecond: readonly number[]
  readonly perCpuSecond: readonly number[]
  readonly cores: readonly number[]
}

export interface RaceOptions {
  readonly pool: PoolOptions
  readonly verifiedRecords: number
  readonly roundCpuMs: number
  /** Where arrivals are looked at; undefined for a server that cannot. */
  readonly checker?: SinkPlace | undefined
}

interface Racer {
  readonly name: string
  readonly runner: Runner
  readonly count: number
  readonly spent: Spent[]
}

export async function race(place: Place, starters: readonly Starter[], options: RaceOptions): Promise<Raced[]> {
  const { pool, verifiedRecords, roundCpuMs, checker } = options
  const runners: Runner[] = []
  const racers: Racer[] = []
  try {
    for (const { name, start } of starters) {
      const runner = await start(place, pool)
      runners.push(runner)
      if (checker === undefined) await runner.drive(verifiedRecords)
      else await verifyArrival(checker.sink, pool, verifiedRecords, count => runner.drive(count))
      racers.push({ name, runner, count: await calibrate(runner, verifiedRecords, roundCpuMs), spent: [] })
    }
    for (let round = 0; round < ROUNDS; round++) {
      for (const { runner, count, spent } of racers) spent.push(await runner.drive(count))
    }
  } finally {
    // All of them, also when one fails to: none is left running.
    await Promise.allSettled(runners.map(runner => runner.close()))
  }
  return racers.map(racedOf)
}

/** The contestant `name` of the roster, in a Node.js process. */
export function nodeStarter(name: string): Starter {
  return {
    name,
    async start({ endpoint, env }, pool) {
      type Contestant = Child<typeof import('./contestant-process.ts')>
      const child: Contestant = new Child(new URL('./contestant-process.js', import.meta.url), env)
      try {
        await child.call('open', name, endpoint, pool)
      } catch (error) {
        await child.stop()
        throw error
      }
      return {
        drive: count => child.call('drive', count),
        async close() {
          try {
            await child.call('close')
          } finally {
            await child.stop()
          }
        }
      }
    }
  }
}

/** `these` against `those`, round by round, by CPU time. */
export function cpuRatios(these: Raced, those: Raced): number[] {
  return these.perCpuSecond.map((rate, round) => rate / those.perCpuSecond[round]!)
}

/**
 * How many records make a round; warms up on the way. By CPU time, so that a busy machine does not make rounds shorter
 * than the compiler needs.
 */
async function calibrate(runner: Runner, startCount: number, roundCpuMs: number): Promise<number> {
  let count = startCount
  for (;;) {
    const { cpuMs } = await runner.drive(count)
    if (cpuMs >= roundCpuMs / 2) return Math.ceil((count * roundCpuMs) / cpuMs)
    count *= 3
  }
}

function racedOf({ name, spent, count }: Racer): Raced {
  return {
    name,
    perSecond: spent.map(({ wallMs }) => perSecond(count, wallMs)),
    perCpuSecond: spent.map(({ cpuMs }) => perSecond(count, cpuMs)),
    cores: spent.map(({ cpuMs, wallMs }) => cpuMs / wallMs)
  }
}
