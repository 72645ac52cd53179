/**
 * './dedupe': remembers the user records that were consumed lately, and drops their copies. It works for producers with
 * `dedupeTags`. Synchronous, in memory.
 * Invariant: remembers the `maxRecords` ids added last and no others, each once; a record without an id is never dropped.
 * Cost: O(1) for each record; about 100 bytes for each id remembered.
 */
import { invalidInput } from './deaggregate/consumer-error.ts'
import { assertOptions, type OptionRules, wholeNumberFrom } from './deaggregate/given-options.ts'

export { ConsumerError } from './deaggregate/consumer-error.ts'

/** The part of a `ConsumedRecord` that the window reads. */
export interface TaggedRecord {
  /** The id that all copies of a user record share; unset without `dedupeTags`. */
  readonly dedupeId?: string | undefined
}

/** The size of a `DedupeWindow`. */
export interface DedupeWindowOptions {
  /** Ids remembered, from 1 to 8,000,000. Default: 100,000. */
  readonly maxRecords?: number | undefined
}

const DEFAULT_MAX_RECORDS = 100_000
/** A Set of V8 takes 2^24 entries, and those that were deleted count until half of them are. */
const MOST_MAX_RECORDS = 8_000_000
const RULES: OptionRules<DedupeWindowOptions> = { maxRecords: wholeNumberFrom(1, MOST_MAX_RECORDS) }

/**
 * The ids of the records consumed last, first in, first out.
 *
 * @example
 * const window = new DedupeWindow({ maxRecords: 10_000 })
 * for (const record of deaggregateAll(kinesisRecords)) {
 *   if (window.isNew(record)) console.log(record.partitionKey)
 * }
 */
export class DedupeWindow {
  readonly #maxRecords: number
  readonly #ids = new Set<string>()
  /** The same ids in the order they came; once it is full, the oldest is at `#oldest`. A Set finds its first slowly. */
  readonly #ring: string[] = []
  #oldest = 0

  /** Throws KPL_ERR_INVALID_INPUT for options that will not do. */
  constructor(options: DedupeWindowOptions = {}) {
    assertOptions(options, RULES)
    this.#maxRecords = options.maxRecords ?? DEFAULT_MAX_RECORDS
  }

  /** Ids remembered now. */
  get count(): number {
    return this.#ring.length
  }

  /**
   * True the first time a record's id comes within the window, and for every record without one; remembers the id.
   *
   * @example
   * const window = new DedupeWindow()
   * window.isNew({ dedupeId: 'a' }) // => true
   * window.isNew({ dedupeId: 'a' }) // => false
   */
  isNew(record: TaggedRecord): boolean {
    const dedupeId = idOf(record)
    if (dedupeId === undefined) return true
    if (this.#ids.has(dedupeId)) return false
    this.#remember(dedupeId)
    return true
  }

  /**
   * Whether the record's id is remembered: it is a copy of one that was added. Remembers nothing.
   *
   * @example
   * const window = new DedupeWindow()
   * window.has({ dedupeId: 'a' }) // => false
   */
  has(record: TaggedRecord): boolean {
    const dedupeId = idOf(record)
    return dedupeId !== undefined && this.#ids.has(dedupeId)
  }

  /**
   * Remembers the record's id, if it has one, and forgets the oldest for it when the window is full.
   *
   * @example
   * const window = new DedupeWindow()
   * window.add({ dedupeId: 'a' })
   * window.has({ dedupeId: 'a' }) // => true
   */
  add(record: TaggedRecord): void {
    const dedupeId = idOf(record)
    if (dedupeId !== undefined && !this.#ids.has(dedupeId)) this.#remember(dedupeId)
  }

  #remember(dedupeId: string): void {
    if (this.#ring.length < this.#maxRecords) this.#ring.push(dedupeId)
    else {
      this.#ids.delete(this.#ring[this.#oldest]!)
      this.#ring[this.#oldest] = dedupeId
      this.#oldest = (this.#oldest + 1) % this.#maxRecords
    }
    this.#ids.add(dedupeId)
  }
}

/** Throws KPL_ERR_INVALID_INPUT for a value that is not a record: an id alone would count as a record without one, and never be dropped. */
function idOf(record: TaggedRecord): string | undefined {
  if (typeof record !== 'object' || record === null) throw invalidInput('record', 'a consumed record', record)
  return typeof record.dedupeId === 'string' ? record.dedupeId : undefined
}
