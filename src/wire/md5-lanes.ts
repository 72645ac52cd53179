/**
 * MD5 of eight messages at once, in WebAssembly SIMD. MD5 is a chain, so one message cannot be hashed faster than the chain goes;
 * but four messages go side by side in a vector, and while one vector waits for its step another goes on. Eight of 51,200 bytes
 * take 0.17 ms, node:crypto 0.47 ms (`npm run bench -- md5`). Four lanes are 1.5 times as fast, sixteen need more registers.
 * The module is emitted at first use from the tables of RFC 1321, which are those of `digest.ts`: there is no binary to trust.
 * Invariant: the digest of every message is node:crypto's; nothing of a message is kept.
 *
 *   memory = 8 lanes of 16 KiB | state: a, b, c, d for each vector | T[64], four times each | the words of the block, by vector
 */
import { ROTATIONS, STEPS } from './digest.ts'

/** Messages at a time. */
export const LANES = 8

const BLOCK_BYTES = 64
const BLOCK_WORDS = 16
/** Lanes of one vector; two vectors side by side, for while one waits for a step the other goes on. */
const VECTOR_LANES = 4
const GROUPS = LANES / VECTOR_LANES
const LANE_BYTES = 16_384
const LANE_BLOCKS = LANE_BYTES / BLOCK_BYTES
const STATE_AT = LANES * LANE_BYTES
const VECTOR_BYTES = 16
const STATE_WORDS = 4
const WORD_BYTES = 4
const PAGES = 3
const TABLE_AT = STATE_AT + GROUPS * STATE_WORDS * VECTOR_BYTES
const WORDS_AT = TABLE_AT + 64 * VECTOR_BYTES
const END_MARK = 0x80
/** The mark and the length in bits. */
const PADDING_BYTES = 9
const BITS_PER_BYTE = 8
const WORD_SPAN = 2 ** 32
const INITIAL = [0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476]

/** What is hashed, and where its 16 bytes of digest go. */
export interface DigestJob {
  readonly message: Uint8Array
  readonly target: Uint8Array
  readonly targetAt: number
}

/** Hashes up to `LANES` messages together. Its work is that of the longest, whatever the others are. */
export type HashLanes = (jobs: readonly DigestJob[]) => void

/** What is used of the host's WebAssembly, which the types of Node.js do not have as a value. */
interface WebAssemblyHost {
  readonly Module: new (bytes: Uint8Array) => object
  readonly Instance: new (module: object) => { readonly exports: LaneExports }
}

/** What the module below exports. */
interface LaneExports {
  readonly memory: { readonly buffer: ArrayBuffer }
  mix(blockCount: number): void
}

/** Returns the function that hashes, or undefined on a host without WebAssembly or its SIMD. Takes about 4 ms. */
export function compileLanes(): HashLanes | undefined {
  const { WebAssembly: host } = globalThis as { readonly WebAssembly?: WebAssemblyHost }
  if (host === undefined) return undefined
  try {
    const { exports } = new host.Instance(new host.Module(moduleBytes()))
    const bytes = new Uint8Array(exports.memory.buffer)
    const table = new DataView(exports.memory.buffer, TABLE_AT)
    for (const [step, value] of STEPS.entries()) {
      for (let lane = 0; lane < VECTOR_LANES; lane++)
        table.setInt32(step * VECTOR_BYTES + lane * WORD_BYTES, value, true)
    }
    return jobs => hashTogether(jobs, bytes, exports.mix)
  } catch {
    // Not swallowed: a host without SIMD has another way.
    return undefined
  }
}

function hashTogether(jobs: readonly DigestJob[], memory: Uint8Array, mix: (blockCount: number) => void): void {
  const state = new DataView(memory.buffer, STATE_AT)
  for (let lane = 0; lane < LANES; lane++) {
    for (const [word, value] of INITIAL.entries()) state.setUint32(stateAt(word, lane), value, true)
  }
  const blockCounts = jobs.map(({ message }) => Math.ceil((message.length + PADDING_BYTES) / BLOCK_BYTES))
  const lastBlock = Math.max(...blockCounts)
  for (let doneBlocks = 0; doneBlocks < lastBlock; ) {
    // A lane's state is read when its message ends, so no step goes beyond an end.
    const nextEnd = Math.min(...blockCounts.filter(blockCount => blockCount > doneBlocks))
    const stepBlocks = Math.min(LANE_BLOCKS, nextEnd - doneBlocks)
    for (const [lane, { message }] of jobs.entries()) {
      if (blockCounts[lane]! > doneBlocks) copyIn(memory, lane * LANE_BYTES, message, doneBlocks, stepBlocks)
    }
    mix(stepBlocks)
    doneBlocks += stepBlocks
    for (const [lane, { target, targetAt }] of jobs.entries()) {
      if (blockCounts[lane] === doneBlocks) writeDigest(memory, lane, target, targetAt)
    }
  }
}

