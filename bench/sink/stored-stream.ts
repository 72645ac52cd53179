/**
 * A fake Kinesis in a process of its own, with a stream that is full of aggregated records, to be read.
 * Invariant: the user records are those of the pool, in its order, again and again; it is not changed while it is read.
 */
import { aggregate } from '../../src/consumer/deaggregate.ts'
import { FakeKinesis, startFakeKinesisServer } from '../../src/testing/index.ts'
import type { Certificate } from '../harness/certificate.ts'
import { makePool, type PoolOptions } from '../harness/load.ts'

const NOW_MS = 1_795_824_000_000

/** Listens; returns the port. The stream is called `bench` and has one shard. */
export async function open(tls: Certificate, pool: PoolOptions, times: number): Promise<number> {
  const kinesis = new FakeKinesis({ nowMs: () => NOW_MS, throughputLimits: false })
  kinesis.createStream({ StreamName: 'bench', ShardCount: 1 })
  const aggregates = [...aggregate(makePool(pool))]
  for (let i = 0; i < times; i++) {
    for (const [n, { data }] of aggregates.entries()) {
      kinesis.putRecord({ StreamName: 'bench', Data: data, PartitionKey: `aggregate-${i}-${n}` })
    }
  }
  const { port } = await startFakeKinesisServer({ tls, kinesis })
  return port
}
