/**
 * One pass over the bytes of a JSON text: is it JSON, and what stands at a path.
 * Invariant: reads every byte once and allocates nothing but the found text; never throws for what the bytes hold.
 * Grammar: RFC 8259; nesting is bounded by `MAX_DEPTH`, beyond which the text counts as none.
 */

import { TextCache } from './text-cache.ts'

/** A member's name, or the place of an element; negative from the end. */
export type PathStep = string | number

export type Found =
  | { readonly kind: 'text'; readonly text: string }
  /** null, an object or an array. */
  | { readonly kind: 'other' }
  | { readonly kind: 'missing' }
  | { readonly kind: 'not-json' }

const MAX_DEPTH = 512
const QUOTE = 0x22
const BACKSLASH = 0x5c
/** 1 for bytes at which the run of plain text within a string ends: a quote, a backslash, control characters. */
const STOPS = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte === QUOTE || byte === BACKSLASH || byte < 0x20 ? 1 : 0
)
const MISSING: Found = { kind: 'missing' }
const OTHER: Found = { kind: 'other' }
const NOT_JSON: Found = { kind: 'not-json' }

/** Thrown within, never out: what is at a place is not JSON. */
const BAD = new SyntaxError('not JSON')

export class JsonScanner {
  readonly #steps: readonly PathStep[]
  readonly #names: readonly (Buffer | undefined)[]
  /** Made at the first text: a scanner that only checks has none. */
  #texts: TextCache | undefined
  #bytes: Buffer = Buffer.alloc(0)
  #at = 0
  #found: Found = MISSING

  constructor(steps: readonly PathStep[]) {
    this.#steps = steps
    this.#names = steps.map(step => (typeof step === 'string' ? Buffer.from(step) : undefined))
  }

  find(bytes: Uint8Array): Found {
    this.#bytes = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#at = 0
    this.#found = MISSING
    try {
      this.#space()
      this.#value(0, 0)
      this.#space()
      return this.#at === this.#bytes.length ? this.#found : NOT_JSON
    } catch (error) {
      if (error !== BAD) throw error
      return NOT_JSON
    }
  }