/** Copies blocks of a message, with its end as RFC 1321 pads it. */
function copyIn(memory: Uint8Array, at: number, message: Uint8Array, fromBlock: number, blockCount: number): void {
  const from = fromBlock * BLOCK_BYTES
  const to = from + blockCount * BLOCK_BYTES
  memory.set(message.subarray(from, Math.min(to, message.length)), at)
  if (to <= message.length) return
  const end = at + to - from
  const markAt = at + message.length - from
  memory.fill(0, Math.max(at, markAt), end)
  if (markAt >= at) memory[markAt] = END_MARK
  if (to < message.length + PADDING_BYTES) return
  const bits = message.length * BITS_PER_BYTE
  const view = new DataView(memory.buffer, end - 2 * WORD_BYTES)
  view.setUint32(0, bits % WORD_SPAN, true)
  view.setUint32(WORD_BYTES, Math.floor(bits / WORD_SPAN), true)
}

/** Where a word of a lane's state stands, from `STATE_AT` on. */
function stateAt(word: number, lane: number): number {
  const group = Math.floor(lane / VECTOR_LANES)
  return (group * STATE_WORDS + word) * VECTOR_BYTES + (lane % VECTOR_LANES) * WORD_BYTES
}

function writeDigest(memory: Uint8Array, lane: number, target: Uint8Array, targetAt: number): void {
  for (let word = 0; word < STATE_WORDS; word++) {
    const from = STATE_AT + stateAt(word, lane)
    for (let i = 0; i < WORD_BYTES; i++) target[targetAt + word * WORD_BYTES + i] = memory[from + i]!
  }
}

// The module. Opcodes: WebAssembly core specification 2.0, binary format, sections 5.4 and 5.5.

const I32 = 0x7f
const V128 = 0x7b
const LOCAL_GET = 0x20
const LOCAL_SET = 0x21
const I32_CONST = 0x41
const SIMD = 0xfd
const END = 0x0b
/** Locals: the parameter, a pointer, then vectors. */
const BLOCK_COUNT = 0
const POINTER = 1
const STATE = 2
const STATES = GROUPS * STATE_WORDS
const FORMER = STATE + STATES
const SUM = FORMER + STATES
const VECTOR_LOCALS = SUM - STATE + GROUPS

function moduleBytes(): Uint8Array<ArrayBuffer> {
  const body = [2, 1, I32, VECTOR_LOCALS, V128, ...code(), END]
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
    ...section(1, [1, 0x60, 1, I32, 0]),
    ...section(3, [1, 0]),
    ...section(5, [1, 0x00, PAGES]),
    ...section(7, [2, ...named('memory'), 2, 0, ...named('mix'), 0, 0]),
    ...section(10, [1, ...unsigned(body.length), ...body])
  ])
}

/** mix(blockCount): for each block of all lanes, 64 steps on a, b, c, d. */
function code(): number[] {
  const states = Array.from({ length: STATES }, (_, i) => i)
  const groups = Array.from({ length: GROUPS }, (_, group) => group)
  const words = Array.from({ length: BLOCK_WORDS }, (_, word) => word)
  return [
    ...states.flatMap(i => [I32_CONST, 0, ...simd(0x00), ...memory(STATE_AT + i * VECTOR_BYTES, 4), ...set(STATE + i)]),
    ...[0x03, 0x40],
    ...words.flatMap(word => groups.flatMap(group => storeWord(word, group))),
    ...states.flatMap(i => [...get(STATE + i), ...set(FORMER + i)]),
    ...Array.from({ length: STEPS.length }, (_, step) => groups.flatMap(group => stepCode(step, group))).flat(),
    ...states.flatMap(i => [...get(STATE + i), ...get(FORMER + i), ...simd(0xae), ...set(STATE + i)]),
    // pointer += 64; again while --blockCount
    ...[...get(POINTER), I32_CONST, ...signed(BLOCK_BYTES), 0x6a, ...set(POINTER)],
    ...[...get(BLOCK_COUNT), I32_CONST, 1, 0x6b, 0x22, BLOCK_COUNT, 0x0d, 0, END],
    ...states.flatMap(i => [I32_CONST, 0, ...get(STATE + i), ...simd(0x0b), ...memory(STATE_AT + i * VECTOR_BYTES, 4)])
  ]
}

