/**
 * `kinesis-producer agent` in a process of its own: on one file to which another process appends, and on many files that rest.
 * Invariant: the figures are of this process alone, without the one that writes the lines.
 */
import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { SignalName } from '../src/cli/ports.ts'
import { processHost } from '../src/cli/process-host.ts'
import { runCli } from '../src/cli/run-cli.ts'
import { makePool, type PoolOptions } from './harness/load.ts'
import { meter, type Spent } from './harness/meter.ts'

const LOOK_MS = 20
let folder = ''
let lines = 0
let runs = 0

/** Writes the lines of the pool to a file, from which they are appended. */
export function open(pool: PoolOptions): void {
  folder = mkdtempSync(join(tmpdir(), 'kinesis-producer-bench-agent-'))
  const texts = makePool(pool)
  lines = texts.length
  writeFileSync(join(folder, 'lines'), `${texts.map(({ text }) => text).join('\n')}\n`)
}

/** Follows one file to which the pool is appended `times` times meanwhile; without a `key` keys are random. Throws unless it ends with 0. */
export function drive(
  flags: readonly string[],
  stream: string,
  times: number,
  key: { readonly json: string } | undefined
): Promise<Spent> {
  const log = join(folder, `grow-${runs}.log`)
  writeFileSync(log, '')
  const text = `i=0; while [ $i -lt ${times} ]; do cat "$0" >> "$1"; i=$((i+1)); done`
  const config = configOf({ stream, files: [log], from: 'start', ...(key === undefined ? undefined : { key }) })
  return meter(async () => {
    const writer = spawn('sh', ['-c', text, join(folder, 'lines'), log], { stdio: 'ignore' })
    const agent = start(config, flags)
    await agent.until(({ records, waiting }) => records === lines * times && waiting === 0)
    await agent.stop()
    writer.kill()
    rmSync(log)
  })
}

/** Follows so many files of a line each, and measures the time after all was sent. */
export async function rest(flags: readonly string[], stream: string, fileCount: number, forMs: number): Promise<Spent> {
  const logs = join(folder, `rest-${runs}`)
  mkdirSync(logs)
  for (let n = 0; n < fileCount; n++) writeFileSync(join(logs, `${n}.log`), `{"key":"user-${n}"}\n`)
  const agent = start(configOf({ stream, files: [join(logs, '*.log')], from: 'start' }), flags)
  await agent.until(({ records, waiting }) => records === fileCount && waiting === 0)
  // Files that grew a moment ago are looked at more often.
  await sleep(SETTLE_MS)
  const spent = await meter(() => sleep(forMs))
  await agent.stop()
  rmSync(logs, { recursive: true })
  return spent
}

const SETTLE_MS = 15_000

export function close(): void {
  rmSync(folder, { recursive: true, force: true })
}

interface Status {
  readonly records: number
  readonly waiting: number
}

function configOf(flow: object): string {
  const path = join(folder, `agent-${runs}.jsonc`)
  writeFileSync(path, JSON.stringify({ state: join(folder, `state-${runs++}`), flows: [flow] }))
  return path
}

/** An agent in this process: its status is asked for by SIGUSR2, as from outside. */
function start(config: string, flags: readonly string[]) {
  const listeners = new Map<SignalName, (() => void)[]>()
  let status: Status = { records: 0, waiting: 0 }
  let told = ''
  const real = processHost()
  const host = {
    ...real,
    stderr: {
      ...real.stderr,
      write(chunk: string | Uint8Array) {
        const text = chunk.toString()
        if (text.startsWith('{"type":"status"')) status = { waiting: 0, ...JSON.parse(text) }
        else if (!text.startsWith('{')) told += text
        return Promise.resolve()
      }
    },
    onSignal(name: SignalName, listener: () => void) {
      listeners.set(name, [...(listeners.get(name) ?? []), listener])
      return () => {}
    }
  }
  const signal = (name: SignalName) => {
    for (const listener of listeners.get(name) ?? []) listener()
  }
  const ended = runCli(['agent', '--config', config, '--progress', 'none', ...flags], host)
  let isOver = false
  void ended.then(() => {
    isOver = true
  })
  return {
    async until(isSo: (status: Status) => boolean) {
      while (!isSo(status)) {
        if (isOver) throw new Error(`agent ended: ${told}`)
        await sleep(LOOK_MS)
        // The first listener is the session's own: the figures without the files.
        listeners.get('SIGUSR2')?.[0]?.()
      }
    },
    async stop() {
      signal('SIGTERM')
      const exit = await ended
      if (exit !== 0) throw new Error(`agent ended with ${exit}: ${told}`)
    }
  }
}

function sleep(ms: number): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, ms))
}
