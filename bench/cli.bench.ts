/**
 * `kinesis-producer put` from a pipe of NDJSON lines of 200 bytes, and `agent` on a file that grows by them, as a ratio to the library's own tryPut
 * of the same records to the same sink over HTTPS, in turns; and `agent` on 10,000 files that rest. The line's end, its check and its key are what the ratio is about.
 * Verified before it is timed: the sink takes every user record apart and finds each of them once, with its key.
 */
import { Child } from './harness/child.ts'
import { perSecond, type Spent } from './harness/meter.ts'
import { UNLIMITED_PERCENT } from './harness/null-producer.ts'
import { type Cell, metric, type Report, ratio } from './harness/report.ts'
import { ROUNDS, scaled } from './harness/settings.ts'
import { REGION, STREAM_NAME } from './peers/contestant.ts'
import { OURS } from './peers/roster.ts'
import { openSink, verifyArrival } from './sink/place.ts'

const SHARDS = 8
const POOL = { recordBytes: 200, keys: 4096 }
const POOL_RECORDS = 4096
const VERIFIED_TIMES = scaled(5, 2)
/** Long enough that connecting, which tryPut has behind it, does not count. */
const TIMES = scaled(500, 10)
const TARGET_RATIO = 0.6
const IDLE_FILES = scaled(10_000, 1000)
const BY_KEY = { json: '.key' }
const IDLE_MS = scaled(30_000, 3000)

/** The work on each line, and whether the line's key is the pool's. */
const CASES: readonly { readonly name: string; readonly flags: readonly string[]; readonly hasPoolKeys: boolean }[] = [
  { name: 'put, lines, random keys', flags: [], hasPoolKeys: false },
  { name: 'put, lines, --key .key', flags: ['--key', '.key'], hasPoolKeys: true },
  {
    name: 'put, --in ndjson --key .key (each line checked as well)',
    flags: ['--in', 'ndjson', '--key', '.key'],
    hasPoolKeys: true
  }
]

export async function run(): Promise<Report> {
  const place = await openSink(SHARDS)
  const env = { ...place.env, AWS_ACCESS_KEY_ID: 'bench', AWS_SECRET_ACCESS_KEY: 'bench' }
  const library = new Child<typeof import('./peers/contestant-process.ts')>(
    new URL('./peers/contestant-process.js', import.meta.url),
    env
  )
  const cli = new Child<typeof import('./cli-process.ts')>(new URL('./cli-process.js', import.meta.url), env)
  const agent = new Child<typeof import('./agent-process.ts')>(new URL('./agent-process.js', import.meta.url), env)
  try {
    await library.call('open', OURS, place.endpoint, POOL)
    await cli.call('open', POOL)
    await agent.call('open', POOL)
    // As `sinkProducer` has it: a sink has no shards that hold the load back.
    const unlimited = ['--set', `rateLimitPercent=${UNLIMITED_PERCENT}`]
    const where = ['--endpoint', place.endpoint, '--region', REGION, ...unlimited]
    const argv = [STREAM_NAME, ...where]
    const follow = (times: number, key: { readonly json: string } | undefined) =>
      agent.call('drive', where, STREAM_NAME, times, key)
    const put = (flags: readonly string[], times: number) => cli.call('drive', [...argv, ...flags], times)
    for (const { flags, hasPoolKeys } of CASES) {
      if (!hasPoolKeys) await put(flags, VERIFIED_TIMES)
      else await verifyArrival(place.sink, POOL, POOL_RECORDS * VERIFIED_TIMES, () => put(flags, VERIFIED_TIMES))
    }
    await follow(VERIFIED_TIMES, undefined)
    await verifyArrival(place.sink, POOL, POOL_RECORDS * VERIFIED_TIMES, () => follow(VERIFIED_TIMES, BY_KEY))
    await verifyArrival(place.sink, POOL, POOL_RECORDS * VERIFIED_TIMES, count => library.call('drive', count))
    const ours: Spent[] = []
    const theirs: Spent[][] = CASES.map(() => [])
    const followed: Spent[] = []
    const followedByKey: Spent[] = []
    // The first round warms up.
    for (let round = -1; round < ROUNDS; round++) {
      const spent = await library.call('drive', POOL_RECORDS * TIMES)
      const puts = []
      for (const { flags } of CASES) puts.push(await put(flags, TIMES))
      const follows = await follow(TIMES, undefined)
      const followsByKey = await follow(TIMES, BY_KEY)
      if (round < 0) continue
      ours.push(spent)
      followed.push(follows)
      followedByKey.push(followsByKey)
      for (const [at, each] of puts.entries()) theirs[at]!.push(each)
    }
    const resting = await agent.call('rest', where, STREAM_NAME, IDLE_FILES, IDLE_MS)
    await library.call('close')
    await cli.call('close')
    await agent.call('close')
    const rows = [
      rowOf(OURS, ours, ours),
      ...CASES.map(({ name }, at) => rowOf(name, theirs[at]!, ours, true)),
      rowOf('agent, one file that grows, random keys', followed, ours, true),
      rowOf('agent, one file that grows, key from JSON', followedByKey, ours, true)
    ]
    const columns = ['who', 'records by CPU time', 'of tryPut, by CPU time', 'by wall time', 'of tryPut, by wall time']
    const notes = ['CPU time is of the process that puts; the pipe and the file are written by another.']
    const idle: Cell = metric('cores', [resting.cpuMs / resting.wallMs])
    return {
      title: 'Command line',
      tables: [
        { title: 'put from a pipe and agent on a file, lines of 200 bytes', columns, rows, notes },
        {
          title: 'agent with nothing to do',
          columns: ['files', 'of a core'],
          rows: [[IDLE_FILES.toLocaleString('en-US'), idle]]
        }
      ],
      plots: []
    }
  } finally {
    await library.stop()
    await cli.stop()
    await agent.stop()
    await place.close()
  }
}

function rowOf(name: string, spent: readonly Spent[], base: readonly Spent[], isTargeted = false): Cell[] {
  const count = POOL_RECORDS * TIMES
  const target = isTargeted ? TARGET_RATIO : undefined
  return [
    name,
    metric(
      'records/CPU s',
      spent.map(({ cpuMs }) => perSecond(count, cpuMs))
    ),
    ratio(
      spent.map(({ cpuMs }, round) => base[round]!.cpuMs / cpuMs),
      target
    ),
    metric(
      'records/s',
      spent.map(({ wallMs }) => perSecond(count, wallMs))
    ),
    metric(
      'times',
      spent.map(({ wallMs }, round) => base[round]!.wallMs / wallMs)
    )
  ]
}
