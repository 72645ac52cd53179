/**
 * Credentials that change all the time, from a provider that is at times slow and at times fails.
 * Invariant: no two answers are the same; each says that it is over soon, so that the SDK keeps asking.
 */
import { setTimeout } from 'node:timers/promises'
import type { SeededRandom } from '../../src/testing/index.ts'

const LIFE_MS = 5000
const SLOW_MS = 300
const SLOW_PART = 0.02
const FAILING_PART = 0.01

export interface Rotation {
  /** Sets of credentials given out. */
  count: number
  failures: number
  readonly provider: () => Promise<{
    accessKeyId: string
    secretAccessKey: string
    sessionToken: string
    expiration: Date
  }>
}

export function rotatingCredentials(random: SeededRandom): Rotation {
  const rotation: Rotation = {
    count: 0,
    failures: 0,
    provider: async () => {
      const drawn = random()
      if (drawn < FAILING_PART) {
        rotation.failures++
        throw new Error('no credentials for the moment')
      }
      if (drawn < FAILING_PART + SLOW_PART) await setTimeout(SLOW_MS)
      const number = ++rotation.count
      return {
        accessKeyId: `AKIA${String(number).padStart(16, '0')}`,
        secretAccessKey: `secret ${number}`,
        sessionToken: `token ${number}`,
        expiration: new Date(Date.now() + LIFE_MS)
      }
    }
  }
  return rotation
}
