/**
 * One row of the tables of socket faults, and how it is run: eight records meet a fault, and everything is looked at.
 * Invariant: a run leaves nothing behind, whether its expectations are met or not.
 */
import { afterEach, expect, test } from 'vitest'
import type { ConnectionToxic, Toxic } from './chaos-proxy.ts'
import { type Outcome, World, type WorldOptions } from './world.ts'

export interface Scenario {
  /** A sentence about behaviour. */
  readonly name: string
  readonly options?: WorldOptions
  /** What the first PutRecords requests meet, in this order. */
  readonly toxics?: readonly Toxic[]
  /** What every further one meets. */
  readonly forever?: Toxic
  /** What the next connections meet, in this order: those that there were are ended before. */
  readonly connections?: readonly ConnectionToxic[]
  /** Nothing is warmed up: the very first connections meet `connections`, or `everyConnection`. */
  readonly isCold?: boolean
  readonly everyConnection?: ConnectionToxic
  /** Of each record. */
  readonly sizeBytes?: number
  /** Close at once, with this deadline, instead of a flush. */
  readonly closeMs?: number
  /** Where the outcome differs from the undisturbed one. */
  readonly expected: { readonly [Name in keyof Outcome]?: unknown }
  /** Why what is wanted is not what happens today. */
  readonly bug?: string
}

const RECORDS = 8
/** The outcome when nothing goes wrong. */
export const CLEAN: Outcome = {
  acknowledged: RECORDS,
  failures: [],
  histories: ['stored'],
  copies: [1],
  requests: 1,
  violations: [],
  buffered: { records: 0, bytes: 0, inFlight: 0 },
  closed: 'in time',
  connections: 0
}
export const SOME: unknown = expect.any(Number)

/** Failed once with `code`, stored by the second request. */
export function again(code: string, copies = 1): Scenario['expected'] {
  return { histories: [`${code}, stored`], copies: [copies], requests: 2 }
}

/** Failed for good, with `code` at every attempt. */
export function failed(failure: string, code: string, copies: unknown = [0]): Scenario['expected'] {
  return { acknowledged: 0, failures: [failure], histories: [code], copies, requests: SOME }
}

const opened: World[] = []

afterEach(async () => {
  await Promise.all(opened.splice(0).map(world => world.dispose()))
})

/** Opens a world that the test's end closes. */
export async function openWorld(options?: WorldOptions): Promise<World> {
  const world = await World.open(options)
  opened.push(world)
  return world
}

/** Makes a test of each row; `common`: options of all of them. */
export function testEach(scenarios: readonly Scenario[], common: WorldOptions = {}): void {
  for (const scenario of scenarios) {
    const define = scenario.bug === undefined ? test : test.fails
    define(scenario.name, async () => {
      const outcome = await run({ ...scenario, options: { ...common, ...scenario.options } })

      expect(outcome).toEqual({ ...CLEAN, ...scenario.expected })
    })
  }
}

async function run(scenario: Scenario): Promise<Outcome> {
  const {
    options,
    toxics = [],
    forever,
    connections = [],
    everyConnection,
    isCold = false,
    sizeBytes,
    closeMs
  } = scenario
  const world = await openWorld(options)
  if (!isCold) await world.warm()
  if (connections.length > 0 || everyConnection !== undefined) await world.proxy.endIdle()
  const waiting = [...connections]
  world.proxy.connectionToxicFor = () => waiting.shift() ?? everyConnection
  world.spoil(toxics, forever)
  world.put(RECORDS, sizeBytes)
  if (closeMs === undefined) await world.flush()
  else await world.close(closeMs)
  return world.outcome()
}
