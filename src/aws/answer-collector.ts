/**
 * Reads an answer's body, but never more of it than any real answer holds.
 * Invariant: at most `MAX_ANSWER_BYTES` are kept; a longer or a broken answer rejects, and its connection is cut.
 */
import { Blob } from 'node:buffer'
import { IncomingMessage } from 'node:http'

/** 500 entries and 1,000 shards each fit in a tenth of this. */
export const MAX_ANSWER_BYTES = 4_194_304

/** For the client's `streamCollector` option. Bodies come as streams of Node.js, of the web (fetch), as a Blob, or in one piece. */
export function collectAnswer(body: unknown): Promise<Uint8Array> {
  const isFresh = body instanceof IncomingMessage && !body.destroyed && body.readableFlowing === null
  return isFresh ? collectMessage(body) : collectChunks(body)
}

/** The answer of Node.js' own client: its events cost 25 us less than its iterator. */
function collectMessage(message: IncomingMessage): Promise<Uint8Array> {
  const chunks: Buffer[] = []
  let bytes = 0
  return new Promise((resolve, reject) => {
    message.on('data', (chunk: Buffer) => {
      bytes += chunk.length
      chunks.push(chunk)
      if (bytes <= MAX_ANSWER_BYTES) return
      reject(tooLong())
      message.destroy()
    })
    message.once('end', () => resolve(joined(chunks, bytes)))
    message.once('error', reject)
    // Changes nothing after one of the others.
    message.once('close', () =>
      reject(Object.assign(new Error('Premature close'), { code: 'ERR_STREAM_PREMATURE_CLOSE' }))
    )
  })
}

async function collectChunks(body: unknown): Promise<Uint8Array> {
  const chunks: Buffer[] = []
  let bytes = 0
  // Leaving this loop early destroys the stream, and with it the connection.
  for await (const chunk of chunksOf(body)) {
    if (!(chunk instanceof Uint8Array)) throw new TypeError('The answer is not made of bytes.')
    bytes += chunk.length
    if (bytes > MAX_ANSWER_BYTES) throw tooLong()
    chunks.push(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength))
  }
  return joined(chunks, bytes)
}

function joined(chunks: readonly Buffer[], bytes: number): Buffer {
  return chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks, bytes)
}

function tooLong(): RangeError {
  return new RangeError(`The answer exceeds ${MAX_ANSWER_BYTES} bytes.`)
}

function chunksOf(body: unknown): AsyncIterable<unknown> | Iterable<unknown> {
  if (typeof body === 'string') return [Buffer.from(body)]
  if (body instanceof Uint8Array) return [body]
  if (body instanceof Blob) return body.stream()
  if (isAsyncIterable(body)) return body
  throw new TypeError('The answer is not a readable stream.')
}

function isAsyncIterable(body: unknown): body is AsyncIterable<unknown> {
  return typeof body === 'object' && body !== null && Symbol.asyncIterator in body
}
