/**
 * Which generations a file may be, found by its first bytes rather than by trying all of them.
 * Example: 10,000 generations with full prefixes cost one hash for each file that is looked at.
 * Invariant: gives every generation whose prefix the file has, and no other.
 */
import { type FoundFile, type Generation, markOf } from './identity.ts'

export class PrefixIndex {
  /** By length, then by hash. */
  readonly #lengths = new Map<number, Map<string, Generation[]>>()

  constructor(generations: Iterable<Generation>) {
    for (const generation of generations) {
      const { length, sha256 } = generation.prefix
      const hashes = this.#lengths.get(length) ?? new Map<string, Generation[]>()
      this.#lengths.set(length, hashes)
      const some = hashes.get(sha256)
      if (some === undefined) hashes.set(sha256, [generation])
      else some.push(generation)
    }
  }

  matching(file: FoundFile): readonly Generation[] {
    const found: Generation[] = []
    for (const [length, hashes] of this.#lengths) {
      const bytes = file.read(file.prefixAt ?? 0, length)
      if (bytes.length !== length) continue
      for (const generation of hashes.get(markOf(bytes).sha256) ?? []) {
        if (file.size >= generation.acked) found.push(generation)
      }
    }
    return found
  }
}