/** Puts one word of the block side by side for the lanes of a group. */
function storeWord(word: number, group: number): number[] {
  const at = (lane: number): number[] => memory((group * VECTOR_LANES + lane) * LANE_BYTES + word * WORD_BYTES, 2)
  const pointers = Array.from({ length: VECTOR_LANES }, () => get(POINTER)).flat()
  const others = [1, 2, 3].flatMap(lane => [...simd(0x56), ...at(lane), lane])
  return [
    I32_CONST,
    0,
    ...pointers,
    ...simd(0x5c),
    ...at(0),
    ...others,
    ...simd(0x0b),
    ...memory(wordAt(word, group), 4)
  ]
}

function wordAt(word: number, group: number): number {
  return WORDS_AT + (word * GROUPS + group) * VECTOR_BYTES
}

/** a = b + rotate(a + mixed(b, c, d) + word + T[step]); then a, b, c, d turn. */
function stepCode(step: number, group: number): number[] {
  const round = step >> 4
  const [a, b, c, d] = [0, 1, 2, 3].map(
    i => STATE + group * STATE_WORDS + ((i - step + STEPS.length) % STATE_WORDS)
  ) as [number, number, number, number]
  const word = [step, 5 * step + 1, 3 * step + 5, 7 * step][round]! % BLOCK_WORDS
  const rotation = ROTATIONS[round * 4 + (step % 4)]!
  const ADD = simd(0xae)
  const sum = SUM + group
  // What does not wait for the step before comes first: the chain from b to b is what takes the time.
  return [
    ...[...get(a), ...load(wordAt(word, group)), ...ADD, ...load(TABLE_AT + step * VECTOR_BYTES), ...ADD],
    ...[...mixed(round, b, c, d), ...ADD, ...set(sum)],
    ...[...get(sum), I32_CONST, rotation, ...simd(0xab), ...get(sum), I32_CONST, 32 - rotation, ...simd(0xad)],
    ...[...simd(0x50), ...get(b), ...ADD, ...set(a)]
  ]
}

function load(at: number): number[] {
  return [I32_CONST, 0, ...simd(0x00), ...memory(at, 4)]
}

/** F, G, H and I of RFC 1321; bitselect takes the first where the mask is set, and the second where it is not. */
function mixed(round: number, b: number, c: number, d: number): number[] {
  const [XOR, OR, NOT, BITSELECT] = [simd(0x51), simd(0x50), simd(0x4d), simd(0x52)]
  if (round === 0) return [...get(c), ...get(d), ...get(b), ...BITSELECT]
  if (round === 1) return [...get(b), ...get(c), ...get(d), ...BITSELECT]
  if (round === 2) return [...get(b), ...get(c), ...XOR, ...get(d), ...XOR]
  return [...get(c), ...get(b), ...get(d), ...NOT, ...OR, ...XOR]
}

function get(local: number): number[] {
  return [LOCAL_GET, local]
}

function set(local: number): number[] {
  return [LOCAL_SET, local]
}

function simd(opcode: number): number[] {
  return [SIMD, ...unsigned(opcode)]
}

/** Alignment as a power of two, and offset. */
function memory(offset: number, alignment: number): number[] {
  return [alignment, ...unsigned(offset)]
}

function section(id: number, content: readonly number[]): number[] {
  return [id, ...unsigned(content.length), ...content]
}

function named(name: string): number[] {
  return [name.length, ...Buffer.from(name)]
}

/** LEB128. */
function unsigned(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...unsigned(value >>> 7)]
}

function signed(value: number): number[] {
  const isLast = value >= -0x40 && value < 0x40
  return isLast ? [value & 0x7f] : [(value & 0x7f) | 0x80, ...signed(value >> 7)]
}
