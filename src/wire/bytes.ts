/**
 * Memory for sealed bytes, and text written into it.
 * Invariant: what is returned has exactly the asked length and shares memory with nothing of the caller's.
 */

/** Returns a buffer of exactly `bytes`; its content is undefined. */
export type TakeBytes = (bytes: number) => Buffer

/** Below this a slice of Node's shared slab is cheaper; above it an own ArrayBuffer is, and it can be transferred. */
const SLAB_BYTES = 2048
/** Up to here a loop is faster than the way into native code, which costs about 60 ns. */
const SHORT_TEXT = 32

export const allocate: TakeBytes = bytes =>
  bytes <= SLAB_BYTES ? Buffer.allocUnsafe(bytes) : Buffer.allocUnsafeSlow(bytes)

/** Returns the bytes of `data`, `dataBytes` long, in memory of their own. */
export function copyOf(data: Uint8Array | string, dataBytes: number, take: TakeBytes = allocate): Buffer {
  const copy = take(dataBytes)
  if (typeof data === 'string') writeText(copy, 0, data, dataBytes)
  else copy.set(data)
  return copy
}

/** Writes `text` as UTF-8, `utf8Bytes` long; returns that length. Equal lengths mean ASCII. */
export function writeText(target: Buffer, offset: number, text: string, utf8Bytes: number): number {
  const { length } = text
  if (utf8Bytes !== length) return target.write(text, offset, utf8Bytes, 'utf8')
  if (length > SHORT_TEXT) return target.write(text, offset, utf8Bytes, 'latin1')
  for (let i = 0; i < length; i++) target[offset + i] = text.charCodeAt(i)
  return length
}
