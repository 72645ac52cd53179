/**
 * MD5 of eight messages at once against node:crypto one by one, by length.
 * Verified before it is timed: every digest is node:crypto's.
 */
import { hash } from 'node:crypto'
import { compileLanes, type DigestJob, LANES } from '../src/wire/md5-lanes.ts'
import { meterSync } from './harness/meter.ts'
import { type Cell, metric, type Report } from './harness/report.ts'
import { scaled } from './harness/settings.ts'

const LENGTHS = [1_000, 10_000, 51_200, 1_048_576]
const BYTES_PER_ROUND = scaled(200_000_000, 20_000_000)
const ROUNDS = scaled(7, 3)

export async function run(): Promise<Report> {
  const hashLanes = compileLanes()
  if (hashLanes === undefined) throw new Error('this host has no WebAssembly SIMD')
  const rows = LENGTHS.map((length): Cell[] => {
    const jobs = jobsOf(length)
    hashLanes(jobs)
    for (const { message, target } of jobs) {
      if (Buffer.from(target).toString('hex') !== hash('md5', message)) throw new Error('a digest is wrong')
    }
    const rounds = Array.from({ length: ROUNDS }, () => ratesOf(jobs, hashLanes))
    const lanes = rounds.map(round => round.lanes)
    const crypto = rounds.map(round => round.crypto)
    const ratios = rounds.map(round => round.lanes / round.crypto)
    return [`${length}`, metric('bytes/CPU s', lanes), metric('bytes/CPU s', crypto), metric('times', ratios)]
  })
  const columns = ['bytes', 'eight lanes', 'node:crypto', 'lanes / node:crypto']
  return { title: 'MD5', tables: [{ title: 'MD5 of messages of one length', columns, rows }], plots: [] }
}

/** Both in one round, so that what disturbs the machine disturbs both. */
function ratesOf(jobs: readonly DigestJob[], hashLanes: (jobs: readonly DigestJob[]) => void) {
  const bytes = jobs.reduce((sum, { message }) => sum + message.length, 0)
  const times = Math.ceil(BYTES_PER_ROUND / bytes)
  const rate = (work: () => void): number => {
    const { cpuMs } = meterSync(() => {
      for (let i = 0; i < times; i++) work()
    })
    return (bytes * times * 1000) / cpuMs
  }
  return {
    lanes: rate(() => hashLanes(jobs)),
    crypto: rate(() => {
      for (const { message } of jobs) hash('md5', message, 'binary')
    })
  }
}

function jobsOf(length: number): DigestJob[] {
  return Array.from({ length: LANES }, (_, i) => ({
    message: Buffer.alloc(length, `message ${i}`),
    target: Buffer.alloc(16),
    targetAt: 0
  }))
}
