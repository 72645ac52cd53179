/**
 * A body as a tree of fields: taken apart, and written again with whatever was done to it.
 * Invariant: an untouched tree is written as the body it was split from; bytes in a tree are replaced, never changed.
 */
import { hash } from 'node:crypto'

export const MAGIC: Uint8Array = Uint8Array.of(0xf3, 0x89, 0x9a, 0xc2)
export const VARINT = 0
export const FIXED64 = 1
export const SIZED = 2
export const GROUP = 3
export const GROUP_END = 4
export const FIXED32 = 5

const MEMBER_TAG = 0x1a
/** Larger than any mutant. */
const scratch = new Uint8Array(1 << 20)

/** A field as it is written: tag, length if it has one, content. */
export interface Field {
  tag: Uint8Array
  /** Undefined: written so that it fits. */
  length: Uint8Array | undefined
  readonly isSized: boolean
  content: Uint8Array | Field[]
}

/** A field with a length, and a tag of one byte. */
export function sized(tag: number, content: Uint8Array | Field[]): Field {
  return { tag: Uint8Array.of(tag), length: undefined, isSized: true, content }
}

/** Reads a body that a writer made: numbers and sized fields only, every length right. Views, not copies. */
export function split(body: Uint8Array, isTop = true): Field[] {
  const fields: Field[] = []
  let at = 0
  while (at < body.length) {
    const tag = body[at]!
    const valueStart = at + 1
    at = valueStart
    let length = 0
    for (let scale = 1; ; scale *= 0x80) {
      const byte = body[at++]!
      length += (byte & 0x7f) * scale
      if (byte < 0x80) break
    }
    if ((tag & 7) === VARINT) {
      const content = body.subarray(valueStart, at)
      fields.push({ tag: Uint8Array.of(tag), length: undefined, isSized: false, content })
    } else {
      const content = body.subarray(at, at + length)
      at += length
      fields.push(sized(tag, isTop && tag === MEMBER_TAG ? split(content, false) : content))
    }
  }
  return fields
}

/** Returns a tree that can be changed without changing this one; the bytes are shared. */
export function clone(fields: readonly Field[]): Field[] {
  return fields.map(({ tag, length, isSized, content }) => ({
    tag,
    length,
    isSized,
    content: Array.isArray(content) ? clone(content) : content
  }))
}

/** Returns the bytes of `content`, freshly allocated. */
export function write(content: Uint8Array | readonly Field[]): Uint8Array {
  return scratch.slice(writeBefore(scratch.length, content))
}

/** Writes from the end to the start, for then every length is known when it is its turn; returns the start. */
function writeBefore(end: number, content: Uint8Array | readonly Field[]): number {
  if (content instanceof Uint8Array) {
    scratch.set(content, end - content.length)
    return end - content.length
  }
  let at = end
  for (let i = content.length - 1; i >= 0; i--) {
    const field = content[i]!
    const contentEnd = at
    at = writeBefore(at, field.content)
    if (field.length !== undefined) at = writeBefore(at, field.length)
    else if (field.isSized) at = writeLengthBefore(at, contentEnd - at)
    at = writeBefore(at, field.tag)
  }
  return at
}

function writeLengthBefore(end: number, length: number): number {
  let bytes = 1
  while (length >= 2 ** (7 * bytes)) bytes++
  for (let i = 0; i < bytes; i++)
    scratch[end - bytes + i] = (Math.floor(length / 2 ** (7 * i)) & 0x7f) | (i < bytes - 1 ? 0x80 : 0)
  return end - bytes
}

/** Returns the parts one after the other, freshly allocated. */
export function arrayOf(...parts: readonly Uint8Array[]): Uint8Array {
  let length = 0
  for (const part of parts) length += part.length
  const whole = new Uint8Array(length)
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}

/** Returns a body between the magic and its digest. */
export function framed(body: Uint8Array): Uint8Array {
  return arrayOf(MAGIC, body, hash('md5', body, 'buffer'))
}
