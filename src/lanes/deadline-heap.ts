/**
 * A binary heap of things that have a deadline, nearest first, from which any item can be removed.
 * Invariant: every item's `heapIndex` is its place in the heap, or -1 when it is in none; an item is in one heap at most.
 * Cost: O(log n) for push, remove and pop, O(1) for the nearest; a push with the latest deadline is O(1).
 */

export interface HeapItem {
  wakeMs: number
  heapIndex: number
}

export class DeadlineHeap<T extends HeapItem> {
  readonly #items: T[] = []

  get size(): number {
    return this.#items.length
  }

  /** The nearest deadline; Infinity when empty. */
  get nearestMs(): number {
    return this.#items.length === 0 ? Number.POSITIVE_INFINITY : this.#items[0]!.wakeMs
  }

  /** Puts `item` in at `wakeMs`, or moves it there when it is in already. */
  set(item: T, wakeMs: number): void {
    const earlier = wakeMs < item.wakeMs
    item.wakeMs = wakeMs
    if (item.heapIndex < 0) {
      item.heapIndex = this.#items.length
      this.#items.push(item)
      this.#up(item.heapIndex)
    } else if (earlier) this.#up(item.heapIndex)
    else this.#down(item.heapIndex)
  }

  /** Takes `item` out; does nothing when it is not in. */
  remove(item: T): void {
    const index = item.heapIndex
    if (index < 0) return
    const last = this.#items.pop()!
    item.heapIndex = -1
    if (last === item) return
    this.#place(last, index)
    this.#up(index)
    this.#down(last.heapIndex)
  }

  /** Takes out and returns the nearest item whose deadline is at or before `nowMs`; undefined when there is none. */
  popDue(nowMs: number): T | undefined {
    const nearest = this.#items[0]
    if (nearest === undefined || nearest.wakeMs > nowMs) return undefined
    this.remove(nearest)
    return nearest
  }

  #place(item: T, index: number): void {
    this.#items[index] = item
    item.heapIndex = index
  }

  #up(from: number): void {
    const item = this.#items[from]!
    let index = from
    while (index > 0) {
      const parentIndex = (index - 1) >> 1
      const parent = this.#items[parentIndex]!
      if (parent.wakeMs <= item.wakeMs) break
      this.#place(parent, index)
      index = parentIndex
    }
    this.#place(item, index)
  }

  #down(from: number): void {
    const item = this.#items[from]!
    const half = this.#items.length >> 1
    let index = from
    while (index < half) {
      const leftIndex = index * 2 + 1
      const right = this.#items[leftIndex + 1]
      const isRightNearer = right !== undefined && right.wakeMs < this.#items[leftIndex]!.wakeMs
      const childIndex = isRightNearer ? leftIndex + 1 : leftIndex
      const child = this.#items[childIndex]!
      if (child.wakeMs >= item.wakeMs) break
      this.#place(child, index)
      index = childIndex
    }
    this.#place(item, index)
  }
}