  /** `step` is how much of the path has been walked; -1: this value is beside the path. */
  #value(step: number, depth: number): void {
    const start = this.#at
    const first = this.#bytes[start]
    const isMeant = step === this.#steps.length
    const isBeside = step < 0 || isMeant
    if (first === 0x7b) this.#object(isBeside ? -1 : step, depth)
    else if (first === 0x5b) this.#array(isBeside ? -1 : step, depth)
    else if (first === QUOTE) {
      const hasEscapes = this.#string()
      if (isMeant) this.#found = { kind: 'text', text: this.#text(start, this.#at, hasEscapes) }
      return
    } else if (first === 0x74) this.#word('true')
    else if (first === 0x66) this.#word('false')
    else if (first === 0x6e) this.#word('null')
    else this.#number()
    if (!isMeant) return
    const isOther = first === 0x7b || first === 0x5b || first === 0x6e
    this.#found = isOther ? OTHER : { kind: 'text', text: this.#bytes.toString('latin1', start, this.#at) }
  }

  #object(step: number, depth: number): void {
    if (depth > MAX_DEPTH) throw BAD
    const name = step < 0 ? undefined : this.#names[step]
    this.#at++
    this.#space()
    if (this.#take(0x7d)) return
    for (;;) {
      const start = this.#at
      if (this.#bytes[start] !== QUOTE) throw BAD
      const hasEscapes = this.#string()
      const isMeant = name !== undefined && this.#isName(name, start, hasEscapes)
      // Of equal names the last counts.
      if (isMeant) this.#found = MISSING
      this.#space()
      if (!this.#take(0x3a)) throw BAD
      this.#space()
      this.#value(isMeant ? step + 1 : -1, depth + 1)
      this.#space()
      if (this.#take(0x7d)) return
      if (!this.#take(0x2c)) throw BAD
      this.#space()
    }
  }

  #array(step: number, depth: number): void {
    if (depth > MAX_DEPTH) throw BAD
    const wanted = step < 0 ? undefined : this.#steps[step]
    const starts: number[] = []
    this.#at++
    this.#space()
    if (this.#take(0x5d)) return
    for (let place = 0; ; place++) {
      if (typeof wanted === 'number' && wanted < 0) starts.push(this.#at)
      this.#value(place === wanted ? step + 1 : -1, depth + 1)
      this.#space()
      if (this.#take(0x5d)) break
      if (!this.#take(0x2c)) throw BAD
      this.#space()
    }
    // Only at the end is it known which element is the n-th from there: that one is read again.
    const start = typeof wanted === 'number' && wanted < 0 ? starts.at(wanted) : undefined
    if (start === undefined) return
    const end = this.#at
    this.#at = start
    this.#value(step + 1, depth + 1)
    this.#at = end
  }

  #isName(name: Buffer, start: number, hasEscapes: boolean): boolean {
    if (hasEscapes) return this.#text(start, this.#at, true) === name.toString()
    const length = this.#at - start - 2
    if (length !== name.length) return false
    for (let i = 0; i < length; i++) if (this.#bytes[start + 1 + i] !== name[i]) return false
    return true
  }

  /** Passes over a string; returns whether it has escapes. */
  #string(): boolean {
    const bytes = this.#bytes
    const { length } = bytes
    let hasEscapes = false
    for (let at = this.#at + 1; at < length; at++) {
      // Four bytes for each branch: half of the time of a line is in its texts.
      for (; at + 4 <= length; at += 4) {
        const stops = STOPS[bytes[at]!]! | STOPS[bytes[at + 1]!]! | STOPS[bytes[at + 2]!]! | STOPS[bytes[at + 3]!]!
        if (stops !== 0) break
      }
      while (at < length && STOPS[bytes[at]!] === 0) at++
      const byte = bytes[at]
      if (byte === QUOTE) {
        this.#at = at + 1
        return hasEscapes
      }
      if (byte !== BACKSLASH) throw BAD
      hasEscapes = true
      at++
      const isHex = bytes[at] === 0x75
      if (isHex && !/^[0-9a-f]{4}$/i.test(bytes.toString('latin1', at + 1, at + 5))) throw BAD
      if (isHex) at += 4
      else if (!'"\\/bfnrt'.includes(String.fromCharCode(bytes[at] ?? 0))) throw BAD
    }
    throw BAD
  }

  #text(start: number, end: number, hasEscapes: boolean): string {
    if (!hasEscapes) {
      this.#texts ??= new TextCache()
      return this.#texts.at(this.#bytes, start + 1, end - 1)
    }
    const text: unknown = JSON.parse(this.#bytes.toString('utf8', start, end))
    return String(text)
  }

  #number(): void {
    const bytes = this.#bytes
    let at = this.#at
    if (bytes[at] === 0x2d) at++
    const digits = (from: number): number => {
      let to = from
      while (bytes[to]! >= 0x30 && bytes[to]! <= 0x39) to++
      if (to === from) throw BAD
      return to
    }
    at = bytes[at] === 0x30 ? at + 1 : digits(at)
    if (bytes[at] === 0x2e) at = digits(at + 1)
    if (bytes[at] === 0x65 || bytes[at] === 0x45) {
      const isSigned = bytes[at + 1] === 0x2b || bytes[at + 1] === 0x2d
      at = digits(at + (isSigned ? 2 : 1))
    }
    this.#at = at
  }

  #word(word: string): void {
    if (this.#bytes.toString('latin1', this.#at, this.#at + word.length) !== word) throw BAD
    this.#at += word.length
  }

  #space(): void {
    const bytes = this.#bytes
    for (;;) {
      const byte = bytes[this.#at]
      const isSpace = byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09
      if (!isSpace) return
      this.#at++
    }
  }

  #take(byte: number): boolean {
    if (this.#bytes[this.#at] !== byte) return false
    this.#at++
    return true
  }
}
