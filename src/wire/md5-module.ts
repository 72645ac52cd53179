/**
 * Emits the WebAssembly module that computes MD5 of four or of eight byte strings at once, from the table of RFC 1321.
 * MD5 is a chain: no step can start before the one before it has ended. A vector holds one word of each of four lanes, so
 * four chains advance with one instruction, and two vectors in turn fill the time for which one chain waits.
 * Invariant: memory is one page, and `four` and `eight` read the blocks that their pointers say and the state at `STATE_AT`,
 * and write that state alone. Source of the opcodes: WebAssembly core specification 2.0, section 5.4.
 */
import { BLOCK_BYTES, BLOCK_WORDS, INITIAL_STATE, rotationOfStep, STEP_COUNT, STEPS, wordOfStep } from './md5-table.ts'

export const PAGE_BYTES: number = 64 * 1024
export const LANE_COUNT = 8
/** The room of a lane's blocks, from `lane * CHUNK_BYTES`. */
export const CHUNK_BYTES: number = 127 * BLOCK_BYTES
/** Where A of lanes 0 to 3 stands, then B, C and D, then those of lanes 4 to 7. */
export const STATE_AT: number = LANE_COUNT * CHUNK_BYTES

const VECTOR_BYTES = 16
const VECTOR_LANES = 4
/** As a power of two. */
const VECTOR_ALIGNMENT = 4
const STATE_WORDS = INITIAL_STATE.length

const I32 = 0x7f
const V128 = 0x7b
const FUNCTION = 0x60
const END = 0x0b
const LOOP = [0x03, 0x40]
const REPEAT_IF = [0x0d, 0x00]
const LOCAL_GET = 0x20
const LOCAL_SET = 0x21
const LOCAL_TEE = 0x22
const I32_CONST = 0x41
const I32_ADD = 0x6a
const I32_SUB = 0x6b
const LOAD = [0xfd, 0x00]
const STORE = [0xfd, 0x0b]
const SHUFFLE = [0xfd, 0x0d]
const SPLAT = [0xfd, 0x11]
const NOT = [0xfd, 0x4d]
const AND = [0xfd, 0x4e]
const AND_NOT = [0xfd, 0x4f]
const OR = [0xfd, 0x50]
const XOR = [0xfd, 0x51]
const BIT_SELECT = [0xfd, 0x52]
const SHIFT_LEFT = [0xfd, 0xab, 0x01]
const SHIFT_RIGHT = [0xfd, 0xad, 0x01]
const ADD = [0xfd, 0xae, 0x01]

/** Locals of one group of four lanes. */
interface Group {
  readonly firstLane: number
  readonly stateAt: number
  /** A, B, C and D of the four lanes. */
  readonly state: readonly number[]
  readonly before: readonly number[]
  readonly words: readonly number[]
  readonly loaded: readonly number[]
  readonly sum: number
}

/** The exports of the module. Arguments: a pointer for each lane, then the number of blocks of each. */
export interface Md5Exports {
  readonly memory: { readonly buffer: ArrayBuffer }
  readonly four: (...pointersAndCount: number[]) => void
  readonly eight: (...pointersAndCount: number[]) => void
}

/** Returns the bytes of the module: about 15 kB, in 2 to 5 ms. */
export function md5Module(): Uint8Array<ArrayBuffer> {
  const widths = [VECTOR_LANES, LANE_COUNT]
  const types = widths.map(lanes => [FUNCTION, lanes + 1, ...Array<number>(lanes + 1).fill(I32), 0])
  const memory = [0x01, 1, 1]
  const exported = [exportOf('memory', 2, 0), exportOf('four', 0, 0), exportOf('eight', 0, 1)]
  const bodies = widths.map(lanes => new LanesFunction(lanes).body())
  return new Uint8Array([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, types),
    ...section(3, [[0], [1]]),
    ...section(5, [memory]),
    ...section(7, exported),
    ...section(10, bodies)
  ])
}

/** Emits one function. The locals of its lanes are vectors of four, one group of them for each four lanes. */
class LanesFunction {
  readonly #code: number[] = []
  readonly #lanes: number
  readonly #groups: Group[]
  #localCount: number

