/**
 * Questions about a stream: its summary and the list of its shards.
 * Invariant: every page is fetched; errors of the service come out as they are.
 */
import type { KinesisClient, Shard, StreamDescriptionSummary } from '@aws-sdk/client-kinesis'

export interface StreamFacts {
  /** CREATING, ACTIVE, UPDATING or DELETING. */
  readonly status: string
  readonly mode: string
  /** `AUTO`: the service chooses the shard, and the producer does not aggregate. */
  readonly distribution: string
  readonly openShards: number
  readonly encryption: string
  readonly retentionHours: number
}

/** A stream in a request: by name or by ARN. */
export function addressOf(stream: string): { readonly StreamARN: string } | { readonly StreamName: string } {
  return stream.startsWith('arn:') ? { StreamARN: stream } : { StreamName: stream }
}

export async function streamSummary(client: KinesisClient, stream: string): Promise<StreamFacts> {
  const { DescribeStreamSummaryCommand } = await import('@aws-sdk/client-kinesis')
  const { StreamDescriptionSummary } = await client.send(new DescribeStreamSummaryCommand(addressOf(stream)))
  const summary: Partial<StreamDescriptionSummary> & { readonly RecordDistributionStrategy?: unknown } =
    StreamDescriptionSummary ?? {}
  return {
    status: summary.StreamStatus ?? 'unknown',
    mode: summary.StreamModeDetails?.StreamMode ?? 'PROVISIONED',
    distribution: distributionOf(summary),
    openShards: summary.OpenShardCount ?? 0,
    encryption: summary.EncryptionType ?? 'NONE',
    retentionHours: summary.RetentionPeriodHours ?? 0
  }
}

export async function listAllShards(client: KinesisClient, stream: string): Promise<readonly Shard[]> {
  const { ListShardsCommand } = await import('@aws-sdk/client-kinesis')
  const shards: Shard[] = []
  let NextToken: string | undefined
  do {
    const input = NextToken === undefined ? addressOf(stream) : { NextToken }
    const page = await client.send(new ListShardsCommand(input))
    shards.push(...(page.Shards ?? []))
    NextToken = page.NextToken
  } while (NextToken !== undefined)
  return shards
}

function distributionOf(summary: Readonly<Record<string, unknown>>): string {
  const entry = Object.entries(summary).find(([name]) => /Distribution/.test(name))
  return JSON.stringify(entry?.[1] ?? '').includes('AUTO') ? 'AUTO' : 'USER_PARTITION_KEY'
}
