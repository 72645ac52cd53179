/**
 * `inspect`: what the bytes of Kinesis records are, and the user records within them.
 * Invariant: never fails for what the bytes hold; a malformed aggregate is shown as such, and the command ends with 1.
 */
import {
  type AggregateInfo,
  aggregateInfo,
  type ConsumedRecord,
  deaggregate,
  type ShardRange
} from '../../consumer/deaggregate.ts'
import { readFrame } from '../../glue/index.ts'
import { type Outcome, type Words, wordAt } from '../command.ts'
import { CliError } from '../errors.ts'
import { sourcesOf } from '../input/source.ts'
import type { Json } from '../output/json.ts'
import type { Session } from '../session.ts'
import { type GivenRecord, givenRecords, type InputFormat } from './given-bytes.ts'

export interface InspectFlags {
  readonly in: InputFormat
  readonly range?: string
}

const SHOWN_BYTES = 64

export async function runInspect(session: Session, flags: InspectFlags, words: Words): Promise<Outcome> {
  const range = flags.range === undefined ? undefined : rangeOf(flags.range)
  const chunks: Uint8Array[] = []
  for (const { chunks: source } of sourcesOf(session, [wordAt(words, 0) ?? '-'], false)) {
    for await (const chunk of source) chunks.push(chunk)
  }
  const given = givenRecords(Buffer.concat(chunks), flags.in)
  const records = given.map(record => inspected(record, range))
  const isJson = session.flags.json === true
  for (const record of records) await session.host.stdout.write(isJson ? `${JSON.stringify(record)}\n` : textOf(record))
  const malformed = records.filter(({ fault }) => fault !== undefined).length
  return { exit: malformed > 0 ? 1 : 0, summary: { records: records.length, malformed } }
}

interface Inspected {
  readonly type: 'inspected'
  readonly place: string
  readonly kind: 'aggregate' | 'single' | 'malformed aggregate'
  readonly content: readonly string[]
  readonly bytes: number
  readonly md5: AggregateInfo['digest']
  readonly fault?: string
  readonly partitionKeys: readonly string[]
  readonly explicitHashKeys: readonly string[]
  readonly userRecords: readonly Member[]
}

interface Member {
  readonly index: number
  readonly partitionKey: string
  readonly explicitHashKey?: string | undefined
  readonly bytes: number
  readonly dedupeId?: string | undefined
  /** Whether a consumer of `--range` drops it. */
  readonly dropped?: boolean
  readonly content: readonly string[]
  readonly start: Json
}

function inspected({ place, bytes, partitionKey = '' }: GivenRecord, range: ShardRange | undefined): Inspected {
  const info = aggregateInfo(bytes)
  // Bytes alone have neither a key nor a number; what stands for them is not shown.
  const source = { data: bytes, partitionKey, sequenceNumber: '0' }
  const kept =
    range === undefined
      ? undefined
      : new Set([...deaggregate(source, { shardRange: range })].map(({ subSequenceNumber }) => subSequenceNumber))
  const members = info.aggregated ? [...deaggregate(source)] : []
  return {
    type: 'inspected',
    place,
    kind: info.aggregated ? 'aggregate' : info.digest === 'absent' ? 'single' : 'malformed aggregate',
    content: info.aggregated ? [] : contentOf(bytes),
    bytes: bytes.length,
    md5: info.digest,
    ...(info.fault === undefined ? undefined : { fault: info.fault }),
    partitionKeys: info.partitionKeys,
    explicitHashKeys: info.explicitHashKeys,
    userRecords: members.map(member => memberOf(member, kept))
  }
}

function memberOf(member: ConsumedRecord, kept: ReadonlySet<number> | undefined): Member {
  const { subSequenceNumber: index, partitionKey, explicitHashKey, data, dedupeId } = member
  return {
    index,
    partitionKey,
    explicitHashKey,
    bytes: data.length,
    dedupeId,
    ...(kept === undefined ? undefined : { dropped: !kept.has(index) }),
    content: contentOf(data),
    start: startOf(data)
  }
}

/** Known formats, by the first bytes. */
function contentOf(data: Uint8Array): string[] {
  const [first, second] = data
  const names = []
  const frame = readFrame(data)
  if (frame !== undefined) {
    const { versionId, compression, payload } = frame
    const how = compression === 'zlib' ? 'zlib, ' : ''
    names.push(`Glue schema version ${versionId}, ${how}payload of ${payload.length} bytes`)
  }
  if (first === 0x1f && second === 0x8b) names.push('gzip')
  if (first === 0x7b || first === 0x5b) names.push('probably JSON')
  return names
}

function startOf(data: Uint8Array): string {
  const head = Buffer.from(data.subarray(0, SHOWN_BYTES))
  return head
    .toString('latin1')
    .replace(/[^\x20-\x7e]/g, byte => `\\x${byte.charCodeAt(0).toString(16).padStart(2, '0')}`)
}

function textOf(record: Inspected): string {
  const { place, kind, content, bytes, md5, fault, partitionKeys, explicitHashKeys, userRecords } = record
  const head = [kind, ...content, `${bytes} bytes`, ...(md5 === 'absent' ? [] : [`MD5 ${md5}`])].join(', ')
  const lines = [place === '' ? head : `${place}: ${head}`]
  if (fault !== undefined) lines.push(`  fault: ${fault}`)
  if (kind === 'aggregate') {
    lines.push(
      `  ${userRecords.length} user records, ${partitionKeys.length} partition keys, ${explicitHashKeys.length} hash keys in the tables`
    )
  }
  for (const member of userRecords) {
    const hashKey = member.explicitHashKey === undefined ? '' : `  hash key ${member.explicitHashKey}`
    const dropped = member.dropped === true ? '  DROPPED' : ''
    const names = member.content.length === 0 ? '' : `  (${member.content.join(', ')})`
    lines.push(
      `  ${member.index}  key ${JSON.stringify(member.partitionKey)}${hashKey}  ${member.bytes} bytes${names}${dropped}  ${member.start}`
    )
  }
  return `${lines.join('\n')}\n`
}

function rangeOf(text: string): ShardRange {
  const [, startingHashKey, endingHashKey] = /^(\d{1,39}):(\d{1,39})$/.exec(text) ?? []
  if (startingHashKey === undefined || endingHashKey === undefined) {
    throw new CliError('CLI_ERR_USAGE', '--range is FROM:TO, two decimal hash keys')
  }
  return { startingHashKey, endingHashKey }
}