  constructor(lanes: number) {
    this.#lanes = lanes
    // The parameters are the first locals.
    this.#localCount = lanes + 1
    this.#groups = Array.from({ length: lanes / VECTOR_LANES }, (_, index) => ({
      firstLane: index * VECTOR_LANES,
      stateAt: STATE_AT + index * STATE_WORDS * VECTOR_BYTES,
      state: this.#locals(STATE_WORDS),
      before: this.#locals(STATE_WORDS),
      words: this.#locals(BLOCK_WORDS),
      loaded: this.#locals(VECTOR_LANES),
      sum: this.#locals(1)[0]!
    }))
  }

  body(): number[] {
    const count = this.#lanes
    for (const group of this.#groups) this.#loadState(group)
    this.#put(LOOP)
    for (const group of this.#groups) this.#loadBlock(group)
    // The groups take turns, step by step: while one waits for its sum, the other works.
    for (let i = 0; i < STEP_COUNT; i++) for (const group of this.#groups) this.#step(i, group)
    for (const group of this.#groups) this.#addBefore(group)
    for (let lane = 0; lane < this.#lanes; lane++) {
      this.#get(lane)
      this.#constant(BLOCK_BYTES)
      this.#code.push(I32_ADD, LOCAL_SET, lane)
    }
    this.#get(count)
    this.#constant(1)
    this.#code.push(I32_SUB, LOCAL_TEE, count)
    this.#put(REPEAT_IF, [END])
    for (const group of this.#groups) this.#storeState(group)
    const vectors = this.#localCount - this.#lanes - 1
    const body = [1, vectors, V128, ...this.#code, END]
    return [...unsigned(body.length), ...body]
  }

  #loadState({ state, stateAt }: Group): void {
    state.forEach((local, index) => {
      this.#constant(0)
      this.#memory(LOAD, stateAt + index * VECTOR_BYTES)
      this.#set(local)
    })
  }

  #storeState({ state, stateAt }: Group): void {
    state.forEach((local, index) => {
      this.#constant(0)
      this.#get(local)
      this.#memory(STORE, stateAt + index * VECTOR_BYTES)
    })
  }

  /** Four words of each of four lanes are four vectors with the lane's words; turned round, with the words' lanes. */
  #loadBlock({ firstLane, state, before, words, loaded }: Group): void {
    for (let first = 0; first < BLOCK_WORDS; first += VECTOR_LANES) {
      loaded.forEach((local, lane) => {
        this.#get(firstLane + lane)
        this.#memory(LOAD, first * 4)
        this.#set(local)
      })
      const [a, b, c, d] = loaded as [number, number, number, number]
      const [w, x, y, z] = words.slice(first) as [number, number, number, number]
      this.#shuffle(a, b, [0, 4, 1, 5], w)
      this.#shuffle(c, d, [0, 4, 1, 5], x)
      this.#shuffle(a, b, [2, 6, 3, 7], y)
      this.#shuffle(c, d, [2, 6, 3, 7], z)
      this.#shuffle(w, x, [0, 1, 4, 5], a)
      this.#shuffle(w, x, [2, 3, 6, 7], b)
      this.#shuffle(y, z, [0, 1, 4, 5], c)
      this.#shuffle(y, z, [2, 3, 6, 7], d)
      loaded.forEach((local, index) => {
        this.#get(local)
        this.#set(words[first + index]!)
      })
    }
    state.forEach((local, index) => {
      this.#get(local)
      this.#set(before[index]!)
    })
  }

  /** a = b + rotated(a + f(b, c, d) + word + T[i]); what is a, b, c and d moves on by one with each step. */
  #step(i: number, { state, words, sum }: Group): void {
    const [a, b, c, d] = [0, 1, 2, 3].map(place => state[(place + 3 * i) % STATE_WORDS]!) as typeof state
    this.#get(a!, words[wordOfStep(i)]!)
    this.#put(ADD)
    this.#constant(STEPS[i]!)
    this.#put(SPLAT, ADD)
    this.#mix(i >> 4, b!, c!, d!)
    this.#set(sum)
    this.#get(sum)
    this.#constant(rotationOfStep(i))
    this.#put(SHIFT_LEFT)
    this.#get(sum)
    this.#constant(32 - rotationOfStep(i))
    this.#put(SHIFT_RIGHT, OR)
    this.#get(b!)
    this.#put(ADD)
    this.#set(a!)
  }

  /** Adds the round's function to the sum on the stack. The steps before wait for `b`; what needs no `b` is done meanwhile. */
  #mix(round: number, b: number, c: number, d: number): void {
    if (round === 0) {
      this.#get(c, d, b)
      this.#put(BIT_SELECT)
    } else if (round === 1) {
      // The two halves share no bit, so their sum is what the RFC's OR gives: 5 % faster than a selection by d.
      this.#get(c, d)
      this.#put(AND_NOT, ADD)
      this.#get(b, d)
      this.#put(AND)
    } else if (round === 2) {
      this.#get(c, d)
      this.#put(XOR)
      this.#get(b)
      this.#put(XOR)
    } else {
      this.#get(d)
      this.#put(NOT)
      this.#get(b)
      this.#put(OR)
      this.#get(c)
      this.#put(XOR)
    }
    this.#put(ADD)
  }

  #addBefore({ state, before }: Group): void {
    state.forEach((local, index) => {
      this.#get(local, before[index]!)
      this.#put(ADD)
      this.#set(local)
    })
  }

  #shuffle(left: number, right: number, words: readonly number[], to: number): void {
    this.#get(left, right)
    this.#put(SHUFFLE)
    for (const word of words) for (let byte = 0; byte < 4; byte++) this.#code.push(word * 4 + byte)
    this.#set(to)
  }

  #locals(count: number): number[] {
    const first = this.#localCount
    this.#localCount += count
    return Array.from({ length: count }, (_, index) => first + index)
  }

  #get(...locals: number[]): void {
    for (const local of locals) this.#code.push(LOCAL_GET, local)
  }

  #set(local: number): void {
    this.#code.push(LOCAL_SET, local)
  }

  #constant(value: number): void {
    this.#code.push(I32_CONST)
    signed(this.#code, value)
  }

  /** Vectors stand at multiples of their size. */
  #memory(access: readonly number[], at: number): void {
    this.#put(access, [VECTOR_ALIGNMENT], unsigned(at))
  }

  #put(...parts: (readonly number[])[]): void {
    for (const part of parts) this.#code.push(...part)
  }
}

function section(id: number, items: readonly (readonly number[])[]): number[] {
  const content = [items.length, ...items.flat()]
  return [id, ...unsigned(content.length), ...content]
}

function exportOf(name: string, kind: number, index: number): number[] {
  return [name.length, ...Buffer.from(name), kind, index]
}

/** LEB128, seven bits a byte, the lowest first. */
function unsigned(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...unsigned(value >>> 7)]
}

/** The same for signed numbers: the last byte's second bit is the sign. */
function signed(code: number[], value: number): void {
  let rest = value
  while (rest < -0x40 || rest >= 0x40) {
    code.push((rest & 0x7f) | 0x80)
    rest >>= 7
  }
  code.push(rest & 0x7f)
}
