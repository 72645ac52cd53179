/**
 * The soak's user records: generation and index tell key, length and every byte.
 * Invariant: `readIndex` gives an index only for a record that is exactly what `dataOf` and `keyOf` make of it.
 */
const KEY_COUNT = 10_000
const KEY_STEP = 7919
const HEAD_BYTES = 8
const LENGTHS = 181
const FILL_STARTS = 64

const FILL = Buffer.from(Array.from({ length: FILL_STARTS + LENGTHS }, (_, i) => (i * 31 + 7) & 0xff))
const KEYS = Array.from({ length: KEY_COUNT }, (_, i) => `customer-${i}`)

/** 8 to 188 bytes of data, 98 on average. */
export const MEAN_RECORD_BYTES = HEAD_BYTES + (LENGTHS - 1) / 2

export function keyOf(index: number): string {
  return KEYS[(index * KEY_STEP) % KEY_COUNT]!
}

/** Writes into a buffer that is used again: copied by the producer before put returns. */
export function dataOf(generation: number, index: number): Uint8Array {
  const fillBytes = fillBytesOf(index)
  SCRATCH.writeUInt32LE(generation, 0)
  SCRATCH.writeUInt32LE(index, 4)
  FILL.copy(SCRATCH, HEAD_BYTES, index % FILL_STARTS, (index % FILL_STARTS) + fillBytes)
  return SCRATCH.subarray(0, HEAD_BYTES + fillBytes)
}

/** Returns the index of a record of `generation`, or undefined when it is not one of ours, as it was put. */
export function readIndex(generation: number, partitionKey: string, data: Uint8Array): number | undefined {
  if (data.length < HEAD_BYTES) return undefined
  const bytes = Buffer.from(data.buffer, data.byteOffset, data.length)
  const index = bytes.readUInt32LE(4)
  const isSame = partitionKey === keyOf(index) && bytes.equals(dataOf(generation, index))
  return isSame ? index : undefined
}

function fillBytesOf(index: number): number {
  return (index * KEY_STEP) % LENGTHS
}

const SCRATCH = Buffer.alloc(HEAD_BYTES + LENGTHS)
