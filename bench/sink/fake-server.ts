/**
 * The fake Kinesis of `kinesis-producer/testing` for a process of its own, unlimited and keeping nothing.
 * Invariant: one stream, called `bench`.
 */
import { FakeKinesis, startFakeKinesisServer } from '../../src/testing/index.ts'
import type { Certificate } from '../harness/certificate.ts'

/** Listens; returns the port. */
export async function open(shards: number, tls: Certificate): Promise<number> {
  const kinesis = new FakeKinesis({ nowMs: () => performance.now(), throughputLimits: false, storage: 'discard' })
  kinesis.createStream({ StreamName: 'bench', ShardCount: shards })
  const { port } = await startFakeKinesisServer({ tls, kinesis })
  return port
}
