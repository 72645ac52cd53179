/**
 * Which bytes of a file are acknowledged, although acknowledgements come in any order.
 * Example: records end at 10, 20, 30; 20 and 30 are settled: `acked` is 0. Then 10 is settled: `acked` is 30.
 * Invariant: `acked` is the end of the settled prefix. It never falls, and it never passes a record that is not settled.
 * Hot: a ring of numbers, so that a record costs no object.
 */

const FIRST_CAPACITY = 16

export class Ledger {
  /** By ticket, modulo the capacity, which is a power of two. */
  #ends = new Float64Array(FIRST_CAPACITY)
  #isSettled = new Uint8Array(FIRST_CAPACITY)
  /** The ticket of the first record that is not settled, and of the next one. */
  #head = 0
  #next = 0
  #readTo: number
  #acked: number

  constructor(startOffset: number) {
    this.#readTo = startOffset
    this.#acked = startOffset
  }

  /** The end of the settled prefix: the only offset that may be saved. */
  get acked(): number {
    return this.#acked
  }

  get openCount(): number {
    return this.#next - this.#head
  }

  /** The bytes between the settled prefix and the last record that was read: what a restart repeats. */
  get openBytes(): number {
    return this.#readTo - this.#acked
  }

  /** Where a record that is not settled begins: records join without a gap. */
  startOf(ticket: number): number {
    if (ticket < this.#head || ticket >= this.#next) throw new RangeError(`ticket ${ticket} is not open`)
    return ticket === this.#head ? this.#acked : this.#ends[(ticket - 1) & (this.#ends.length - 1)]!
  }

  /** Adds the next record in the order of the file; the ticket settles it. */
  add(endOffset: number): number {
    if (endOffset < this.#readTo) throw new RangeError(`a record ends at ${endOffset}, before ${this.#readTo}`)
    if (this.#next - this.#head === this.#ends.length) this.#grow()
    const ticket = this.#next++
    const place = ticket & (this.#ends.length - 1)
    this.#ends[place] = endOffset
    this.#isSettled[place] = 0
    this.#readTo = endOffset
    return ticket
  }

  /** A second settling of one ticket changes nothing. */
  settle(ticket: number): void {
    if (ticket >= this.#next) throw new RangeError(`ticket ${ticket} was never given`)
    if (ticket < this.#head) return
    const ends = this.#ends
    const isSettled = this.#isSettled
    const mask = ends.length - 1
    isSettled[ticket & mask] = 1
    while (this.#head < this.#next && isSettled[this.#head & mask] === 1) {
      this.#acked = ends[this.#head & mask]!
      this.#head++
    }
  }

  #grow(): void {
    const old = this.#ends.length
    const ends = new Float64Array(old * 2)
    const isSettled = new Uint8Array(old * 2)
    for (let ticket = this.#head; ticket < this.#next; ticket++) {
      const place = ticket & (old * 2 - 1)
      ends[place] = this.#ends[ticket & (old - 1)]!
      isSettled[place] = this.#isSettled[ticket & (old - 1)]!
    }
    this.#ends = ends
    this.#isSettled = isSettled
  }
}
