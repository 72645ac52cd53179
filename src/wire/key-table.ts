/**
 * One key table of an aggregated record being read, standing on the current member's entry.
 * Invariant: an entry is decoded at most once; until then it is two numbers, however many entries hostile bytes declare.
 */

/**
 * Bytes of neighbouring entries that are decoded together, because the way into native code costs more than what it does
 * there: 2.6 against 1.6 million user records/s with unique keys (bench/deaggregate.bench.ts). Long texts share the
 * memory of their run. A table with other characters than ASCII gets no runs.
 */
const RUN_BYTES = 1024
/** Numbers from which on the places grow in small steps; before, each step costs more than the memory is worth. */
const LARGE = 8192

/** An index of -1 is no entry. */
export class KeyTable {
  /** Entries in the table. */
  count = 0
  /** The current member's entry. */
  index = -1
  /** The whole record: text is decoded out of one Buffer, because a TextDecoder takes half as long again. */
  readonly #record: Buffer
  // Without a prototype that could be asked for texts that are not there yet.
  readonly #texts: string[] = Object.setPrototypeOf([], null)
  /** Where each entry starts and ends. */
  #places = new Uint32Array(16)
  #highestIndex = -1
  #runBytes = RUN_BYTES

  constructor(record: Buffer) {
    this.#record = record
  }

  /** Whether there is an entry for every index that was selected. */
  get isComplete(): boolean {
    return this.#highestIndex < this.count
  }

  add(start: number, end: number): void {
    const at = this.count++ * 2
    if (at === this.#places.length) {
      const grown = new Uint32Array(at < LARGE ? at * 8 : at * 2)
      grown.set(this.#places)
      this.#places = grown
    }
    this.#places[at] = start
    this.#places[at + 1] = end
  }

  select(index: number): void {
    this.index = index
    if (index > this.#highestIndex) this.#highestIndex = index
  }

  /** The current entry's bytes, a view. */
  bytes(): Uint8Array {
    return this.#record.subarray(this.#places[this.index * 2], this.#places[this.index * 2 + 1])
  }

  /** The current entry as text, undefined when there is none; bytes that are not UTF-8 come as U+FFFD. */
  text(): string | undefined {
    const { index } = this
    if (index < 0) return undefined
    return this.#texts[index] ?? this.#decode(index)
  }

  /** Decodes a run of entries from `first` on, none of them a second time, and returns that one. */
  #decode(first: number): string {
    const places = this.#places
    const start = places[first * 2]!
    let after = first + 1
    while (after < this.count && places[after * 2 + 1]! - start <= this.#runBytes && this.#texts[after] === undefined)
      after++
    const end = places[after * 2 - 1]!
    const run = this.#record.toString('utf8', start, end)
    const isSingle = after === first + 1
    // As many characters as bytes: each byte is one of its own, so the places in bytes are those in the text.
    const isAligned = run.length === end - start
    if (!isAligned && !isSingle) {
      this.#runBytes = 0
      return this.#decode(first)
    }
    this.#texts[first] = run
    if (!isSingle)
      for (let i = first; i < after; i++) this.#texts[i] = run.slice(places[i * 2]! - start, places[i * 2 + 1]! - start)
    return this.#texts[first]
  }
}
