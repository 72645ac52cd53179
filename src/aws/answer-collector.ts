/**
 * Reads an answer's body, but never more of it than any real answer holds.
 * Invariant: at most `MAX_ANSWER_BYTES` are kept; a longer or a broken answer rejects, and its connection is cut.
 */
import { Readable } from 'node:stream'

/** 500 entries and 1,000 shards each fit in a tenth of this. */
export const MAX_ANSWER_BYTES = 4_194_304

/** For the client's `streamCollector` option. */
export async function collectAnswer(stream: unknown): Promise<Uint8Array> {
  if (!(stream instanceof Readable)) throw new TypeError('The answer is not a readable stream.')
  const chunks: Buffer[] = []
  let bytes = 0
  // Leaving this loop early destroys the stream, and with it the connection.
  for await (const chunk of stream) {
    if (!(chunk instanceof Uint8Array)) throw new TypeError('The answer is not made of bytes.')
    bytes += chunk.length
    if (bytes > MAX_ANSWER_BYTES) throw new RangeError(`The answer exceeds ${MAX_ANSWER_BYTES} bytes.`)
    chunks.push(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength))
  }
  return chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks, bytes)
}
