/**
 * The soak's command line.
 * Invariant: what is returned can be run; a fault is one sentence.
 */
import { parseArgs } from 'node:util'

export interface SoakArguments {
  readonly minutes: number
  readonly recordsPerSecond: number
  /** Of faults and reshards; the moments at which they meet requests are the machine's. */
  readonly seed: number
  /** How long one stream is written to before it is read back and made anew. */
  readonly periodSeconds: number
}

export const USAGE = `npm run build:dev && node build/bench/soak/main.js [options]

One producer against the fake Kinesis in a process of its own, which fails, throttles, hangs, restarts, splits and merges
all the time. Every record is read back and held against what the producer was told. Exits with 1 after any loss or any
duplicate without an explanation.

  --minutes N   how long (3)
  --rate N      records a second (20000)
  --seed N      of faults and reshards (1)
  --period N    seconds for which a stream is written to before it is read back (15)
`

/** Returns the arguments, or a sentence about what is wrong with them. `help`: the usage was asked for. */
export function parseArguments(
  argv: readonly string[]
): SoakArguments | { readonly fault: string } | { readonly help: true } {
  try {
    const { values } = parseArgs({
      args: [...argv],
      options: {
        minutes: { type: 'string', default: '3' },
        rate: { type: 'string', default: '20000' },
        seed: { type: 'string', default: '1' },
        period: { type: 'string', default: '15' },
        help: { type: 'boolean', default: false }
      }
    })
    if (values.help) return { help: true }
    const [minutes, rate, seed, period] = [values.minutes, values.rate, values.seed, values.period].map(Number)
    const areAbove0 = [minutes, rate, period].every(value => value !== undefined && value > 0 && Number.isFinite(value))
    if (!areAbove0) return { fault: '--minutes, --rate and --period take numbers above 0' }
    if (!Number.isSafeInteger(seed)) return { fault: '--seed takes a whole number' }
    return { minutes: minutes!, recordsPerSecond: rate!, seed: seed!, periodSeconds: period! }
  } catch (error) {
    return { fault: error instanceof Error ? error.message : String(error) }
  }
}
