/**
 * Protobuf varints for lengths and indexes, written and measured.
 * Invariant: `varintBytes(n)` is exactly what `writeVarint` advances by, for every integer 0 <= n < 2^31.
 * Hot: both are called several times per user record.
 */

/** Returns the encoded length of `value` in bytes, 1 to 5. */
export function varintBytes(value: number): number {
  if (value < 0x80) return 1
  if (value < 0x4000) return 2
  if (value < 0x200000) return 3
  if (value < 0x10000000) return 4
  return 5
}

/** Writes `value` at `offset` and returns the offset after it. The caller has made room. */
export function writeVarint(target: Uint8Array, offset: number, value: number): number {
  let rest = value
  let at = offset
  while (rest >= 0x80) {
    target[at++] = (rest & 0x7f) | 0x80
    rest >>>= 7
  }
  target[at++] = rest
  return at
}
