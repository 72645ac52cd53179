/**
 * The open files, at most so many at a time.
 * Example: 10,000 files with one line each take 1,000 descriptors; the one that was used longest ago is closed for the next.
 * Invariant: only a file that its path leads to is closed for another one. A renamed or deleted file would not be found again.
 */
import type { Files, OpenFile } from './ports.ts'
import type { Tail } from './tail.ts'

export class Descriptors {
  readonly #files: Files
  readonly #cap: number
  /** Used longest ago first. */
  readonly #open = new Set<Tail>()

  constructor(files: Files, cap: number) {
    this.#files = files
    this.#cap = cap
  }

  get count(): number {
    return this.#open.size
  }

  /** Returns the descriptor, and whether it was opened now: then what it leads to is not known. */
  async opened(tail: Tail): Promise<{ readonly file: OpenFile; readonly isNew: boolean }> {
    if (tail.file !== undefined) {
      this.#open.delete(tail)
      this.#open.add(tail)
      return { file: tail.file, isNew: false }
    }
    if (this.#open.size >= this.#cap) await this.#closeOne()
    const file = await this.#files.open(tail.path)
    this.give(tail, file)
    return { file, isNew: true }
  }

  give(tail: Tail, file: OpenFile): void {
    tail.file = file
    this.#open.add(tail)
  }

  /** The descriptor is another tail's from now on. */
  take(tail: Tail): OpenFile | undefined {
    const { file } = tail
    tail.file = undefined
    this.#open.delete(tail)
    return file
  }

  async close(tail: Tail): Promise<void> {
    try {
      await this.take(tail)?.close()
    } catch {
      // It was only read from: nothing is lost with it.
    }
  }

  async closeAll(): Promise<void> {
    for (const tail of [...this.#open]) await this.close(tail)
  }

  async #closeOne(): Promise<void> {
    let first: Tail | undefined
    for (const tail of this.#open) {
      if (tail.place !== 'here') continue
      first ??= tail
      if (!tail.isAtEnd) continue
      first = tail
      break
    }
    if (first !== undefined) await this.close(first)
  }
}
