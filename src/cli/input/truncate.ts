/**
 * A record cut to a size without cutting a character.
 * Invariant: the result is at most `maxBytes` long; before the terminator it ends where a character ends, if the data was UTF-8.
 */

/** Returns the longest beginning that fits, with `terminator` behind it. Copies if there is a terminator. */
export function truncated(data: Uint8Array, maxBytes: number, terminator: Uint8Array): Uint8Array {
  let end = Math.max(0, maxBytes - terminator.length)
  // At most three bytes of a character follow its first.
  for (let back = 0; back < 4 && end > 0 && isContinuation(data[end]); back++) end--
  const head = data.subarray(0, end)
  return terminator.length === 0 ? head : Buffer.concat([head, terminator])
}

function isContinuation(byte: number | undefined): boolean {
  return byte !== undefined && (byte & 0xc0) === 0x80
}
