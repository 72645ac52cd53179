/**
 * A first-in-first-out queue.
 * Invariant: only entries from `#head` on are live; dead places are given back once they are half of the array.
 * Cost: O(1) amortised.
 */

const COMPACT_COUNT = 64

export class Fifo<T> {
  #items: T[] = []
  #head = 0

  get count(): number {
    return this.#items.length - this.#head
  }

  get first(): T | undefined {
    return this.#items[this.#head]
  }

  get last(): T | undefined {
    return this.#items.at(-1)
  }

  push(item: T): void {
    this.#items.push(item)
  }

  shift(): T | undefined {
    if (this.#head === this.#items.length) return undefined
    const item = this.#items[this.#head]
    this.#head++
    const isMostlyDead = this.#head >= COMPACT_COUNT && this.#head * 2 >= this.#items.length
    if (this.#head === this.#items.length || isMostlyDead) {
      this.#items = this.#items.slice(this.#head)
      this.#head = 0
    }
    return item
  }

  takeAll(): T[] {
    const all = this.#items.slice(this.#head)
    this.#items = []
    this.#head = 0
    return all
  }

  *[Symbol.iterator](): Generator<T> {
    for (let i = this.#head; i < this.#items.length; i++) yield this.#items[i]!
  }
}
