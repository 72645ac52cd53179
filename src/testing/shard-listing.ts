/**
 * ListShards and the shard pages of DescribeStream.
 * Invariant: pages follow shard ids upwards; the pages of one listing of an unchanged stream hold each shard once.
 */
import { LIST_SHARDS_PAGE } from '../model/limits.ts'
import type { ListShardsInput, ListShardsOutput, Shard, ShardFilter } from './api-shapes.ts'
import type { FakeStream } from './fake-stream.ts'
import { argumentError, constraintError, FakeServiceError, required } from './service-error.ts'
import type { StreamShard } from './stream-shard.ts'
import { decodeToken, encodeToken } from './tokens.ts'

/** How long a NextToken lives. Source: Kinesis API reference, ListShards, 2026-11. */
const TOKEN_LIFE_MS = 300_000

const MAX_PAGE_RESULTS = 10_000
const TOKEN_PARTS = 7

export interface ListingToken {
  readonly streamName: string
  readonly incarnation: number
  readonly afterShardId: string
  readonly issuedAtMs: number
  readonly filter: ShardFilter
}

/** Throws InvalidArgumentException for text that no ListShards answer held. */
export function readListingToken(token: string): ListingToken {
  const parts = decodeToken('shards', TOKEN_PARTS, token)
  if (parts === undefined) throw argumentError('NextToken is invalid.')
  const [streamName, incarnation, afterShardId, issuedAtMs, Type, ShardId, Timestamp] = parts as [
    string,
    string,
    string,
    string,
    string,
    string,
    string
  ]
  return {
    streamName,
    incarnation: Number(incarnation),
    afterShardId,
    issuedAtMs: Number(issuedAtMs),
    filter: {
      Type,
      ShardId: ShardId === '' ? undefined : ShardId,
      Timestamp: Timestamp === '' ? undefined : Number(Timestamp)
    }
  }
}

/** Throws for a request that gives a token and, against the API, the stream again. */
export function assertListingInput(input: ListShardsInput): void {
  if (input.MaxResults !== undefined) assertPageLimit(input.MaxResults, 'maxResults')
  if (input.NextToken === undefined) return
  const clashing = (['StreamName', 'StreamARN', 'StreamCreationTimestamp', 'ExclusiveStartShardId'] as const).filter(
    member => input[member] !== undefined
  )
  if (clashing.length > 0) throw argumentError(`NextToken and ${clashing[0]} cannot be provided together.`)
}

/**
 * Returns one page of the stream's shards as they were at `asOfMs` (normally `nowMs`).
 * `token` is the request's, already read; ExpiredNextTokenException when it is older than 300 s or of an older stream.
 */
export function listShards(
  stream: FakeStream,
  input: ListShardsInput,
  token: ListingToken | undefined,
  times: { readonly nowMs: number; readonly asOfMs: number; readonly horizonMs: number }
): ListShardsOutput {
  const isExpired =
    token !== undefined && (times.nowMs - token.issuedAtMs > TOKEN_LIFE_MS || token.incarnation !== stream.incarnation)
  if (isExpired) throw new FakeServiceError('ExpiredNextTokenException', 'The NextToken has expired.')
  const filter = token?.filter ?? input.ShardFilter ?? { Type: 'FROM_TRIM_HORIZON' }
  const after = token?.afterShardId ?? input.ExclusiveStartShardId ?? afterShardIdOf(filter)
  const asOfMs = Math.max(times.asOfMs, stream.createdAtMs)
  const isListed = shardFilter(filter, asOfMs, Math.max(times.horizonMs, stream.createdAtMs))
  const listed = stream.shards().filter(shard => shard.shardId > after && shard.openedAtMs <= asOfMs && isListed(shard))
  const pageLength = Math.min(input.MaxResults ?? LIST_SHARDS_PAGE, LIST_SHARDS_PAGE)
  const page = listed.slice(0, pageLength).map(shard => shard.describe(asOfMs))
  if (listed.length <= pageLength) return { Shards: page }
  const { Type = '', ShardId = '', Timestamp = '' } = filter
  const lastShardId = page[page.length - 1]!.ShardId
  const parts = [stream.streamName, stream.incarnation, lastShardId, times.nowMs, Type, ShardId, Timestamp]
  return { Shards: page, NextToken: encodeToken('shards', parts) }
}

/** Returns the shards after `exclusiveStartShardId`, at most `limit`, and whether there are more. */
export function describeShards(
  stream: FakeStream,
  exclusiveStartShardId: string | undefined,
  limit: number,
  nowMs: number
): { readonly shards: readonly Shard[]; readonly hasMore: boolean } {
  assertPageLimit(limit, 'limit')
  const after = exclusiveStartShardId ?? ''
  const rest = stream.shards().filter(shard => shard.shardId > after)
  return { shards: rest.slice(0, limit).map(shard => shard.describe(nowMs)), hasMore: rest.length > limit }
}

function assertPageLimit(limit: number, member: string): void {
  const isInRange = Number.isInteger(limit) && limit >= 1 && limit <= MAX_PAGE_RESULTS
  if (!isInRange) throw constraintError(member, `be from 1 to ${MAX_PAGE_RESULTS}, got ${limit}`)
}

function afterShardIdOf(filter: ShardFilter): string {
  return filter.Type === 'AFTER_SHARD_ID' ? required(filter.ShardId, 'shardFilter.shardId') : ''
}

function shardFilter(filter: ShardFilter, asOfMs: number, horizonMs: number): (shard: StreamShard) => boolean {
  const openAt = (atMs: number) => (shard: StreamShard) => shard.openedAtMs <= atMs && shard.closedAtMs > atMs
  const openFrom = (atMs: number) => (shard: StreamShard) => shard.closedAtMs >= atMs
  const timestampMs = (): number => required(filter.Timestamp, 'shardFilter.timestamp') * 1_000
  switch (required(filter.Type, 'shardFilter.type')) {
    case 'AT_LATEST':
      return openAt(asOfMs)
    case 'AT_TRIM_HORIZON':
      return openAt(horizonMs)
    case 'FROM_TRIM_HORIZON':
    case 'AFTER_SHARD_ID':
      return openFrom(horizonMs)
    case 'AT_TIMESTAMP':
      return openAt(timestampMs())
    case 'FROM_TIMESTAMP':
      return openFrom(Math.max(timestampMs(), horizonMs))
    default:
      throw constraintError('shardFilter.type', 'satisfy enum value set of ShardFilterType')
  }
}
