/**
 * One contestant in a process of its own.
 * Invariant: the figures are of this process alone, the calls that make the load included.
 */
import { makePool, type PoolOptions } from '../harness/load.ts'
import { meter, type Spent } from '../harness/meter.ts'
import type { Contestant } from './contestant.ts'
import { ROSTER } from './roster.ts'

let contestant: Contestant | undefined

export function open(name: string, endpoint: string, pool: PoolOptions): void {
  contestant = ROSTER.find(entrant => entrant.name === name)!.open({ endpoint, pool: makePool(pool) })
}

export function drive(count: number): Promise<Spent> {
  return meter(() => contestant!.drive(count))
}

export function close(): Promise<void> {
  return contestant!.close()
}
