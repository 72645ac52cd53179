/**
 * The user records that every referee works on, made from a seed.
 * Invariant: the same seed gives the same records on every machine; each record fits into a Kinesis record of 1 MiB.
 * The records have what implementations disagree about: no bytes at all, 1 MiB, keys that are numbers or names of
 * `Object.prototype`, keys of four bytes a character, the first and the last hash key, one key for many records.
 */
import { createHash } from 'node:crypto'
import { MEBIBYTE } from '../../src/model/limits.ts'
import { type SeededRandom, seededRandom } from '../../src/testing/seeded-random.ts'
import { MAX_HASH_KEY } from '../../src/wire/hash-key.ts'
import type { UserRecord } from './user-record.ts'

export interface WorkloadOptions {
  readonly seed: number | string
  readonly count: number
  /** Records of 100 KiB to 1 MiB among them; default 0. */
  readonly largeCount?: number
  /** Most data bytes of the other records; default 5,000. */
  readonly maxBytes?: number
}

const KEY_CHARACTERS = 256
const NUL = '\u0000'
const SAME_LENGTH = '\u0001'
const STRANGE_KEYS = [
  'a',
  '0',
  '7',
  '42',
  '4294967294',
  ' ',
  '\t\n',
  NUL,
  '__proto__',
  'constructor',
  'toString',
  '-1',
  '1e3',
  'élève',
  '顧客',
  '👩‍👩‍👧 🚀',
  '\ufeffbom',
  '\uffff',
  'k'.repeat(KEY_CHARACTERS),
  '漢'.repeat(KEY_CHARACTERS)
]
const EDGE_HASH_KEYS = [0n, 1n, 1n << 127n, (1n << 127n) - 1n, MAX_HASH_KEY]
const DEFAULT_MAX_BYTES = 5_000
const LARGE_BYTES = 102_400
const SINGLE_KEY = 'one key for many'

/** Returns `count` user records in the order in which they are put. */
export function workload(options: WorkloadOptions): UserRecord[] {
  const { seed, count, largeCount = 0 } = options
  const random = seededRandom(`referee/${seed}`)
  const largeEvery = largeCount === 0 ? Number.POSITIVE_INFINITY : Math.floor(count / largeCount)
  return Array.from({ length: count }, (_, i) => {
    const partitionKey = keyOf(i, random)
    const isLarge = i % largeEvery === largeEvery - 1
    const roomBytes = MEBIBYTE - Buffer.byteLength(partitionKey)
    const bytes = isLarge ? largeBytes(i, random, roomBytes) : smallBytes(random, options)
    return { partitionKey, explicitHashKey: hashKeyOf(random), data: dataOf(`${seed}/${i}`, bytes) }
  })
}

/** Returns the same user records without the character U+0000, at which the KPL cuts the key of a plain record. */
export function withoutNulKeys(records: readonly UserRecord[]): UserRecord[] {
  return records.map(record => ({ ...record, partitionKey: record.partitionKey.replaceAll(NUL, SAME_LENGTH) }))
}

function keyOf(i: number, random: SeededRandom): string {
  const kind = random()
  if (kind < 0.2) return pick(STRANGE_KEYS, random)
  if (kind < 0.4) return SINGLE_KEY
  return kind < 0.7 ? `customer-${Math.floor(random() * 50)}` : `order-${i}`
}

function hashKeyOf(random: SeededRandom): string | undefined {
  const kind = random()
  if (kind < 0.6) return undefined
  if (kind < 0.85) return String(pick(EDGE_HASH_KEYS, random))
  return String(BigInt(`0x${createHash('md5').update(String(random())).digest('hex')}`))
}

/** Half of the records are small; one in ten is empty. */
function smallBytes(random: SeededRandom, { maxBytes = DEFAULT_MAX_BYTES }: WorkloadOptions): number {
  const kind = random()
  if (kind < 0.1) return 0
  return Math.floor(random() * (kind < 0.6 ? Math.min(maxBytes, 200) : maxBytes))
}

/** The first large record is as large as Kinesis takes. */
function largeBytes(i: number, random: SeededRandom, roomBytes: number): number {
  return i % 2 === 1 ? roomBytes : LARGE_BYTES + Math.floor(random() * (roomBytes - LARGE_BYTES))
}

/** Bytes of every value, different for each record. */
function dataOf(name: string, bytes: number): Buffer {
  const block = createHash('sha512').update(name).digest()
  const data = Buffer.alloc(bytes)
  for (let at = 0; at < bytes; at += block.length) block.copy(data, at)
  return data
}

function pick<Item>(items: readonly Item[], random: SeededRandom): Item {
  return items[Math.floor(random() * items.length)]!
}
