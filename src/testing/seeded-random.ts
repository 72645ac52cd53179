/**
 * Repeatable random numbers: sfc32 (Chris Doty-Humphrey, PractRand) seeded through a 32-bit mixing of the seed's text.
 * Invariant: a stream depends only on its seed and on the names it was split by, never on what other streams drew.
 */
import type { Random } from '../model/ports.ts'

/** A `Random` that can hand out independent streams. */
export interface SeededRandom extends Random {
  /**
   * Returns the stream of this seed called `name`. The same name gives the same stream from its start, however many
   * numbers were drawn before, so that a new draw for one purpose does not reshuffle another.
   *
   * @example
   * const [first, second] = [seededRandom(42), seededRandom(42)]
   * first()
   * first.split('faults')() === second.split('faults')() // => true
   */
  split(name: string): SeededRandom
}

/** Draws thrown away after seeding, until every bit of the state depends on the seed. */
const WARM_UP_COUNT = 15

/**
 * Returns a stream of numbers in [0, 1) with 32 bits each, the same on every machine for the same `seed`.
 *
 * @example
 * const random = seededRandom(42)
 * const faults = new FaultPlan([{ match: { probability: 0.1 }, action: { kind: 'reset' } }], random.split('faults'))
 */
export function seededRandom(seed: number | string): SeededRandom {
  const text = String(seed)
  const next = sfc32(mix(text, 1), mix(text, 2), mix(text, 3))
  return Object.assign(next, { split: (name: string) => seededRandom(`${text}/${name}`) })
}

function sfc32(first: number, second: number, third: number): Random {
  let a = first | 0
  let b = second | 0
  let c = third | 0
  let counter = 1
  const next: Random = () => {
    const sum = (((a + b) | 0) + counter) | 0
    counter = (counter + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = (((c << 21) | (c >>> 11)) + sum) | 0
    return (sum >>> 0) / 4_294_967_296
  }
  for (let i = 0; i < WARM_UP_COUNT; i++) next()
  return next
}

/** FNV-1a over the text's UTF-16 units, then the finalizer of MurmurHash3. */
function mix(text: string, salt: number): number {
  let hash = 0x811c9dc5 ^ Math.imul(salt, 0x9e3779b9)
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return hash ^ (hash >>> 16)
}
