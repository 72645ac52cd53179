/**
 * Reads CBOR (RFC 8949) of another encoder, item by item, and builds only the items that a caller asks for.
 * Invariant: never reads past the end, never allocates more than the bytes that are there, never nests deeper than
 * `MAX_DEPTH`; whatever is malformed or of another kind than asked for is a SyntaxError, and nothing else is thrown.
 */

/** Far more than any answer has; each level of nesting, and each tag, is one. */
export const MAX_DEPTH = 16

const UNSIGNED = 0
const BYTES = 2
const TEXT = 3
const ARRAY = 4
const MAP = 5
const TAG = 6
const SIMPLE = 7
const INDEFINITE = 31
const BREAK = 0xff
const NULL = 0xf6
const UNDEFINED = 0xf7
const UINT32_SPAN = 4_294_967_296

export class CborReader {
  readonly #bytes: Buffer
  #at = 0
  #depth = 0
  /** Kind and count of the head read last; a count of -1: the length is indefinite. */
  #kind = 0
  #count = 0

  /** `bytes` are not copied. */
  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  /** Reads a map: `onMember` is called for each name and must read or skip its value. */
  readMap(onMember: (name: string) => void): void {
    this.#readTo(MAP, 'a map')
    this.#each(2, () => onMember(this.#text()))
  }

  /** As `readMap`, for expected names: `onMember` gets the index of the name, -1 for another one. No name becomes a string. */
  readMapOf(names: readonly Uint8Array[], onMember: (index: number) => void): void {
    this.#readTo(MAP, 'a map')
    this.#each(2, () => onMember(this.#name(names)))
  }

