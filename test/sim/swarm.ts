/**
 * The configuration of one seed: which faults it has, how strong they are, and the limits the producer runs under.
 * Invariant: drawn from the seed's own stream; each fault class is off with probability 0.4, so that every pair of
 * classes also meets alone.
 */
import type { ProducerOptions } from '../../src/model/options.ts'
import type { SeededRandom } from '../../src/testing/index.ts'

export const MODES = ['unordered', 'ordered', 'plain', 'short', 'throwing'] as const
export type Mode = (typeof MODES)[number]
/** The kind of a seed's world: one that throws is any of the others. */
export type World = Exclude<Mode, 'throwing'>
const WORLDS: readonly World[] = ['unordered', 'ordered', 'plain', 'short']

/** Classes with a probability per entry, request, call or record. */
export const RATE_FAULTS = [
  'entryThrottle',
  'entryInternal',
  'entryUnknown',
  'entryBoth',
  'entryNeither',
  'countMismatch',
  'requestThrottle',
  'requestUnknown4xx',
  'request5xx',
  'reset',
  'unreachable',
  'lost',
  'late',
  'zombie',
  'garbled',
  'poison',
  'listFail',
  'listSlow',
  'listStale',
  'listMalformed',
  'describeFail',
  'abort',
  'flush',
  'callbackThrows',
  'callbackPuts',
  'stall'
] as const
export type RateFault = (typeof RATE_FAULTS)[number]

/** Classes that come as spells: a span of time in which every request meets them. */
export const SPELL_FAULTS = ['throttledShards', 'notFound', 'denied', 'kms', 'expiredToken', 'outage', 'down'] as const
/** Drawn apart, so that worlds without it stay what they were: a client or credentials that fail on this side. */
const LOCAL_FAULT = 'localFault'
export type SpellFault = (typeof SPELL_FAULTS)[number] | typeof LOCAL_FAULT

export interface Spell {
  readonly fault: SpellFault
  readonly fromMs: number
  readonly untilMs: number
}

export interface SwarmConfig {
  readonly mode: World
  readonly options: ProducerOptions
  /** Smaller than the options' table allows, so that the buffer is full often. */
  readonly bufferMaxBytes: number
  readonly streams: readonly { readonly streamName: string; readonly shardCount: number }[]
  readonly rates: Readonly<Record<RateFault, number>>
  readonly spells: readonly Spell[]
  readonly reshards: readonly number[]
  readonly autoFlips: readonly number[]
  /** How long streams are CREATING, at the start and when they are made anew. */
  readonly creatingMs: number
  readonly recreates: readonly number[]
  readonly recordCount: number
  readonly burst: number
  readonly safetyMs: number
  readonly latencyMs: number
  readonly requestTimeoutMs: number
  readonly throughputLimits: boolean
  readonly shuffles: boolean
  readonly keyCount: number
  readonly explicitPart: number
  readonly maxDataBytes: number
  readonly hugeCount: number
  /** When `close` is called; Infinity: never. */
  readonly closeMs: number
  readonly closeTimeoutMs: number
  /** Only faults of one shard, and the others must not notice. */
  readonly isIsolation: boolean
  /** The core throws once in so many calls of its methods; Infinity: never. */
  readonly coreThrows: number
}

const OFF = 0.4
const TAGGED = 0.2
const LOCAL = 0.1
const NOT_CREATING = 0.8
const SHORT_LIVED = 0.125
const SHORT_LIVES_MS = [1_000, 3_000] as const

export function drawSwarm(random: SeededRandom, mode: Mode): SwarmConfig {
  const draw = new Draw(random)
  if (mode !== 'throwing') return drawWorld(random, draw, mode)
  const coreThrows = draw.pick([300, 3_000, 20_000])
  return { ...drawWorld(random, draw, draw.pick(WORLDS)), coreThrows }
}

function drawWorld(random: SeededRandom, draw: Draw, mode: World): SwarmConfig {
  const isIsolation = mode !== 'short' && draw.chance(0.05)
  const safetyMs = draw.pick([300, 3_000, 20_000, 90_000])
  const shardCount = draw.pick([1, 1, 2, 3, 5, 8, 16])
  const streams = [{ streamName: 'orders', shardCount: isIsolation ? Math.max(2, shardCount) : shardCount }]
  if (draw.chance(0.15)) streams.push({ streamName: 'payments', shardCount: draw.pick([1, 2, 4]) })
  const limits = {
    bufferMaxBytes: isIsolation ? 64_000_000 : draw.pick([8_000, 40_000, 2_000_000, 64_000_000]),
    recordCount: draw.pick([20, 60, 100, 150, 400]),
    burst: draw.pick([1, 5, 40]),
    latencyMs: draw.pick([1, 10, 60]),
    requestTimeoutMs: draw.pick([300, 2_000, 10_000]),
    throughputLimits: !isIsolation && draw.chance(0.7),
    shuffles: draw.chance(0.6),
    keyCount: draw.pick([1, 4, 30, 1_000]),
    explicitPart: draw.pick([0, 0, 0.3, 1]),
    maxDataBytes: draw.pick([40, 300, 300, 2_000]),
    hugeCount: draw.chance(0.04) ? 4 : 0
  }
  const drawn = drawOptions(draw, mode, isIsolation, limits.requestTimeoutMs)
  // Drawn apart, so that the other draws of older seeds stay what they were.
  const isTagged = drawn.aggregationEnabled === true && random.split('tags')() < TAGGED
  const life = mode === 'ordered' && !isIsolation ? drawShortLife(random.split('times to live'), drawn) : {}
  const options = { ...drawn, ...life, dedupeTags: isTagged }
  const creating = new Draw(random.split('creating'))
  return {
    mode,
    options,
    ...limits,
    streams,
    rates: drawRates(draw, isIsolation),
    spells: isIsolation
      ? [{ fault: 'throttledShards', fromMs: 0, untilMs: safetyMs }]
      : [...drawSpells(draw, safetyMs), ...drawLocalFault(new Draw(random.split(LOCAL_FAULT)), safetyMs)],
    reshards: isIsolation || draw.chance(OFF) ? [] : draw.times(draw.pick([1, 2, 6]), safetyMs),
    creatingMs: isIsolation || creating.chance(NOT_CREATING) ? 0 : creating.pick([50, 700, 5_000, 40_000]),
    // A stream that chooses shards itself has no order to keep.
    autoFlips: isIsolation || mode === 'ordered' || draw.chance(0.85) ? [] : draw.times(2, safetyMs),
    recreates: isIsolation || mode !== 'short' || draw.chance(0.85) ? [] : draw.times(1, safetyMs),
    safetyMs,
    closeMs: mode === 'short' && !draw.chance(OFF) ? draw.span(safetyMs) : Number.POSITIVE_INFINITY,
    closeTimeoutMs: draw.pick([0, 50, 1_000, 20_000]),
    isIsolation,
    coreThrows: Number.POSITIVE_INFINITY
  }
}

