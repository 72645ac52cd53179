/**
 * HTTP/1.1 for one connection of the sink, as much of it as AWS clients use: a head, a body of known length, an answer.
 * Invariant: one request at a time; a body is handed on whole, in memory that the next request of the connection uses
 * again.
 */
import type { Socket } from 'node:net'

export interface SinkRequest {
  /** The operation, without the service's prefix. */
  readonly operation: string
  readonly isCbor: boolean
  readonly body: Buffer
}

export interface SinkAnswer {
  readonly contentType: string
  readonly body: Buffer
}

const HEAD_END = Buffer.from('\r\n\r\n')
const CONTINUE = 'HTTP/1.1 100 Continue\r\n\r\n'
const NO_BYTES = Buffer.alloc(0)

export function serveHttp1(socket: Socket, answer: (request: SinkRequest) => SinkAnswer): void {
  const connection = new Connection(socket, answer)
  socket.on('data', chunk => connection.take(chunk))
}

class Connection {
  readonly #socket: Socket
  readonly #answer: (request: SinkRequest) => SinkAnswer
  #head: Buffer = NO_BYTES
  #headText: string | undefined
  #body: Buffer = NO_BYTES
  #bodyBytes = 0
  #filledBytes = 0

  constructor(socket: Socket, answer: (request: SinkRequest) => SinkAnswer) {
    this.#socket = socket
    this.#answer = answer
  }

  take(chunk: Buffer): void {
    let rest = chunk
    while (rest.length > 0) rest = this.#headText === undefined ? this.#takeHead(rest) : this.#takeBody(rest)
  }

  /** Returns what is behind the head. */
  #takeHead(chunk: Buffer): Buffer {
    this.#head = this.#head.length === 0 ? chunk : Buffer.concat([this.#head, chunk])
    const end = this.#head.indexOf(HEAD_END)
    if (end < 0) return NO_BYTES
    const rest = this.#head.subarray(end + HEAD_END.length)
    this.#headText = this.#head.toString('latin1', 0, end)
    this.#head = NO_BYTES
    this.#filledBytes = 0
    this.#bodyBytes = Number(header(this.#headText, 'content-length') ?? 0)
    if (this.#body.length < this.#bodyBytes) this.#body = Buffer.allocUnsafeSlow(this.#bodyBytes)
    if (header(this.#headText, 'expect') !== undefined) this.#socket.write(CONTINUE)
    if (this.#bodyBytes === 0) this.#finish(this.#headText)
    return rest
  }

  #takeBody(chunk: Buffer): Buffer {
    const bytes = Math.min(chunk.length, this.#bodyBytes - this.#filledBytes)
    chunk.copy(this.#body, this.#filledBytes, 0, bytes)
    this.#filledBytes += bytes
    if (this.#filledBytes === this.#bodyBytes) this.#finish(this.#headText!)
    return chunk.subarray(bytes)
  }

  #finish(head: string): void {
    this.#headText = undefined
    const { contentType, body } = this.#answer(
      requestOf(header(head, 'x-amz-target'), header(head, 'content-type'), this.#body.subarray(0, this.#bodyBytes))
    )
    this.#socket.cork()
    this.#socket.write(
      `HTTP/1.1 200 OK\r\nx-amzn-RequestId: ${nextRequestId()}\r\nContent-Type: ${contentType}\r\n` +
        `Content-Length: ${body.length}\r\n\r\n`
    )
    this.#socket.write(body)
    this.#socket.uncork()
  }
}

let lastRequest = 0
const REQUEST_ID_DIGITS = 12

/** In the form of a UUID, and never the same: an answer that comes twice is no answer. */
export function nextRequestId(): string {
  return `00000000-0000-4000-8000-${String(++lastRequest).padStart(REQUEST_ID_DIGITS, '0')}`
}

export function requestOf(target: string | undefined, contentType: string | undefined, body: Buffer): SinkRequest {
  return { operation: (target ?? '').split('.')[1] ?? '', isCbor: contentType?.includes('cbor') ?? false, body }
}

function header(head: string, name: string): string | undefined {
  return new RegExp(`^${name}: *([^\r\n]*)`, 'im').exec(head)?.[1]
}
