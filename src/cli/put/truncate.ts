/**
 * A record cut to a size without cutting a character.
 * Invariant: the result is at most `maxBytes` long, and ends where a character ends if the data was UTF-8.
 */

const NEWLINE = 0x0a

/** Returns the longest beginning that fits; with `keepNewline` the last byte is a newline. */
export function truncated(data: Uint8Array, maxBytes: number, keepNewline: boolean): Uint8Array {
  let end = Math.max(0, maxBytes - (keepNewline ? 1 : 0))
  // At most three bytes of a character follow its first.
  for (let back = 0; back < 4 && end > 0 && isContinuation(data[end]); back++) end--
  const head = data.subarray(0, end)
  return keepNewline ? Buffer.concat([head, Uint8Array.of(NEWLINE)]) : head
}

function isContinuation(byte: number | undefined): boolean {
  return byte !== undefined && (byte & 0xc0) === 0x80
}
