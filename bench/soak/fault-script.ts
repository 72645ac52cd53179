/**
 * The faults and their times: calm and spells of one fault take turns, without end.
 * Invariant: at most one spell at a time; the kinds come in shuffled rounds, so that none is missed for long.
 */
import { setTimeout } from 'node:timers/promises'
import type { FaultAction, FaultPlan, FaultRule, SeededRandom } from '../../src/testing/index.ts'

const MIN_CALM_MS = 500
const MAX_CALM_MS = 2500
const MIN_SPELL_MS = 500
const MAX_SPELL_MS = 3000
/** Longer than the producer waits for an answer: such a request is applied after it was given up and sent again. */
const LATE_MS = 3000
const STALE_MS = 4000

export interface FaultScriptPorts {
  readonly faults: FaultPlan
  readonly random: SeededRandom
  /** Stops the server for so long. */
  readonly restart: (downMs: number) => Promise<void>
  /** Ids of shards that may be throttled, of the stream that is written to. */
  readonly shardIds: () => readonly string[]
}

export class FaultScript {
  /** The spell of this moment. */
  fault = 'calm'
  readonly spells: Record<string, number> = {}
  readonly #ports: FaultScriptPorts
  readonly #stop = new AbortController()

  constructor(ports: FaultScriptPorts) {
    this.#ports = ports
  }

  async run(): Promise<void> {
    const { random } = this.#ports
    while (!this.#stop.signal.aborted) {
      for (const kind of shuffled([...Object.keys(RULES), 'server down', 'one shard throttled'], random)) {
        await this.#pause(between(MIN_CALM_MS, MAX_CALM_MS, random()))
        if (this.#stop.signal.aborted) return
        await this.#spell(kind, between(MIN_SPELL_MS, MAX_SPELL_MS, random()))
      }
    }
  }

  stop(): void {
    this.#stop.abort()
  }

  async #spell(kind: string, spellMs: number): Promise<void> {
    const { faults, restart } = this.#ports
    this.fault = kind
    this.spells[kind] = (this.spells[kind] ?? 0) + 1
    if (kind === 'server down') await restart(spellMs)
    else {
      const ends = this.#rulesOf(kind).map(rule => faults.add(rule))
      await this.#pause(spellMs)
      for (const end of ends) end()
    }
    this.fault = 'calm'
  }

  #rulesOf(kind: string): readonly FaultRule[] {
    if (kind !== 'one shard throttled') return RULES[kind] ?? []
    const shardIds = this.#ports.shardIds()
    const shardId = shardIds[Math.floor(this.#ports.random() * shardIds.length)]
    return shardId === undefined ? [] : [puts({ kind: 'throttle', shardIds: [shardId] })]
  }

  async #pause(ms: number): Promise<void> {
    // An early end is what the signal is for.
    await setTimeout(ms, undefined, { signal: this.#stop.signal }).catch(() => {})
  }
}

const SERVER_FAULT = { kind: 'failRequest', errorCode: 'InternalFailure', statusCode: 500 } as const

const RULES: Readonly<Record<string, readonly FaultRule[]>> = {
  'all throttled': [puts({ kind: 'throttle' })],
  'some records throttled': [
    puts({
      kind: 'failRecords',
      errorCode: 'ProvisionedThroughputExceededException',
      records: { probability: 0.3 }
    })
  ],
  'some records fail': [puts({ kind: 'failRecords', errorCode: 'InternalFailure', records: { probability: 0.3 } })],
  'some records fail and are stored': [
    puts({ kind: 'failRecords', errorCode: 'InternalFailure', isStored: true, records: { probability: 0.3 } })
  ],
  '500 before': [puts(SERVER_FAULT, 0.5)],
  '500 after': [puts({ ...SERVER_FAULT, isApplied: true }, 0.5)],
  '503 for everything': [{ action: { kind: 'failRequest', errorCode: 'ServiceUnavailable', statusCode: 503 } }],
  'reset before': [puts({ kind: 'reset' }, 0.5)],
  'reset after': [puts({ kind: 'reset', isApplied: true }, 0.5)],
  'silence before': [puts({ kind: 'silence' }, 0.3)],
  'silence after': [puts({ kind: 'silence', isApplied: true }, 0.3)],
  'silence for everything': [{ action: { kind: 'silence' } }],
  'slow answers': [puts({ kind: 'delay', delayMs: 700 }, 0.5)],
  'requests applied late': [puts({ kind: 'delay', delayMs: LATE_MS, of: 'request' }, 0.2)],
  "a proxy's page": [
    puts({ kind: 'rawAnswer', statusCode: 502, contentType: 'text/html', body: '<h1>Bad Gateway</h1>' }, 0.5)
  ],
  "a portal's page": [
    puts({ kind: 'rawAnswer', statusCode: 200, contentType: 'text/html', body: '<h1>Log in</h1>' }, 0.3)
  ],
  'answers of another length': [puts({ kind: 'recordCount', difference: -1 }, 0.3)],
  'records out of order': [puts({ kind: 'shuffle' }, 0.5)],
  'stale listings': [{ match: { operation: 'ListShards' }, action: { kind: 'staleShards', agoMs: STALE_MS } }],
  'no listings': [{ match: { operation: 'ListShards' }, action: { kind: 'silence' } }],
  'an expired token': [{ action: { kind: 'failRequest', errorCode: 'ExpiredTokenException', statusCode: 400 } }]
}

function puts(action: FaultAction, probability?: number): FaultRule {
  return { match: { operation: 'PutRecords', probability }, action }
}

function between(low: number, high: number, part: number): number {
  return low + (high - low) * part
}

function shuffled(kinds: string[], random: SeededRandom): string[] {
  for (let i = kinds.length - 1; i > 0; i--) {
    const other = Math.floor(random() * (i + 1))
    const moved = kinds[i]!
    kinds[i] = kinds[other]!
    kinds[other] = moved
  }
  return kinds
}
