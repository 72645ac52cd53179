/**
 * A bounded map that forgets what was used least recently.
 * Invariant: it holds at most `maxCount` entries, and looking one up makes it the newest.
 */
export class Recent<Value> {
  readonly #maxCount: number
  readonly #values = new Map<string, Value>()

  constructor(maxCount: number) {
    this.#maxCount = maxCount
  }

  get(key: string): Value | undefined {
    const value = this.#values.get(key)
    if (value === undefined) return undefined
    this.#values.delete(key)
    this.#values.set(key, value)
    return value
  }

  set(key: string, value: Value): void {
    this.#values.delete(key)
    this.#values.set(key, value)
    if (this.#values.size <= this.#maxCount) return
    for (const oldest of this.#values.keys()) {
      this.#values.delete(oldest)
      return
    }
  }
}
