/**
 * The name that was probably meant.
 * Example: `--agregation` is nearest to `--aggregation`.
 * Invariant: pure; returns nothing when no name is near.
 */

const MAX_NAME_CHARACTERS = 64

/** Returns the candidate with the fewest changed letters, if they are few enough to be a slip; else undefined. */
export function nearestOf(name: string, candidates: Iterable<string>): string | undefined {
  const typed = plainOf(name.slice(0, MAX_NAME_CHARACTERS))
  const mostEdits = Math.max(1, Math.floor(typed.length / 3))
  let nearest: string | undefined
  let fewest = mostEdits + 1
  for (const candidate of candidates) {
    const edits = editDistance(typed, plainOf(candidate))
    if (edits < fewest) [nearest, fewest] = [candidate, edits]
  }
  return nearest
}

/** Returns `; did you mean X?`, or nothing. */
export function hintOf(name: string, candidates: Iterable<string>): string {
  const nearest = nearestOf(name, candidates)
  return nearest === undefined ? '' : `; did you mean ${nearest}?`
}

function plainOf(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9.]/g, '')
}

function editDistance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, i) => i)
  for (let i = 1; i <= from.length; i++) {
    const next = [i]
    for (let j = 1; j <= to.length; j++) {
      const changed = row[j - 1]! + (from[i - 1] === to[j - 1] ? 0 : 1)
      next.push(Math.min(changed, row[j]! + 1, next[j - 1]! + 1))
    }
    row = next
  }
  return row[to.length]!
}
