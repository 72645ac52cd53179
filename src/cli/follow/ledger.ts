/**
 * Which bytes of a file are acknowledged, although acknowledgements come in any order.
 * Example: records end at 10, 20, 30; 20 and 30 are settled: `acked` is 0. Then 10 is settled: `acked` is 30.
 * Invariant: `acked` is the end of the settled prefix. It never falls, and it never passes a record that is not settled.
 */

const COMPACT_FROM = 1024

export class Ledger {
  #ends: number[] = []
  #settled: boolean[] = []
  /** The place in the lists of the first record that is not settled. */
  #head = 0
  /** The ticket of the record at place 0 of the lists. */
  #firstTicket = 0
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
    return this.#ends.length - this.#head
  }

  /** The bytes between the settled prefix and the last record that was read: what a restart repeats. */
  get openBytes(): number {
    return this.#readTo - this.#acked
  }

  /** Adds the next record in the order of the file; the ticket settles it. */
  add(endOffset: number): number {
    if (endOffset < this.#readTo) throw new RangeError(`a record ends at ${endOffset}, before ${this.#readTo}`)
    this.#readTo = endOffset
    this.#ends.push(endOffset)
    this.#settled.push(false)
    return this.#firstTicket + this.#ends.length - 1
  }

  /** A second settling of one ticket changes nothing. */
  settle(ticket: number): void {
    const place = ticket - this.#firstTicket
    if (place >= this.#ends.length) throw new RangeError(`ticket ${ticket} was never given`)
    if (place < this.#head) return
    this.#settled[place] = true
    while (this.#settled[this.#head] === true) {
      this.#acked = this.#ends[this.#head] ?? this.#acked
      this.#head++
    }
    this.#compact()
  }

  #compact(): void {
    if (this.#head < COMPACT_FROM || this.#head * 2 < this.#ends.length) return
    this.#ends = this.#ends.slice(this.#head)
    this.#settled = this.#settled.slice(this.#head)
    this.#firstTicket += this.#head
    this.#head = 0
  }
}