  /** Reads an array of at most `maxCount` items: `onItem` must read or skip one. */
  readArray(maxCount: number, onItem: () => void): void {
    this.#readTo(ARRAY, 'an array')
    let count = 0
    this.#each(1, () => {
      if (++count > maxCount) throw malformed(`an array has more than ${maxCount} items`)
      onItem()
    })
  }

  /** Returns a text, or undefined for CBOR's null and undefined. */
  readText(): string | undefined {
    return this.#skipsNothing() ? undefined : this.#text()
  }

  /** Returns a number from 0 on, or undefined for CBOR's null and undefined. Inexact above 2^53. */
  readCount(): number | undefined {
    if (this.#skipsNothing()) return undefined
    this.#readTo(UNSIGNED, 'an unsigned integer')
    return this.#count
  }

  /** Passes over one item, whatever it is. */
  skip(): void {
    this.#readHead()
    switch (this.#kind) {
      case BYTES:
      case TEXT:
        this.#chunks(this.#kind, () => {})
        break
      case ARRAY:
        this.#each(1, () => this.skip())
        break
      case MAP:
        this.#each(2, () => {
          // Names of the API are texts, also in fields that no caller reads.
          this.#readTo(TEXT, 'a text')
          this.#chunks(TEXT, () => {})
          this.skip()
        })
        break
      case TAG:
        this.#nested(() => this.skip())
        break
      default:
        // A number or a simple value: its head is all of it.
        break
    }
  }

  /** SyntaxError when anything is left. */
  end(): void {
    if (this.#at !== this.#bytes.length) throw malformed('something follows the item')
  }

  /** Reads a head of `kind`, past any tags. */
  #readTo(kind: number, name: string): void {
    this.#readHead()
    for (let tagCount = 0; this.#kind === TAG; tagCount++) {
      if (tagCount === MAX_DEPTH) throw malformed('too many tags')
      this.#readHead()
    }
    if (this.#kind !== kind) throw malformed(`${name} is expected`)
  }

  #text(): string {
    this.#readTo(TEXT, 'a text')
    if (this.#count >= 0) return this.#bytes.toString('utf8', this.#at, this.#pass(this.#count))
    return this.#joined().toString('utf8')
  }

  #name(names: readonly Uint8Array[]): number {
    this.#readTo(TEXT, 'a text')
    const isWhole = this.#count >= 0
    const bytes = isWhole ? this.#bytes : this.#joined()
    const start = isWhole ? this.#at : 0
    const end = isWhole ? this.#pass(this.#count) : bytes.length
    for (let i = 0; i < names.length; i++) if (isAt(bytes, start, end, names[i]!)) return i
    return -1
  }

  /** After the head of a text of indefinite length. */
  #joined(): Buffer {
    const parts: Buffer[] = []
    this.#chunks(TEXT, (start, end) => parts.push(this.#bytes.subarray(start, end)))
    return Buffer.concat(parts)
  }

  /** After the head of a string: its one chunk, or its chunks of definite length up to the break. */
  #chunks(kind: number, onChunk: (start: number, end: number) => void): void {
    if (this.#count >= 0) {
      onChunk(this.#at, this.#pass(this.#count))
      return
    }
    while (!this.#skipsBreak()) {
      this.#readHead()
      if (this.#kind !== kind || this.#count < 0) throw malformed('a string has a chunk of another kind')
      onChunk(this.#at, this.#pass(this.#count))
    }
  }

  /** After the head of an array or a map: calls `read` for each entry of at least `minBytes`. */
  #each(minBytes: number, read: () => void): void {
    const count = this.#count
    // Checked before anything is read, so that no loop is longer than the bytes that are there.
    if (count * minBytes > this.#bytes.length - this.#at) throw malformed('more items than bytes')
    this.#nested(() => {
      if (count < 0) while (!this.#skipsBreak()) read()
      else for (let i = 0; i < count; i++) read()
    })
  }

  #nested(read: () => void): void {
    if (++this.#depth > MAX_DEPTH) throw malformed(`nested deeper than ${MAX_DEPTH}`)
    read()
    this.#depth--
  }

  #readHead(): void {
    const first = this.#byte()
    const info = first & 0x1f
    this.#kind = first >> 5
    if (info < 24) this.#count = info
    else if (info < 28) this.#count = this.#argument(1 << (info - 24))
    else if (info === INDEFINITE && this.#kind >= BYTES && this.#kind <= MAP) this.#count = -1
    else throw malformed('a head that does not exist')
    // Simple values below 32 in two bytes are not well-formed.
    if (this.#kind === SIMPLE && info === 24 && this.#count < 32) throw malformed('a simple value that does not exist')
  }

  /** Big-endian; of 8 bytes as near as a number can be. */
  #argument(byteCount: number): number {
    const start = this.#at
    this.#pass(byteCount)
    if (byteCount < 8) return this.#bytes.readUIntBE(start, byteCount)
    return this.#bytes.readUInt32BE(start) * UINT32_SPAN + this.#bytes.readUInt32BE(start + 4)
  }

  #skipsBreak(): boolean {
    if (this.#at === this.#bytes.length) throw malformed('it ends too early')
    if (this.#bytes[this.#at] !== BREAK) return false
    this.#at++
    return true
  }

  #skipsNothing(): boolean {
    const next = this.#bytes[this.#at]
    if (next !== NULL && next !== UNDEFINED) return false
    this.#at++
    return true
  }

  #byte(): number {
    const at = this.#at
    this.#pass(1)
    return this.#bytes[at]!
  }

  /** Returns where the next `byteCount` bytes end, and goes there. */
  #pass(byteCount: number): number {
    if (byteCount > this.#bytes.length - this.#at) throw malformed('it ends too early')
    this.#at += byteCount
    return this.#at
  }
}

function isAt(bytes: Uint8Array, start: number, end: number, name: Uint8Array): boolean {
  if (end - start !== name.length) return false
  for (let i = 0; i < name.length; i++) if (bytes[start + i] !== name[i]) return false
  return true
}

/** Offsets and bytes are not said: an answer may be anybody's text. */
function malformed(what: string): SyntaxError {
  return new SyntaxError(`Malformed CBOR: ${what}.`)
}
