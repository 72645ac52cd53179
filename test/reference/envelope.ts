/**
 * The writer's slow twin: an aggregated record built from whole arrays, as the format's description reads.
 * Invariant: shares nothing with src/wire; every length is that of bytes that exist.
 */
import { createHash } from 'node:crypto'

export interface TwinMember {
  readonly partitionKey: string
  readonly explicitHashKey: string | undefined
  readonly data: Uint8Array
  /** Of a dedupe tag: key and value. */
  readonly tag?: readonly [string, string] | undefined
}

const MAGIC = Buffer.from('f3899ac2', 'hex')

/** The envelope of all members, whatever their number. */
export function twinEnvelope(members: readonly TwinMember[]): Buffer {
  const keys = [...new Set(members.map(member => member.partitionKey))]
  const hashKeys = [...new Set(members.flatMap(member => member.explicitHashKey ?? []))]
  const body = Buffer.concat([
    ...keys.map(key => field(1, Buffer.from(key))),
    ...hashKeys.map(hashKey => field(2, Buffer.from(hashKey))),
    ...members.map(({ partitionKey, explicitHashKey, data, tag }) =>
      field(
        3,
        Buffer.concat([
          number(1, keys.indexOf(partitionKey)),
          explicitHashKey === undefined ? Buffer.alloc(0) : number(2, hashKeys.indexOf(explicitHashKey)),
          field(3, Buffer.from(data)),
          tag === undefined
            ? Buffer.alloc(0)
            : field(4, Buffer.concat([field(1, Buffer.from(tag[0])), field(2, Buffer.from(tag[1]))]))
        ])
      )
    )
  ])
  return Buffer.concat([MAGIC, body, createHash('md5').update(body).digest()])
}

/** What is to be sent: the data alone for one member without tag, unless it would pass for an envelope; else the envelope. */
export function twinSealed(members: readonly TwinMember[]): Buffer {
  const [first] = members
  return members.length === 1 && first !== undefined && first.tag === undefined && !twinIsEnvelope(first.data)
    ? Buffer.from(first.data)
    : twinEnvelope(members)
}

export function twinIsEnvelope(data: Uint8Array): boolean {
  const bytes = Buffer.from(data)
  if (bytes.length <= 20 || !bytes.subarray(0, 4).equals(MAGIC)) return false
  return createHash('md5').update(bytes.subarray(4, -16)).digest().equals(bytes.subarray(-16))
}

function field(id: number, content: Buffer): Buffer {
  return Buffer.concat([varint((id << 3) | 2), varint(content.length), content])
}

function number(id: number, value: number): Buffer {
  return Buffer.concat([varint(id << 3), varint(value)])
}

function varint(value: number): Buffer {
  const bytes: number[] = []
  let rest = value
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128)
  return Buffer.from([...bytes, rest])
}
