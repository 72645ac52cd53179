/**
 * `kinesis-producer tail` in a process of its own, and the library's reader alone, of the same stream.
 * Invariant: what is printed goes through a real pipe to another process; the figures are of this process alone.
 */
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { KinesisClient } from '@aws-sdk/client-kinesis'
import type { Output } from '../src/cli/ports.ts'
import { processHost } from '../src/cli/process-host.ts'
import { runCli } from '../src/cli/run-cli.ts'
import { readStream } from '../src/reader/read-stream.ts'
import { meter, type Spent } from './harness/meter.ts'

const CREDENTIALS = { accessKeyId: 'bench', secretAccessKey: 'bench' }

/** Reads the whole stream with `readStream`. Throws unless it has `count` user records. */
export function read(endpoint: string, region: string, count: number): Promise<Spent> {
  return meter(async () => {
    const client = new KinesisClient({ endpoint, region, credentials: CREDENTIALS })
    let records = 0
    for await (const record of readStream(client, 'bench', { follow: false })) if (record.data.length > 0) records++
    client.destroy()
    if (records !== count) throw new Error(`${records} records were read instead of ${count}`)
  })
}

/** Reads the whole stream with `tail` and these flags, and drops what it prints. */
export async function tailToNowhere(endpoint: string, region: string, flags: readonly string[]): Promise<Spent> {
  const descriptor = openSync('/dev/null', 'w')
  const spent = await tailTo(descriptor, endpoint, region, flags)
  closeSync(descriptor)
  return spent
}

/** Reads the whole stream with `tail` and these flags, into a pipe. Throws unless it printed `count` lines. */
export async function tail(endpoint: string, region: string, count: number, flags: readonly string[]): Promise<Spent> {
  const folder = mkdtempSync(join(tmpdir(), 'kinesis-producer-bench-tail-'))
  const pipe = join(folder, 'pipe')
  execFileSync('mkfifo', [pipe])
  const counter = spawn('sh', ['-c', 'wc -l < "$0"', pipe], { stdio: ['ignore', 'pipe', 'inherit'] })
  let printed = ''
  counter.stdout.on('data', (text: Buffer) => (printed += text.toString()))
  const descriptor = openSync(pipe, 'w')
  const spent = await tailTo(descriptor, endpoint, region, flags)
  closeSync(descriptor)
  await once(counter, 'close')
  rmSync(folder, { recursive: true })
  if (Number(printed) !== count) throw new Error(`${printed.trim()} lines were printed instead of ${count}`)
  return spent
}

/** Node.js writes to a pipe that a shell made synchronously, and so does this. */
function tailTo(descriptor: number, endpoint: string, region: string, flags: readonly string[]): Promise<Spent> {
  const stdout: Output = {
    isTTY: false,
    columns: 80,
    closed: new AbortController().signal,
    write: chunk => {
      writeWhole(descriptor, typeof chunk === 'string' ? Buffer.from(chunk) : chunk)
      return Promise.resolve()
    }
  }
  return meter(async () => {
    const argv = ['tail', 'bench', '--endpoint', endpoint, '--region', region, '--from', 'oldest', '--no-follow']
    const exit = await runCli([...argv, ...flags, '--quiet'], { ...processHost(), stdout })
    if (exit !== 0) throw new Error(`tail ended with ${exit}`)
  })
}

function writeWhole(descriptor: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length; ) at += writeSync(descriptor, bytes, at)
}
