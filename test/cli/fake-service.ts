/**
 * A fake Kinesis over HTTP, and command lines run against it in this process.
 * Invariant: every run has a host of its own; the server lives as long as the test file.
 */

import type { ExitCode } from '../../src/cli/exit-codes.ts'
import { runCli } from '../../src/cli/run-cli.ts'
import { deaggregateAll } from '../../src/consumer/deaggregate.ts'
import { systemClock } from '../../src/system.ts'
import { FakeKinesis, type FakeKinesisServer, FaultPlan, startFakeKinesisServer } from '../../src/testing/index.ts'
import { type TestHost, type TestHostOptions, testHost } from './test-host.ts'

export interface Ended {
  readonly exit: ExitCode
  readonly stdout: string
  readonly stderr: string
}

export interface FakeService {
  readonly server: FakeKinesisServer
  readonly faults: FaultPlan
  /** Runs a command line against the server. */
  run(argv: readonly string[], options?: TestHostOptions): Promise<Ended>
  /** The same, with the host in hand meanwhile. */
  start(argv: readonly string[], options?: TestHostOptions): { readonly test: TestHost; readonly ended: Promise<Ended> }
  /** User records as `key: text`, in the order in which they lie in their shards. */
  stored(stream: string): string[]
  close(): Promise<void>
}

export async function fakeService(streams: Readonly<Record<string, number>>): Promise<FakeService> {
  const faults = new FaultPlan()
  const kinesis = new FakeKinesis({ nowMs: () => systemClock.nowMs(), throughputLimits: false })
  for (const [StreamName, ShardCount] of Object.entries(streams)) kinesis.createStream({ StreamName, ShardCount })
  const server = await startFakeKinesisServer({ kinesis, faults })
  const start = (argv: readonly string[], options: TestHostOptions = {}) => {
    const test = testHost(options)
    const ended = runCli([...argv, '--local', '--endpoint', server.endpoint], test.host).then(exit => ({
      exit,
      stdout: test.stdout(),
      stderr: test.stderr()
    }))
    return { test, ended }
  }
  return {
    server,
    faults,
    start,
    run: (argv, options) => start(argv, options).ended,
    stored: stream => {
      const records = kinesis.storedRecords(stream).map(({ data, partitionKey = '', sequenceNumber }) => ({
        Data: data,
        PartitionKey: partitionKey,
        SequenceNumber: sequenceNumber
      }))
      return [...deaggregateAll(records)].map(({ partitionKey, data }) => `${partitionKey}: ${Buffer.from(data)}`)
    },
    close: () => server.close()
  }
}

/** Runs a command line that needs no service. */
export async function cli(argv: readonly string[], options: TestHostOptions = {}): Promise<Ended> {
  const test = testHost(options)
  const exit = await runCli(argv, test.host)
  return { exit, stdout: test.stdout(), stderr: test.stderr() }
}

/** The last line of stdout, without what depends on time. */
export function summaryOf({ stdout }: Ended): Record<string, unknown> {
  const summary: Record<string, unknown> = JSON.parse(stdout.trim().split('\n').at(-1)!)
  delete summary['durationMs']
  return summary
}
