/**
 * The demo's command line.
 * Invariant: what is returned can be run; a fault is one sentence.
 */
import { parseArgs } from 'node:util'

export interface DemoArguments {
  /** A stream that exists; undefined: a fake Kinesis is started with one. */
  readonly stream: string | undefined
  readonly region: string
  readonly endpoint: string | undefined
  readonly records: number
  readonly recordsPerSecond: number
  /** Split and throttle mid-way (a fake), or split only (a real stream). */
  readonly reshard: boolean
  /** Stop the fake server mid-way for three seconds. */
  readonly killServer: boolean
}

export const USAGE = `npm run demo -- [options]

Without options a fake Kinesis is started on this machine. 200,000 records go to a stream of 4 shards while one shard is
split and another is throttled; then everything is read back and verified. Exits with 1 if anything was lost.

  --records N        records to produce (200000)
  --rate N           records a second (20000)
  --kill-server      stop the fake server mid-way and start it again three seconds later
  --stream NAME      use a stream that exists (name or ARN), with your AWS credentials
  --region R         its region (us-east-1)
  --endpoint URL     another Kinesis endpoint
  --reshard          split the real stream's first shard mid-way
`

const DEFAULT_RECORDS = 200_000
const DEFAULT_RATE = 20_000

/** Returns the arguments, or a sentence about what is wrong with them. `help`: the usage was asked for. */
export function parseArguments(
  argv: readonly string[]
): DemoArguments | { readonly fault: string } | { readonly help: true } {
  try {
    const { values } = parseArgs({
      args: [...argv],
      options: {
        stream: { type: 'string' },
        region: { type: 'string', default: 'us-east-1' },
        endpoint: { type: 'string' },
        records: { type: 'string', default: String(DEFAULT_RECORDS) },
        rate: { type: 'string', default: String(DEFAULT_RATE) },
        reshard: { type: 'boolean', default: false },
        'kill-server': { type: 'boolean', default: false },
        help: { type: 'boolean', default: false }
      }
    })
    if (values.help) return { help: true }
    const records = Number(values.records)
    const recordsPerSecond = Number(values.rate)
    const areCounts = [records, recordsPerSecond].every(count => Number.isSafeInteger(count) && count > 0)
    if (!areCounts) return { fault: '--records and --rate take whole numbers above 0' }
    const isReal = values.stream !== undefined
    if (!isReal && values.endpoint !== undefined) return { fault: '--endpoint needs --stream' }
    if (isReal && values['kill-server']) return { fault: '--kill-server is for the fake server' }
    return {
      stream: values.stream,
      region: values.region,
      endpoint: values.endpoint,
      records,
      recordsPerSecond,
      reshard: !isReal || values.reshard,
      killServer: values['kill-server']
    }
  } catch (error) {
    return { fault: error instanceof Error ? error.message : String(error) }
  }
}
