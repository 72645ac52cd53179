/**
 * Decodes a CBOR request (RFC 8949) to plain values: maps as objects, byte strings as copies, tags skipped, except
 * times.
 * Invariant: throws SerializationException for whatever is not one whole item, before it allocates more than the body has.
 */
import { FakeServiceError } from './service-error.ts'

const MAX_DEPTH = 32
const UINT32_SPAN = 2n ** 32n
const MS_PER_SECOND = 1000
/** Tag of a time. In AWS's CBOR it is a number of milliseconds since 1970. Source: CBOR of the AWS SDK for Java 2.x. */
export const TIME_TAG = 1

/** The end mark of an item of indefinite length. */
const BREAK = Symbol('break')

/** Returns the value of `body`. Times become seconds, as they are in JSON. O(bytes). */
export function decodeCborItem(body: Buffer): unknown {
  const decoder = new CborDecoder(body)
  const value = decoder.item(0)
  if (value === BREAK || !decoder.isAtEnd) throw notCbor()
  return value
}

class CborDecoder {
  readonly #body: Buffer
  #at = 0

  constructor(body: Buffer) {
    this.#body = body
  }

  get isAtEnd(): boolean {
    return this.#at === this.#body.length
  }

  item(depth: number): unknown {
    if (depth > MAX_DEPTH) throw notCbor()
    const first = this.#take(1)[0]!
    const kind = first >> 5
    const info = first & 0x1f
    if (kind === 7) return this.#simple(info)
    if (info === 31 && kind >= 2 && kind <= 5) return this.#indefinite(kind, depth)
    const argument = this.#argument(info)
    switch (kind) {
      case 0:
        return argument
      case 1:
        return -1 - argument
      case 2:
        return Uint8Array.from(this.#take(argument))
      case 3:
        return this.#take(argument).toString('utf8')
      case 4:
        return this.#list(this.#bounded(argument, 1), depth)
      case 5:
        return this.#structure(this.#bounded(argument, 2), depth)
      default:
        return this.#tagged(argument, depth)
    }
  }

  #indefinite(kind: number, depth: number): unknown {
    if (kind === 4) return this.#list(undefined, depth)
    if (kind === 5) return this.#structure(undefined, depth)
    const parts: Uint8Array[] = []
    while (this.#body[this.#at] !== 0xff) {
      const head = this.#take(1)[0]!
      if (head >> 5 !== kind) throw notCbor()
      parts.push(this.#take(this.#argument(head & 0x1f)))
    }
    this.#at++
    const whole = Buffer.concat(parts)
    return kind === 3 ? whole.toString('utf8') : Uint8Array.from(whole)
  }

  #list(count: number | undefined, depth: number): unknown[] {
    const items: unknown[] = []
    while (count === undefined || items.length < count) {
      const item = this.item(depth + 1)
      if (item === BREAK) {
        if (count === undefined) return items
        throw notCbor()
      }
      items.push(item)
    }
    return items
  }

  #structure(count: number | undefined, depth: number): object {
    const members: [string, unknown][] = []
    while (count === undefined || members.length < count) {
      const name = this.item(depth + 1)
      if (name === BREAK && count === undefined) break
      const value = this.item(depth + 1)
      if (typeof name !== 'string' || value === BREAK) throw notCbor()
      members.push([name, value])
    }
    // Own properties, whatever they are called.
    return Object.fromEntries(members)
  }

  #tagged(tag: number, depth: number): unknown {
    const value = this.item(depth + 1)
    if (value === BREAK) throw notCbor()
    return tag === TIME_TAG && typeof value === 'number' ? value / MS_PER_SECOND : value
  }

  #simple(info: number): unknown {
    switch (info) {
      case 20:
        return false
      case 21:
        return true
      case 22:
      case 23:
        return undefined
      case 26:
        return this.#take(4).readFloatBE()
      case 27:
        return this.#take(8).readDoubleBE()
      case 31:
        return BREAK
      default:
        throw notCbor()
    }
  }

  #argument(info: number): number {
    if (info < 24) return info
    switch (info) {
      case 24:
        return this.#take(1)[0]!
      case 25:
        return this.#take(2).readUInt16BE()
      case 26:
        return this.#take(4).readUInt32BE()
      case 27: {
        const bytes = this.#take(8)
        return Number(BigInt(bytes.readUInt32BE()) * UINT32_SPAN + BigInt(bytes.readUInt32BE(4)))
      }
      default:
        throw notCbor()
    }
  }

  /** A count of items that each need `minBytes` cannot exceed what is left. */
  #bounded(count: number, minBytes: number): number {
    if (count * minBytes > this.#body.length - this.#at) throw notCbor()
    return count
  }

  #take(byteCount: number): Buffer {
    const end = this.#at + byteCount
    if (end > this.#body.length) throw notCbor()
    const bytes = this.#body.subarray(this.#at, end)
    this.#at = end
    return bytes
  }
}

function notCbor(): FakeServiceError {
  return new FakeServiceError('SerializationException', 'The body is not CBOR.')
}
