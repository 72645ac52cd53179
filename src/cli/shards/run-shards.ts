/**
 * `shards`: the listing of a stream, and the shard of keys by the MD5 rule.
 * Invariant: keys go to open shards only; on a stream whose service chooses the shards no shard is predicted.
 */
import { createHash } from 'node:crypto'
import type { Shard } from '@aws-sdk/client-kinesis'
import { type Outcome, type Words, wordAt } from '../command.ts'
import { kinesisClient } from '../connection.ts'
import { CliError } from '../errors.ts'
import { lineFraming } from '../input/framing.ts'
import { type KeyFlags, keySelector } from '../input/key-selector.ts'
import { sourcesOf } from '../input/source.ts'
import type { Session } from '../session.ts'
import { listAllShards, streamSummary } from '../stream-calls.ts'
import { HotKeys } from './hot-keys.ts'

export interface ShardsFlags extends KeyFlags {
  readonly all?: boolean
  readonly ofKey: readonly string[]
  readonly ofHashKey?: string
  readonly from?: string
}

interface ShardRow {
  readonly shardId: string
  readonly state: 'open' | 'closed'
  readonly parents: readonly string[]
  readonly startingHashKey: string
  readonly endingHashKey: string
  readonly percent: number
}

const HASH_KEY_COUNT = 2n ** 128n
const MAX_LINE_BYTES = 8 * 1_048_576
const SHOWN_KEYS = 10

export async function runShards(session: Session, flags: ShardsFlags, words: Words): Promise<Outcome> {
  const stream = wordAt(words, 0) ?? ''
  const client = await kinesisClient(session)
  try {
    const summary = await streamSummary(client, stream)
    const shards = (await listAllShards(client, stream)).map(rowOf)
    const open = shards.filter(({ state }) => state === 'open')
    const rows = flags.all === true ? shards : open
    const keys = [...flags.ofKey.map(key => ({ key, hashKey: hashKeyOf(key) })), ...explicit(flags.ofHashKey)]
    const found = keys.map(({ key, hashKey }) => ({ key, shardId: shardOf(open, hashKey)?.shardId ?? null }))
    const spread = flags.from === undefined ? undefined : await spreadOf(session, flags, flags.from, open)
    const result = { stream, ...summary, shards: rows.map(row => ({ ...row })), keys: found, ...spread }
    if (session.flags.json !== true) await session.host.stdout.write(textOf(rows, found, spread, summary))
    return { exit: 0, summary: result }
  } finally {
    client.destroy()
  }
}

function rowOf(shard: Shard): ShardRow {
  const { ShardId = '', ParentShardId, AdjacentParentShardId, HashKeyRange, SequenceNumberRange } = shard
  const { StartingHashKey: startingHashKey = '0', EndingHashKey: endingHashKey = '0' } = HashKeyRange ?? {}
  const width = BigInt(endingHashKey) - BigInt(startingHashKey) + 1n
  return {
    shardId: ShardId,
    state: SequenceNumberRange?.EndingSequenceNumber === undefined ? 'open' : 'closed',
    parents: [ParentShardId, AdjacentParentShardId].filter(parent => parent !== undefined),
    startingHashKey,
    endingHashKey,
    percent: Number((width * 1_000_000n) / HASH_KEY_COUNT) / 10_000
  }
}

/** Returns the number that the service makes of a partition key: its MD5 as a whole number. */
export function hashKeyOf(partitionKey: string): bigint {
  return BigInt(`0x${createHash('md5').update(partitionKey).digest('hex')}`)
}

function explicit(text: string | undefined): { readonly key: string; readonly hashKey: bigint }[] {
  if (text === undefined) return []
  if (!/^\d{1,39}$/.test(text) || BigInt(text) >= HASH_KEY_COUNT) {
    throw new CliError('CLI_ERR_USAGE', '--of-hash-key is a decimal number below 2^128')
  }
  return [{ key: text, hashKey: BigInt(text) }]
}

function shardOf(open: readonly ShardRow[], hashKey: bigint): ShardRow | undefined {
  return open.find(row => BigInt(row.startingHashKey) <= hashKey && hashKey <= BigInt(row.endingHashKey))
}

interface Spread {
  readonly records: number
  readonly withoutKey: number
  readonly byShard: Readonly<Record<string, number>>
  readonly hottest: { readonly key: string; readonly count: number; readonly error: number }[]
}

async function spreadOf(
  session: Session,
  flags: ShardsFlags,
  file: string,
  open: readonly ShardRow[]
): Promise<Spread> {
  const select = keySelector(flags, session.host.random)
  const frame = lineFraming({
    separator: Buffer.from('\n'),
    keepCr: false,
    keepSeparator: false,
    maxLineBytes: MAX_LINE_BYTES
  })
  const hot = new HotKeys()
  const counts = new Map(open.map(({ shardId }) => [shardId, 0]))
  const starts = open
    .map(row => ({ row, from: BigInt(row.startingHashKey) }))
    .sort((a, b) => (a.from < b.from ? -1 : 1))
  let records = 0
  let withoutKey = 0
  for (const { path, chunks } of sourcesOf(session, [file], false)) {
    for await (const items of frame(chunks)) {
      for (const item of items) {
        records++
        const { partitionKey } = select(item, path)
        if (partitionKey === undefined || item.fault !== undefined) {
          withoutKey++
          continue
        }
        hot.add(partitionKey)
        const hashKey = hashKeyOf(partitionKey)
        const shard = starts.findLast(({ from }) => from <= hashKey)?.row.shardId
        if (shard !== undefined) counts.set(shard, (counts.get(shard) ?? 0) + 1)
      }
    }
  }
  return {
    records,
    withoutKey,
    byShard: Object.fromEntries(counts),
    hottest: hot.hottest(SHOWN_KEYS).map(key => ({ ...key }))
  }
}

function textOf(
  rows: readonly ShardRow[],
  found: readonly { readonly key: string; readonly shardId: string | null }[],
  spread: Spread | undefined,
  { status, distribution }: { readonly status: string; readonly distribution: string }
): string {
  const lines = [
    `${status}, ${rows.length} shards, ${distribution === 'AUTO' ? 'the service chooses the shard' : 'keys choose the shard'}`
  ]
  for (const { shardId, state, parents, startingHashKey, endingHashKey, percent } of rows) {
    const from = parents.length === 0 ? '' : `  from ${parents.join(' + ')}`
    lines.push(`${shardId}  ${state}  ${percent.toFixed(2)} %  ${startingHashKey} - ${endingHashKey}${from}`)
  }
  for (const { key, shardId } of found) lines.push(`key ${JSON.stringify(key)} goes to ${shardId ?? 'no open shard'}`)
  if (spread !== undefined) {
    lines.push(`${spread.records} records, ${spread.withoutKey} without a key`)
    for (const [shardId, count] of Object.entries(spread.byShard)) {
      lines.push(`${shardId}  ${count} records  ${((100 * count) / Math.max(1, spread.records)).toFixed(1)} %`)
    }
    for (const { key, count } of spread.hottest) lines.push(`hot key ${JSON.stringify(key)}  ${count} records`)
  }
  return `${lines.join('\n')}\n`
}
