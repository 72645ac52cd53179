/**
 * `kinesis-producer tail` of a stream of aggregated records, as a ratio to the library's reader alone, in turns, over HTTPS.
 * Verified: the reader finds every record, and what is printed into a pipe has a line for each.
 */
import { Child } from './harness/child.ts'
import { perSecond, type Spent } from './harness/meter.ts'
import { type Cell, metric, type Report } from './harness/report.ts'
import { ROUNDS, scaled } from './harness/settings.ts'
import { REGION } from './peers/contestant.ts'
import { openStoredStream } from './sink/place.ts'

const POOL = { recordBytes: 200, keys: 4096 }
const POOL_RECORDS = 4096
const TIMES = scaled(60, 2)
const COUNT = POOL_RECORDS * TIMES

export async function run(): Promise<Report> {
  const place = await openStoredStream(POOL, TIMES)
  const env = { ...place.env, AWS_ACCESS_KEY_ID: 'bench', AWS_SECRET_ACCESS_KEY: 'bench' }
  const child = new Child<typeof import('./tail-process.ts')>(new URL('./tail-process.js', import.meta.url), env)
  const { endpoint } = place
  const cases: readonly (readonly [name: string, once: () => Promise<Spent>])[] = [
    ['readStream alone', () => child.call('read', endpoint, REGION, COUNT)],
    ['tail, to /dev/null', () => child.call('tailToNowhere', endpoint, REGION, [])],
    ['tail --out json, to /dev/null', () => child.call('tailToNowhere', endpoint, REGION, ['--out', 'json'])],
    ['tail --out json, into a pipe', () => child.call('tail', endpoint, REGION, COUNT, ['--out', 'json'])]
  ]
  const spent: Spent[][] = cases.map(() => [])
  try {
    // The first round warms up.
    for (let round = -1; round < ROUNDS; round++) {
      for (const [at, [, once]] of cases.entries()) {
        const each = await once()
        if (round >= 0) spent[at]!.push(each)
      }
    }
  } finally {
    await child.stop()
    await place.close()
  }
  const rows = cases.map(([name], at) => rowOf(name, spent[at]!, spent[0]!))
  const columns = ['who', 'records by CPU time', 'of the reader, by CPU time']
  const notes = ['CPU time is of the process that reads; the service and the end of the pipe are others.']
  return {
    title: 'Reading a stream from the command line',
    tables: [{ title: 'user records of 200 bytes, aggregated', columns, rows, notes }],
    plots: []
  }
}

function rowOf(name: string, spent: readonly Spent[], base: readonly Spent[]): Cell[] {
  return [
    name,
    metric(
      'records/CPU s',
      spent.map(({ cpuMs }) => perSecond(COUNT, cpuMs))
    ),
    metric(
      'times',
      spent.map(({ cpuMs }, round) => base[round]!.cpuMs / cpuMs)
    )
  ]
}
