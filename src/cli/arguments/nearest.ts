/**
 * The name that was probably meant.
 * Example: `--agregation` is nearest to `--aggregation`.
 * Invariant: pure; returns nothing when no name is near.
 */

const MAX_NAME_CHARACTERS = 64
const SHORTEST_BEGINNING = 3

/** Returns the candidate with the fewest changed letters, if they are few enough to be a slip; else undefined. */
export function nearestOf(name: string, candidates: Iterable<string>): string | undefined {
  const typed = plainOf(name.slice(0, MAX_NAME_CHARACTERS))
  const mostEdits = Math.max(1, Math.floor(typed.length / 3))
  const begun = [...candidates].find(candidate => isBegun(typed, plainOf(candidate)))
  if (begun !== undefined) return begun
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

/** Whether one of the two begins with the other. */
function isBegun(typed: string, candidate: string): boolean {
  const shorter = Math.min(typed.length, candidate.length)
  return shorter >= SHORTEST_BEGINNING && (typed.startsWith(candidate) || candidate.startsWith(typed))
}

function plainOf(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9.]/g, '')
}

/** Letters added, left out, changed, or swapped with their neighbour. */
function editDistance(from: string, to: string): number {
  let before: number[] = []
  let last = Array.from({ length: to.length + 1 }, (_, i) => i)
  for (let i = 1; i <= from.length; i++) {
    const row = [i]
    for (let j = 1; j <= to.length; j++) {
      const isSwapped = i > 1 && j > 1 && from[i - 1] === to[j - 2] && from[i - 2] === to[j - 1]
      const changed = last[j - 1]! + (from[i - 1] === to[j - 1] ? 0 : 1)
      const fewest = Math.min(changed, last[j]! + 1, row[j - 1]! + 1)
      row.push(isSwapped ? Math.min(fewest, before[j - 2]! + 1) : fewest)
    }
    before = last
    last = row
  }
  return last[to.length]!
}
