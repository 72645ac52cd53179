/**
 * The user records of a run: every record can be told from every other by what is stored of it, and its exact bytes are
 * known beforehand.
 * Invariant: `idOf` of what a reader sees is the number under which the record was put.
 */
import { hash } from 'node:crypto'
import type { SeededRandom } from '../../src/testing/index.ts'
import { EnvelopeWriter } from '../../src/wire/encode.ts'
import type { SwarmConfig } from './swarm.ts'

export interface SimRecord {
  readonly streamName: string
  readonly partitionKey: string
  readonly explicitHashKey: string | undefined
  readonly data: Uint8Array
  /** Whether `data` is given to the producer as a string. */
  readonly isText: boolean
}

const FILLER_BYTES = 1_100_000
const MEBIBYTE = 1_048_576
/** The most bytes that a tag and the envelope around it add: the longest of the keys once more, and framing. */
const MAX_WRAPPING_BYTES = 600
const FILLER = Buffer.alloc(FILLER_BYTES, 'abcdefghijklmnopqrstuvwxyz0123456789')
/** Keys that other languages' maps and encoders stumble over. */
const HOSTILE_KEYS = [
  '__proto__',
  'constructor',
  '0',
  '\u0000',
  'ключ',
  '\u{1f511}'.repeat(60),
  'k'.repeat(256),
  '\uffff'
]
/** A user's payload that is itself an aggregated record: consumers must see it as it is. */
const SMUGGLED = smuggled()
const hashKeys = new Map<string, bigint>()
const MAX_HASH_KEYS = 20_000

/** Returns the record numbered `id`; `random` is the workload's stream. */
export function drawRecord(random: SeededRandom, config: SwarmConfig, id: number): SimRecord {
  const { streamName } = config.streams[Math.floor(random() * config.streams.length)]!
  const explicitHashKey = random() < config.explicitPart ? drawHashKey(random).toString() : undefined
  const dice = random()
  const keyNumber = Math.floor(random() * config.keyCount)
  const size = random()
  if (dice < 0.02) return { streamName, partitionKey: `id#${id}`, explicitHashKey, data: SMUGGLED, isText: false }
  if (dice < 0.06) {
    const data = FILLER.subarray(0, Math.floor(size * 4))
    return { streamName, partitionKey: `id#${id}`, explicitHashKey, data, isText: dice < 0.04 }
  }
  const isHostile = dice > 0.97
  const partitionKey = isHostile ? HOSTILE_KEYS[keyNumber % HOSTILE_KEYS.length]! : `key-${keyNumber}`
  const isHuge = config.hugeCount > 0 && id % Math.ceil(config.recordCount / config.hugeCount) === 7
  const wrappingBytes = config.options.dedupeTags === true ? MAX_WRAPPING_BYTES : 0
  const limit = MEBIBYTE - Buffer.byteLength(partitionKey) - wrappingBytes
  const length = isHuge ? limit - Math.floor(size * 3) : Math.floor(size * size * config.maxDataBytes)
  return { streamName, partitionKey, explicitHashKey, data: numbered(id, length), isText: dice < 0.5 && !isHuge }
}

/** Returns the number of the record that a reader sees, or undefined when no record of this run looks like that. */
export function idOf(partitionKey: string, data: Uint8Array): number | undefined {
  if (partitionKey.startsWith('id#')) return Number(partitionKey.slice('id#'.length))
  const head = Buffer.from(data.buffer, data.byteOffset, Math.min(data.length, 12)).toString('latin1')
  const digits = /^#(\d+);/.exec(head)?.[1]
  return digits === undefined ? undefined : Number(digits)
}

/** The hash key by the API's definition, worked out apart from the producer's code. */
export function hashKeyOf(partitionKey: string, explicitHashKey: string | undefined): bigint {
  if (explicitHashKey !== undefined) return BigInt(explicitHashKey)
  const known = hashKeys.get(partitionKey)
  if (known !== undefined) return known
  const hashKey = BigInt(`0x${hash('md5', partitionKey, 'hex')}`)
  if (hashKeys.size >= MAX_HASH_KEYS) hashKeys.clear()
  hashKeys.set(partitionKey, hashKey)
  return hashKey
}

function numbered(id: number, length: number): Uint8Array {
  const head = `#${id};`
  const data = Buffer.allocUnsafe(Math.max(head.length, length))
  data.write(head, 0, 'latin1')
  FILLER.copy(data, head.length, id % 36, (id % 36) + data.length - head.length)
  return data
}

/** Anywhere, or at the borders between equal shards, where an error by one shows. */
function drawHashKey(random: SeededRandom): bigint {
  const space = 1n << 128n
  if (random() < 0.3) {
    const parts = BigInt(1 + Math.floor(random() * 16))
    const border = (BigInt(Math.floor(random() * 17)) * space) / parts
    return (border + BigInt(Math.floor(random() * 3)) - 1n + space) % space
  }
  return (BigInt(Math.floor(random() * 2 ** 32)) << 96n) | BigInt(Math.floor(random() * 2 ** 32))
}

function smuggled(): Uint8Array {
  const writer = new EnvelopeWriter(0)
  for (const key of ['x', 'y']) writer.add(key, 1, undefined, Buffer.from('smuggled'), 8)
  return writer.seal()
}
