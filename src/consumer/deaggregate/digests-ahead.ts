/**
 * Checks the digests of a list's records together, in lanes, a few records ahead of the one whose turn it is.
 * Example: the first of 100 aggregates is opened -> its digest is checked together with those of the next 31 -> each of those, when
 * its turn comes, is read as if it were alone, and finds its digest checked and its base64 decoded.
 * Invariant: the answers are those of one by one. A record's fields are read again at its turn, and what was found ahead counts only for
 * the same text or the same memory. A read that may run foreign code waits for its turn: lists other than arrays, and getters.
 */
import { isBytes } from '../../wire/bytes.ts'
import { hasFrame, isEnvelope } from '../../wire/decode.ts'
import { haveRightDigests } from '../../wire/envelope-digest.ts'
import { bytesOf } from './given-data.ts'
import { decodedBase64 } from './kinesis-record.ts'
import type { RecordAccess } from './members.ts'

/** Four rounds of lanes of equal records. */
const MAX_COUNT = 32
/** Most bytes that are decoded before their turn. */
const MAX_BYTES = 2 * 1024 * 1024
const BYTES_PER_DIGIT = 3 / 4
/** The magic as base64, without the digit that it shares with the byte behind it. */
const MAGIC_TEXT = '84maw'

/** A record with a frame that was looked at before its turn. */
interface Ahead {
  readonly index: number
  readonly bytes: Uint8Array
  /** The base64 that the bytes were decoded from. */
  readonly text: string | undefined
  hasRightDigest: boolean
}

export class DigestsAhead implements RecordAccess {
  readonly #records: readonly unknown[]
  /** The record that has its turn. */
  #index = 0
  /** In the order of the list; the first is the next one whose turn comes. */
  readonly #ahead: Ahead[] = []

  constructor(records: Iterable<unknown>) {
    this.#records = Array.isArray(records) ? records : []
  }

  /** Forgets what was found of the records before this one. */
  turnTo(index: number): void {
    this.#index = index
    while (this.#ahead.length > 0 && this.#ahead[0]!.index < index) this.#ahead.shift()
  }

  readonly decoded = (text: string): Uint8Array => {
    const ahead = this.#current
    return ahead?.text === text ? ahead.bytes : decodedBase64(text)
  }

  readonly isEnvelope = (bytes: Uint8Array): boolean => {
    const ahead = this.#current
    if (ahead !== undefined && isSameMemory(ahead.bytes, bytes)) return ahead.hasRightDigest
    return hasFrame(bytes) && this.#check(bytes)
  }

  get #current(): Ahead | undefined {
    const ahead = this.#ahead[0]
    return ahead?.index === this.#index ? ahead : undefined
  }

  /** Checks the record whose turn it is and those that follow it, as far as the bounds go. */
  #check(bytes: Uint8Array): boolean {
    this.#ahead.length = 0
    const checked: Ahead[] = [{ index: this.#index, bytes, text: undefined, hasRightDigest: false }]
    let leftBytes = MAX_BYTES - bytes.length
    const end = Math.min(this.#records.length, this.#index + MAX_COUNT)
    for (let index = this.#index + 1; index < end; index++) {
      const ahead = look(this.#records, index, leftBytes)
      if (ahead === 'too large') break
      if (ahead === undefined) continue
      leftBytes -= ahead.bytes.length
      checked.push(ahead)
    }
    try {
      const areRight = haveRightDigests(checked.map(one => one.bytes))
      for (const [at, one] of checked.entries()) one.hasRightDigest = areRight[at]!
    } catch {
      // Not swallowed: a proxy took the memory of a record away when it was looked at, so each waits for its turn.
      return isEnvelope(bytes)
    }
    this.#ahead.push(...checked)
    return checked[0]!.hasRightDigest
  }
}

/** Returns the record if it has a frame; undefined for all that must wait for its turn. */
function look(records: readonly unknown[], index: number, maxBytes: number): Ahead | 'too large' | undefined {
  try {
    const data = dataOf(own(records, index))
    const text = typeof data === 'string' ? data : undefined
    if (text !== undefined && !text.startsWith(MAGIC_TEXT)) return undefined
    if (text !== undefined && text.length * BYTES_PER_DIGIT > maxBytes) return 'too large'
    if (text === undefined && !isBytes(data)) return undefined
    const bytes = text === undefined ? bytesOf(data) : bytesOf(decodedBase64(text))
    if (!hasFrame(bytes)) return undefined
    return bytes.length > maxBytes ? 'too large' : { index, bytes, text, hasRightDigest: false }
  } catch {
    // Not swallowed: it is no record, or it cannot be read, which is said when its turn comes.
    return undefined
  }
}

/** The data of a record, by the names of `AnyKinesisRecord`. */
function dataOf(record: unknown): unknown {
  if (isBytes(record)) return record
  const fields = own(record, 'kinesis') ?? record
  return own(fields, 'Data') ?? own(fields, 'data')
}

/** The value of a field that is no getter. Throws for what has no fields. */
function own(of: unknown, name: string | number): unknown {
  return Object.getOwnPropertyDescriptor(of, name)?.value
}

function isSameMemory(one: Uint8Array, other: Uint8Array): boolean {
  return one.buffer === other.buffer && one.byteOffset === other.byteOffset && one.length === other.length
}
