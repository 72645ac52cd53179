/**
 * What the demo runs against: the fake Kinesis on a free loopback port, or a real stream.
 * Invariant: whatever was opened is closed by `close`; the disturbances do nothing that the target cannot take.
 */
import { KinesisClient, ListShardsCommand, SplitShardCommand } from '@aws-sdk/client-kinesis'
import { NodeHttpHandler } from '@smithy/node-http-handler'
import type { ProducerOptions } from '../../src/index.ts'
import { type FakeKinesisServer, FaultPlan, startFakeKinesisServer } from '../../src/testing/index.ts'
import type { DemoArguments } from './arguments.ts'

export interface Target {
  readonly streamName: string
  readonly title: string
  readonly producerOptions: ProducerOptions
  /** For reading back. */
  readonly client: KinesisClient
  /** Splits the first open shard. */
  split(): Promise<string>
  /** Throttles the last shard until the returned function is called; undefined: the target cannot. */
  throttle: (() => { readonly shardId: string; end(): void }) | undefined
  /** Stops the server and starts it again `downMs` later; undefined: the target cannot. */
  restart: ((downMs: number) => Promise<void>) | undefined
  close(): Promise<void>
}

const SHARD_COUNT = 4

export function openTarget(args: DemoArguments): Promise<Target> {
  return args.stream === undefined ? openFake(args) : Promise.resolve(openReal(args.stream, args))
}

async function openFake({ region }: DemoArguments): Promise<Target> {
  const streamName = 'demo'
  const faults = new FaultPlan()
  let server: FakeKinesisServer = await startFakeKinesisServer({ faults })
  const { kinesis, endpoint, port } = server
  kinesis.createStream({ StreamName: streamName, ShardCount: SHARD_COUNT })
  const credentials = { accessKeyId: 'demo', secretAccessKey: 'demo' }
  const client = new KinesisClient({ region, endpoint, credentials, requestHandler: new NodeHttpHandler() })
  return {
    streamName,
    title: `fake Kinesis on ${endpoint}, ${SHARD_COUNT} shards`,
    producerOptions: { streamName, region, endpoint, credentials },
    client,
    split: () => splitFirst(client, streamName),
    throttle: () => {
      const shardId = `shardId-${String(SHARD_COUNT - 1).padStart(12, '0')}`
      const end = faults.add({ match: { operation: 'PutRecords' }, action: { kind: 'throttle', shardIds: [shardId] } })
      return { shardId, end }
    },
    restart: async downMs => {
      await server.close()
      await new Promise(resolve => setTimeout(resolve, downMs))
      server = await startFakeKinesisServer({ faults, kinesis, port })
    },
    close: async () => {
      client.destroy()
      await server.close()
    }
  }
}

function openReal(streamName: string, { region, endpoint }: DemoArguments): Target {
  const at = { region, ...(endpoint === undefined ? undefined : { endpoint }) }
  const client = new KinesisClient({ ...at, requestHandler: new NodeHttpHandler() })
  return {
    streamName,
    title: `stream ${streamName} at ${endpoint ?? region}`,
    producerOptions: { streamName, ...at },
    client,
    split: () => splitFirst(client, streamName),
    throttle: undefined,
    restart: undefined,
    close: async () => client.destroy()
  }
}

async function splitFirst(client: KinesisClient, nameOrArn: string): Promise<string> {
  const stream = nameOrArn.startsWith('arn:') ? { StreamARN: nameOrArn } : { StreamName: nameOrArn }
  const { Shards = [] } = await client.send(new ListShardsCommand({ ...stream, ShardFilter: { Type: 'AT_LATEST' } }))
  const shard = Shards[0]
  if (shard?.ShardId === undefined) throw new Error('the stream has no open shard')
  const start = BigInt(shard.HashKeyRange?.StartingHashKey ?? 0)
  const end = BigInt(shard.HashKeyRange?.EndingHashKey ?? 0)
  const NewStartingHashKey = ((start + end) / 2n + 1n).toString()
  await client.send(new SplitShardCommand({ ...stream, ShardToSplit: shard.ShardId, NewStartingHashKey }))
  return shard.ShardId
}
