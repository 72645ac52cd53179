/**
 * The keys that come most often, in bounded memory: the Space-Saving counters of Metwally, Agrawal and El Abbadi (2005).
 * Invariant: a key with more than `count / counters` occurrences is among them; a count is too high by at most `error`.
 */

export interface HotKey {
  readonly key: string
  readonly count: number
  /** The count is right or too high by up to so much. */
  readonly error: number
}

const COUNTERS = 1000

export class HotKeys {
  readonly #counters = new Map<string, { count: number; error: number }>()

  add(key: string): void {
    const counter = this.#counters.get(key)
    if (counter !== undefined) counter.count++
    else if (this.#counters.size < COUNTERS) this.#counters.set(key, { count: 1, error: 0 })
    else this.#replaceLeast(key)
  }

  /** Returns the hottest keys, hottest first. */
  hottest(most: number): readonly HotKey[] {
    return [...this.#counters]
      .map(([key, { count, error }]) => ({ key, count, error }))
      .sort((a, b) => b.count - a.count)
      .slice(0, most)
  }

  #replaceLeast(key: string): void {
    let leastKey = ''
    let least = Number.POSITIVE_INFINITY
    for (const [candidate, { count }] of this.#counters) {
      if (count < least) [leastKey, least] = [candidate, count]
    }
    this.#counters.delete(leastKey)
    this.#counters.set(key, { count: least + 1, error: least })
  }
}
