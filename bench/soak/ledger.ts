/**
 * One generation of records: what was put into one stream in one period, what the producer was told, what was read back.
 * Invariant: its arrays are made once and used again by later generations, so that they do not show in the heap's slope.
 */
import type { Attempt, PutResult, RecordFailedError } from '../../src/index.ts'
import { MAX_ATTEMPTS_KEPT } from '../../src/model/limits.ts'
import type { Copies } from './messages.ts'

export interface Verdict {
  readonly put: number
  readonly acknowledged: number
  readonly failed: number
  readonly readBack: number
  /** Acknowledged, and not delivered to a KCL consumer, or not at the place that was told. */
  readonly lost: number
  /** Copies beyond the first of an acknowledged record, and beyond none of one that failed with `persisted: 'maybe'`. */
  readonly duplicates: number
  /** Duplicates beyond the attempts that may have stored one. */
  readonly unexplained: number
  /** Failed with `persisted: 'no'`, and stored all the same. */
  readonly denied: number
}

const STATE = { open: 0, acknowledged: 1, failedNot: 2, failedMaybe: 3 } as const

/** Attempts that ended so stored nothing, whatever else happened. */
const STORED_NOTHING: ReadonlySet<string> = new Set([
  'ProvisionedThroughputExceededException',
  'ResourceNotFoundException',
  'ExpiredTokenException',
  'ECONNREFUSED'
])
const UNKNOWN_MANY = 255

export class Ledger {
  readonly stream: string
  generation = 0
  /** Records put so far. */
  count = 0
  settledCount = 0
  readonly #states: Uint8Array
  /** How many attempts may have stored a copy. */
  readonly #ambiguous: Uint8Array
  readonly #copies: Uint8Array
  readonly #isAtPlace: Uint8Array
  readonly #shards: Uint32Array
  readonly #ordinals: Float64Array
  readonly #positions: Uint32Array
  #readCount = 0

  constructor(stream: string, capacity: number) {
    this.stream = stream
    this.#states = new Uint8Array(capacity)
    this.#ambiguous = new Uint8Array(capacity)
    this.#copies = new Uint8Array(capacity)
    this.#isAtPlace = new Uint8Array(capacity)
    this.#shards = new Uint32Array(capacity)
    this.#ordinals = new Float64Array(capacity)
    this.#positions = new Uint32Array(capacity)
  }

  get isFull(): boolean {
    return this.count === this.#states.length
  }

  get isSettled(): boolean {
    return this.settledCount === this.count
  }

  start(generation: number): void {
    this.generation = generation
    this.count = 0
    this.settledCount = 0
    this.#readCount = 0
    for (const column of [this.#states, this.#ambiguous, this.#copies, this.#isAtPlace]) column.fill(0)
  }

  settled(index: number, error: RecordFailedError | undefined, result: PutResult | undefined): void {
    this.settledCount++
    if (this.#states[index] !== STATE.open) throw new Error(`record ${index} was settled twice`)
    this.#ambiguous[index] = ambiguousOf((error ?? result)?.attempts ?? [])
    if (result === undefined) {
      this.#states[index] = error?.persisted === 'maybe' ? STATE.failedMaybe : STATE.failedNot
      return
    }
    this.#states[index] = STATE.acknowledged
    this.#shards[index] = shardNumber(result.shardId)
    this.#ordinals[index] = sequenceOrdinal(result.sequenceNumber)
    this.#positions[index] = result.subSequenceNumber ?? 0
  }

  noteCopies({ shardNumber: shard, sequenceOrdinal: ordinal, indexes }: Copies): void {
    indexes.forEach((index, position) => {
      if (index >= this.count) return
      this.#readCount++
      this.#copies[index] = Math.min(UNKNOWN_MANY, this.#copies[index]! + 1)
      const isThere =
        this.#shards[index] === shard && this.#ordinals[index] === ordinal && this.#positions[index] === position
      if (isThere) this.#isAtPlace[index] = 1
    })
  }

  /** Once everything is settled and read. */
  verdict(): Verdict {
    const verdict = { put: this.count, acknowledged: 0, failed: 0, lost: 0, duplicates: 0, unexplained: 0, denied: 0 }
    for (let index = 0; index < this.count; index++) {
      const copies = this.#copies[index]!
      const isAcknowledged = this.#states[index] === STATE.acknowledged
      const extra = Math.max(0, copies - (isAcknowledged ? 1 : 0))
      if (isAcknowledged) verdict.acknowledged++
      else verdict.failed++
      if (isAcknowledged && this.#isAtPlace[index] === 0) verdict.lost++
      if (this.#states[index] === STATE.failedNot && copies > 0) verdict.denied++
      verdict.duplicates += extra
      verdict.unexplained += Math.max(0, extra - this.#ambiguous[index]!)
    }
    return { ...verdict, readBack: this.#readCount }
  }
}

/** The number in `shardId-000000000007`. */
export function shardNumber(shardId: string): number {
  return Number(shardId.slice('shardId-'.length))
}

const ORDINAL_DIGITS = 16

/** The fake's counter at the end of its sequence numbers. */
export function sequenceOrdinal(sequenceNumber: string): number {
  return Number(sequenceNumber.slice(-ORDINAL_DIGITS))
}

/** Of a history that is cut off at its beginning nothing is known. */
function ambiguousOf(attempts: readonly Attempt[]): number {
  if (attempts.length >= MAX_ATTEMPTS_KEPT) return UNKNOWN_MANY
  let count = 0
  for (const { errorCode } of attempts) if (errorCode !== undefined && !STORED_NOTHING.has(errorCode)) count++
  return count
}
