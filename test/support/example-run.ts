/**
 * Support for the tests of the examples: a fake Kinesis on a port, and examples in processes of their own.
 * Invariant: whatever was started is stopped by `cleanUp`.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import {
  type FakeKinesisServer,
  FaultPlan,
  readAsKcl,
  startFakeKinesisServer,
  VirtualClock
} from '../../src/testing/index.ts'

export const streamName = 'orders'
export const credentials = { accessKeyId: 'any', secretAccessKey: 'any' }

export const cleanUps: (() => unknown)[] = []

/** Stops everything, the newest first. */
export async function cleanUp(): Promise<void> {
  for (const stop of cleanUps.splice(0).reverse()) await stop()
}

export interface Stored {
  readonly partitionKey: string
  readonly value: unknown
}

/** A fake Kinesis on a port with one stream; time stands still for the delays of its faults. */
export async function startKinesis(shardCount = 4) {
  const faults = new FaultPlan()
  const clock = new VirtualClock(1_000_000)
  const server = await startFakeKinesisServer({ faults, clock })
  cleanUps.push(() => server.close())
  server.kinesis.createStream({ StreamName: streamName, ShardCount: shardCount })
  const stored = (): Stored[] =>
    readAsKcl(server.kinesis, streamName)
      .filter(({ isDelivered }) => isDelivered)
      .map(({ partitionKey, data }) => ({ partitionKey, value: JSON.parse(Buffer.from(data).toString()) }))
      .sort((left, right) => (JSON.stringify(left) < JSON.stringify(right) ? -1 : 1))
  return { server, faults, clock, stored }
}

/** Resolves when the server has the next PutRecords; its answer then waits until time goes on. */
export function holdNextPut(faults: FaultPlan): Promise<void> {
  return new Promise(resolve => {
    const isPut = ({ operation }: { operation: string }) => {
      if (operation === 'PutRecords') resolve()
      return operation === 'PutRecords'
    }
    faults.add({ match: { when: isPut }, action: { kind: 'delay', delayMs: 1000 }, times: 1 })
  })
}

/** The environment that the SDK reads. */
export function environmentFor({ endpoint }: FakeKinesisServer) {
  return {
    AWS_ENDPOINT_URL_KINESIS: endpoint,
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'any',
    AWS_SECRET_ACCESS_KEY: 'any',
    AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
    STREAM_NAME: streamName
  }
}

/** A program in a process of its own. */
export function run(file: string, args: readonly string[], environment: Readonly<Record<string, string>>) {
  const child = spawn(process.execPath, [file, ...args], {
    env: { PATH: process.env['PATH'], ...environment }
  })
  cleanUps.push(() => child.kill('SIGKILL'))
  let errors = ''
  child.stderr.on('data', chunk => {
    errors += chunk
  })
  const lines: string[] = []
  const waiting = new Set<() => void>()
  createInterface(child.stdout).on('line', line => {
    lines.push(line)
    for (const look of waiting) look()
  })
  const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, lines, errors }))
  const lineWith = (pattern: RegExp): Promise<RegExpExecArray> =>
    new Promise((resolve, reject) => {
      const look = () => {
        const match = lines.map(line => pattern.exec(line)).find(found => found !== null)
        if (match) resolve(match)
      }
      waiting.add(look)
      look()
      void ended.then(({ code }) => reject(new Error(`ended with ${code} before ${pattern}: ${errors}`)))
    })
  return { child, ended, lineWith }
}
