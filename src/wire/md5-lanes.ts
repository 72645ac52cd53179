/**
 * MD5 of many byte strings at once, up to eight side by side in WebAssembly SIMD (`md5-module.ts`).
 * A lane takes a string, copies a chunk of it into its part of one page of memory, and takes the next string when it is done;
 * all lanes advance by as many blocks as the shortest has left. Lanes without a string compute a result that no code reads.
 * Invariant: equal to node:crypto for every length; no string is kept after the call. Twin: node:crypto, in the tests.
 */
import { DIGEST_BYTES } from './format.ts'
import { CHUNK_BYTES, LANE_COUNT, type Md5Exports, md5Module, STATE_AT } from './md5-module.ts'
import { BLOCK_BYTES, END_MARK, INITIAL_STATE, LENGTH_BYTES, WORD_BYTES } from './md5-table.ts'

/** Of the host's WebAssembly what is used here; Node.js has none with --jitless. */
declare const WebAssembly:
  | {
      readonly Module: new (bytes: Uint8Array) => object
      readonly Instance: new (module: object) => { readonly exports: Md5Exports }
    }
  | undefined

const VECTOR_LANES = 4
/** The least bytes of the end mark and the length. */
const END_BYTES = 1 + LENGTH_BYTES
const NOTHING = new Uint8Array(0)

/** The state of one lane. */
interface Lane {
  readonly chunkAt: number
  /** Where A of this lane stands among the words of memory; B, C and D stand each four words further. */
  readonly stateIndex: number
  isBusy: boolean
  /** The string, its length as it was measured once, and its place in the list. */
  bytes: Uint8Array
  length: number
  index: number
  copiedBytes: number
  /** Where the next block stands in memory, and how many there are from there. */
  blockAt: number
  blockCount: number
  /** Whether the end mark is in one of these blocks. */
  hasEnd: boolean
}

/** Returns the lanes; undefined on a host without WebAssembly or without its vectors. Takes 3 to 9 ms, most of it to emit the module. */
export function compileLanes(): Md5Lanes | undefined {
  if (typeof WebAssembly === 'undefined' || !isLittleEndian()) return undefined
  try {
    return new Md5Lanes(new WebAssembly.Instance(new WebAssembly.Module(md5Module())).exports)
  } catch {
    // Not swallowed: there are no vectors, or no address space; node:crypto gives the same digests.
    return undefined
  }
}

export class Md5Lanes {
  readonly #exports: Md5Exports
  readonly #memory: Uint8Array
  readonly #words: Uint32Array
  readonly #lanes: readonly Lane[]

  constructor(exports: Md5Exports) {
    this.#exports = exports
    this.#memory = new Uint8Array(exports.memory.buffer)
    this.#words = new Uint32Array(exports.memory.buffer)
    this.#lanes = Array.from({ length: LANE_COUNT }, (_, lane) => idleLane(lane))
  }

  /** Writes the digest of `pieces[i]` to `digests` from `16 * i`, for each `i` of `order`. Pieces are plain views. */
  digest(pieces: readonly Uint8Array[], order: readonly number[], digests: Uint8Array): void {
    let next = 0
    try {
      for (const lane of this.#lanes) {
        if (next < order.length) this.#start(lane, pieces, order[next++]!)
      }
      while (this.#advance()) {
        for (const lane of this.#lanes) {
          if (!lane.isBusy || lane.blockCount > 0) continue
          if (lane.hasEnd) {
            this.#writeDigest(lane, digests)
            if (next < order.length) this.#start(lane, pieces, order[next++]!)
            else release(lane)
          } else this.#copyChunk(lane)
        }
      }
    } finally {
      for (const lane of this.#lanes) release(lane)
    }
  }

  #start(lane: Lane, pieces: readonly Uint8Array[], index: number): void {
    lane.isBusy = true
    lane.bytes = pieces[index]!
    lane.length = lane.bytes.length
    lane.index = index
    lane.copiedBytes = 0
    for (let i = 0; i < INITIAL_STATE.length; i++) this.#words[lane.stateIndex + i * VECTOR_LANES] = INITIAL_STATE[i]!
    this.#copyChunk(lane)
  }

