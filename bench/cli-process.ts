/**
 * `kinesis-producer put` in a process of its own, fed through a pipe by another process.
 * Invariant: it reads from a real pipe; the figures are of this process alone, without the one that writes the lines.
 */
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { processHost } from '../src/cli/process-host.ts'
import { runCli } from '../src/cli/run-cli.ts'
import { makePool, type PoolOptions } from './harness/load.ts'
import { meter, type Spent } from './harness/meter.ts'

let folder = ''
let records = 0

/** Writes the lines of the pool to a file, from which they are piped. */
export function open(pool: PoolOptions): void {
  folder = mkdtempSync(join(tmpdir(), 'kinesis-producer-bench-cli-'))
  const lines = makePool(pool)
  records = lines.length
  writeFileSync(join(folder, 'lines'), `${lines.map(({ text }) => text).join('\n')}\n`)
}

/** Pipes the pool `times` times through `put` with these flags. Throws unless it ends with 0. */
export function drive(flags: readonly string[], times: number): Promise<Spent> {
  const text = `i=0; while [ $i -lt ${times} ]; do cat "$0"; i=$((i+1)); done`
  const feeder = spawn('sh', ['-c', text, join(folder, 'lines')], { stdio: ['ignore', 'pipe', 'inherit'] })
  const host = { ...processHost(), stdin: () => feeder.stdout }
  return meter(async () => {
    const exit = await runCli(['put', ...flags, '--quiet'], host)
    if (exit !== 0) throw new Error(`put of ${records * times} lines ended with ${exit}`)
  })
}

export function close(): void {
  rmSync(folder, { recursive: true, force: true })
}
