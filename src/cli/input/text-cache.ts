/**
 * Short ASCII texts by their bytes: the same bytes give the same string again, without a call into the engine, and its hash is known.
 * Example: a partition key that comes again in every thousandth line.
 * Invariant: returns what decoding gives. Two texts with the same place of the table are both kept; a third one drives out the older.
 * Hot: once a line.
 */

const PLACES = 16_384
const MAX_BYTES = 64

export class TextCache {
  readonly #texts: string[] = new Array<string>(PLACES).fill('')

  /** Returns the text of `bytes` from `start` to `end`, which are UTF-8. */
  at(bytes: Buffer, start: number, end: number): string {
    const length = end - start
    if (length > MAX_BYTES) return bytes.toString('utf8', start, end)
    let hash = length
    let either = 0
    for (let i = start; i < end; i++) {
      const byte = bytes[i]!
      hash = Math.imul(hash ^ byte, 0x01000193)
      either |= byte
    }
    // Of other characters several bytes make one, so bytes and characters cannot be compared.
    if (either >= 0x80) return bytes.toString('utf8', start, end)
    const texts = this.#texts
    const place = (hash ^ (hash >>> 15)) & (PLACES - 2)
    const newer = texts[place]!
    if (isSame(newer, bytes, start, length)) return newer
    const older = texts[place + 1]!
    if (isSame(older, bytes, start, length)) return older
    const text = bytes.toString('latin1', start, end)
    texts[place + 1] = newer
    texts[place] = text
    return text
  }
}

function isSame(text: string, bytes: Uint8Array, start: number, length: number): boolean {
  if (text.length !== length) return false
  for (let i = 0; i < length; i++) if (text.charCodeAt(i) !== bytes[start + i]) return false
  return true
}