  /** Runs to the end of the shortest chunk; false: no lane is busy. */
  #advance(): boolean {
    let blockCount = Number.POSITIVE_INFINITY
    let isUpperBusy = false
    for (let i = 0; i < LANE_COUNT; i++) {
      const lane = this.#lanes[i]!
      if (!lane.isBusy) continue
      if (lane.blockCount < blockCount) blockCount = lane.blockCount
      if (i >= VECTOR_LANES) isUpperBusy = true
    }
    if (blockCount === Number.POSITIVE_INFINITY) return false
    const [a, b, c, d, e, f, g, h] = this.#lanes as readonly [Lane, Lane, Lane, Lane, Lane, Lane, Lane, Lane]
    if (!isUpperBusy) this.#exports.four(a.blockAt, b.blockAt, c.blockAt, d.blockAt, blockCount)
    else {
      const { eight } = this.#exports
      eight(a.blockAt, b.blockAt, c.blockAt, d.blockAt, e.blockAt, f.blockAt, g.blockAt, h.blockAt, blockCount)
    }
    for (const lane of this.#lanes) {
      if (!lane.isBusy) continue
      lane.blockAt += blockCount * BLOCK_BYTES
      lane.blockCount -= blockCount
    }
    return true
  }

  /** Copies the string's next bytes, whole blocks of them, or all that are left and the end. */
  #copyChunk(lane: Lane): void {
    const leftBytes = lane.length - lane.copiedBytes
    const hasEnd = leftBytes + END_BYTES <= CHUNK_BYTES
    const wholeBytes = Math.min(leftBytes - (leftBytes % BLOCK_BYTES), CHUNK_BYTES)
    const bytes = hasEnd ? leftBytes : wholeBytes
    const { buffer, byteOffset } = lane.bytes
    this.#memory.set(new Uint8Array(buffer, byteOffset + lane.copiedBytes, bytes), lane.chunkAt)
    lane.copiedBytes += bytes
    lane.blockAt = lane.chunkAt
    lane.blockCount = Math.ceil((hasEnd ? bytes + END_BYTES : bytes) / BLOCK_BYTES)
    lane.hasEnd = hasEnd
    if (hasEnd) this.#writeEnd(lane, lane.chunkAt + bytes)
  }

  #writeEnd(lane: Lane, at: number): void {
    const end = lane.blockAt + lane.blockCount * BLOCK_BYTES
    this.#memory[at] = END_MARK
    for (let i = at + 1; i < end - LENGTH_BYTES; i++) this.#memory[i] = 0
    this.#words[end / WORD_BYTES - 2] = lane.length << 3
    this.#words[end / WORD_BYTES - 1] = Math.floor(lane.length / 2 ** 29)
  }

  #writeDigest({ stateIndex, index }: Lane, digests: Uint8Array): void {
    for (let word = 0; word < INITIAL_STATE.length; word++) {
      const from = (stateIndex + word * VECTOR_LANES) * WORD_BYTES
      const to = index * DIGEST_BYTES + word * WORD_BYTES
      for (let byte = 0; byte < WORD_BYTES; byte++) digests[to + byte] = this.#memory[from + byte]!
    }
  }
}

function idleLane(lane: number): Lane {
  const group = Math.floor(lane / VECTOR_LANES)
  return {
    chunkAt: lane * CHUNK_BYTES,
    stateIndex: STATE_AT / WORD_BYTES + group * VECTOR_LANES * INITIAL_STATE.length + (lane % VECTOR_LANES),
    isBusy: false,
    bytes: NOTHING,
    length: 0,
    index: 0,
    copiedBytes: 0,
    // A lane without a string reads its own blocks from the first one, as many as any other lane can have.
    blockAt: lane * CHUNK_BYTES,
    blockCount: 0,
    hasEnd: false
  }
}

function release(lane: Lane): void {
  lane.isBusy = false
  lane.bytes = NOTHING
  lane.blockAt = lane.chunkAt
}

function isLittleEndian(): boolean {
  return new Uint8Array(new Uint16Array([1]).buffer)[0] === 1
}