function drawOptions(draw: Draw, mode: World, isIsolation: boolean, requestTimeoutMs: number): ProducerOptions {
  const ttls = mode === 'short' ? [100, 300, 1_000, 3_000] : [20_000, 120_000, Number.POSITIVE_INFINITY]
  return {
    streamName: 'orders',
    ordering: mode === 'ordered' ? 'key' : 'none',
    aggregationEnabled: mode === 'plain' ? false : mode === 'unordered' || draw.chance(0.7),
    aggregationMaxCount: draw.pick([1, 2, 7, 4_294_967_295]),
    aggregationMaxBytes: draw.pick([64, 200, 1_500, 51_200]),
    containerKey: draw.pick(['a', 'first']),
    collectionMaxCount: draw.pick([1, 3, 20, 500]),
    collectionMaxBytes: draw.pick([52_224, 5_242_880]),
    collectionMaxShardBytes: draw.pick([1_024, 262_144]),
    recordMaxBufferedTimeMs: draw.pick(mode === 'short' ? [0, 20, 90] : [0, 20, 100, 1_000]),
    recordTtlMs: isIsolation ? 120_000 : draw.pick(ttls),
    rateLimitPercent: isIsolation ? 150 : draw.pick([20, 100, 150, 400]),
    failIfThrottled: !isIsolation && draw.chance(0.1),
    retryBaseMs: draw.pick([10, 50]),
    retryCapMs: draw.pick([200, 5_000]),
    maxInFlightRequests: isIsolation ? 24 : draw.pick([1, 2, 8, 24]),
    bufferMaxRecords: isIsolation ? 1_000_000 : draw.pick([20, 200, 1_000_000]),
    requestTimeoutMs
  }
}

/** Records that expire while others of their lanes go on, which an order has to survive. */
function drawShortLife(random: SeededRandom, { recordMaxBufferedTimeMs = 0 }: ProducerOptions): ProducerOptions {
  if (random() >= SHORT_LIVED) return {}
  const recordTtlMs = SHORT_LIVES_MS[Math.floor(random() * SHORT_LIVES_MS.length)]!
  return { recordTtlMs, recordMaxBufferedTimeMs: Math.min(recordMaxBufferedTimeMs, 100) }
}

function drawRates(draw: Draw, isIsolation: boolean): Record<RateFault, number> {
  const isCalm = isIsolation || draw.chance(0.05)
  const rate = (): number => (isCalm || draw.chance(OFF) ? 0 : draw.pick([0.01, 0.04, 0.15]))
  const rates = Object.fromEntries(RATE_FAULTS.map(fault => [fault, rate()])) as Record<RateFault, number>
  // A poison record costs a halving each; more of them than a few are a broken application, not a fault.
  rates.poison = Math.min(rates.poison, 0.01)
  return rates
}

function drawSpells(draw: Draw, safetyMs: number): Spell[] {
  const spells: Spell[] = []
  for (const fault of SPELL_FAULTS) {
    if (draw.chance(0.7)) continue
    const fromMs = draw.span(safetyMs)
    spells.push({ fault, fromMs, untilMs: fromMs + draw.pick([50, 500, 5_000, 40_000]) })
  }
  return spells
}

function drawLocalFault(draw: Draw, safetyMs: number): Spell[] {
  if (!draw.chance(LOCAL)) return []
  const fromMs = draw.chance(0.5) ? 0 : draw.span(safetyMs)
  return [{ fault: LOCAL_FAULT, fromMs, untilMs: fromMs + draw.pick([50, 500, 5_000, 40_000]) }]
}

class Draw {
  readonly #random: SeededRandom

  constructor(random: SeededRandom) {
    this.#random = random
  }

  chance(probability: number): boolean {
    return this.#random() < probability
  }

  pick<Value>(values: readonly Value[]): Value {
    return values[Math.floor(this.#random() * values.length)]!
  }

  span(untilMs: number): number {
    return Math.floor(this.#random() * untilMs)
  }

  times(count: number, untilMs: number): number[] {
    return Array.from({ length: count }, () => this.span(untilMs))
  }
}
