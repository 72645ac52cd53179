/**
 * Memory for sealed bytes, text written into it, and how long the bytes of a caller really are.
 * Invariant: what is returned has exactly the asked length and shares memory with nothing of the caller's.
 */

/** Returns a buffer of exactly `bytes`; its content is undefined. */
export type TakeBytes = (bytes: number) => Buffer

/** Below this a slice of Node's shared slab is cheaper; above it an own ArrayBuffer is, and it can be transferred. */
const SLAB_BYTES = 2048
/** Up to here a loop is faster than the way into native code, which costs about 60 ns. */
const SHORT_TEXT = 32

const TYPED_ARRAY = Object.getPrototypeOf(Uint8Array.prototype) as object
const tagOf = intrinsicGetter(Symbol.toStringTag)
const byteLengthOf = intrinsicGetter('byteLength')
const byteOffsetOf = intrinsicGetter('byteOffset')
const bufferOf = intrinsicGetter('buffer')
const { keys: assertReadable } = Uint8Array.prototype

/** Whether `value` is a `Uint8Array`, of any realm; an object that only looks like one does not count. */
export function isBytes(value: unknown): value is Uint8Array {
  return tagOf.call(value) === 'Uint8Array'
}

/**
 * Returns how many bytes there are, as the engine knows it: a subclass may say anything in `length`. -1 when the memory is
 * gone: the ArrayBuffer was transferred away, or shrank below the view.
 */
export function lengthOfBytes(bytes: Uint8Array): number {
  const length = byteLengthOf.call(bytes) as number
  return length === 0 && !isReadable(bytes) ? -1 : length
}

/** Returns a plain view of the same memory, on which no method can be anybody's own. */
export function plainView(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(
    bufferOf.call(bytes) as ArrayBufferLike,
    byteOffsetOf.call(bytes) as number,
    byteLengthOf.call(bytes) as number
  )
}

function isReadable(bytes: Uint8Array): boolean {
  try {
    assertReadable.call(bytes)
    return true
  } catch {
    // Not swallowed: that it throws is the answer.
    return false
  }
}

function intrinsicGetter(name: string | symbol): (this: unknown) => unknown {
  return Object.getOwnPropertyDescriptor(TYPED_ARRAY, name)!.get!
}

export const allocate: TakeBytes = bytes =>
  bytes <= SLAB_BYTES ? Buffer.allocUnsafe(bytes) : Buffer.allocUnsafeSlow(bytes)

/** Returns the bytes of `data`, `dataBytes` long, in memory of their own. */
export function copyOf(data: Uint8Array | string, dataBytes: number, take: TakeBytes = allocate): Buffer {
  const copy = take(dataBytes)
  if (typeof data === 'string') writeText(copy, 0, data, dataBytes)
  else writeBytes(copy, 0, data, dataBytes)
  return copy
}

/** Returns the bytes of `prefix` and of `data` behind it, `bytes` long together, in memory of their own. */
export function framedCopyOf(
  prefix: Uint8Array | undefined,
  data: Uint8Array | string,
  bytes: number,
  take: TakeBytes = allocate
): Buffer {
  if (prefix === undefined) return copyOf(data, bytes, take)
  const copy = take(bytes)
  const at = writePrefix(copy, 0, prefix)
  if (typeof data === 'string') writeText(copy, at, data, bytes - at)
  else writeBytes(copy, at, data, bytes - at)
  return copy
}

/** Writes a few bytes and returns where they end: the way into native code takes longer than a loop. */
export function writePrefix(target: Buffer, offset: number, prefix: Uint8Array): number {
  const { length } = prefix
  for (let i = 0; i < length; i++) target[offset + i] = prefix[i]!
  return offset + length
}

/**
 * Writes the first `dataBytes` of `data`, which has them. Sequence that the second way is for: the length was measured ->
 * another thread grows the SharedArrayBuffer behind `data` -> all of it has no room any more. The bytes after the place may be
 * overwritten.
 */
export function writeBytes(target: Buffer, offset: number, data: Uint8Array, dataBytes: number): void {
  try {
    target.set(data, offset)
  } catch {
    // Not swallowed: the bytes that were measured are there, and they are written now.
    const buffer = bufferOf.call(data) as ArrayBufferLike
    target.set(new Uint8Array(buffer, byteOffsetOf.call(data) as number, dataBytes), offset)
  }
}

/** Writes `text` as UTF-8, `utf8Bytes` long; returns that length. Equal lengths mean ASCII. */
export function writeText(target: Buffer, offset: number, text: string, utf8Bytes: number): number {
  const { length } = text
  if (utf8Bytes !== length) return target.write(text, offset, utf8Bytes, 'utf8')
  if (length > SHORT_TEXT) return target.write(text, offset, utf8Bytes, 'latin1')
  for (let i = 0; i < length; i++) target[offset + i] = text.charCodeAt(i)
  return length
}
