/**
 * One HTTP exchange with the fake Kinesis, over HTTP/1.1 or HTTP/2 alike.
 * Invariant: the body is read to its end before anything is decided; each request gets one answer, or the fate its
 * fault plan wants.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2'
import { assertNever } from '../model/errors.ts'
import type { Clock } from '../model/ports.ts'
import { BodyScratch } from './body-scratch.ts'
import type { FakeKinesis } from './fake-kinesis.ts'
import type { FakeService, ServiceAnswer, ServiceCall } from './fake-service.ts'
import { readCall } from './operations.ts'
import { FakeServiceError } from './service-error.ts'
import { CBOR_CODEC, codecOf, JSON_CODEC, type WireCodec } from './wire-codecs.ts'

export type HttpRequest = IncomingMessage | Http2ServerRequest
export type HttpResponse = ServerResponse | Http2ServerResponse

export interface HttpHandlerOptions {
  readonly kinesis: FakeKinesis
  readonly service: FakeService
  readonly clock: Clock
}

/** A body over this is answered 413: 10 MiB of records are 14 MiB of base64, and the rest is keys and names. */
const MAX_BODY_BYTES = 24 * 1_048_576
const TARGET = /^Kinesis_20131202\.([A-Za-z]+)$/

/** Returns the function that answers requests. `reset` cuts the connection of a response. */
export function httpHandler(
  options: HttpHandlerOptions,
  reset: (response: HttpResponse) => void
): (request: HttpRequest, response: HttpResponse) => void {
  const scratch = new BodyScratch()
  let requestCount = 0
  return (request, response) => {
    const chunks: Buffer[] = []
    let bodyBytes = 0
    const requestId = requestIdOf(++requestCount)
    request.on('error', () => response.destroy())
    request.on('data', (chunk: Buffer) => {
      bodyBytes += chunk.length
      // Bytes over the limit are read and dropped, so that the client can read the answer.
      if (bodyBytes <= MAX_BODY_BYTES) chunks.push(chunk)
    })
    request.on('end', () => {
      const exchange = new HttpExchange(response, requestId, codecFor(request) ?? JSON_CODEC, reset)
      if (bodyBytes > MAX_BODY_BYTES) exchange.sendError(tooLarge(bodyBytes))
      else answer(options, request, scratch.join(chunks, bodyBytes), exchange)
    })
  }
}

function answer(options: HttpHandlerOptions, request: HttpRequest, body: Buffer, exchange: HttpExchange): void {
  const { kinesis, service, clock } = options
  const page = request.method === 'GET' ? request.url : undefined
  if (page === '/healthcheck') exchange.sendPlain({ status: 'ok' })
  else if (page === '/_stats') exchange.sendPlain({ streams: kinesis.stats(), operations: service.stats() })
  else serve(service, clock, readRequest(request, body), exchange)
}

function serve(service: FakeService, clock: Clock, call: ServiceCall | FakeServiceError, exchange: HttpExchange): void {
  if (call instanceof FakeServiceError) {
    exchange.sendError(call)
    return
  }
  const planned = service.plan(call)
  after(clock, planned.requestDelayMs, () => {
    const result = planned.apply()
    after(clock, planned.answerDelayMs, () => exchange.send(result))
  })
}

function readRequest(request: HttpRequest, body: Buffer): ServiceCall | FakeServiceError {
  try {
    const operation = TARGET.exec(String(request.headers['x-amz-target'] ?? ''))?.[1]
    if (operation === undefined) {
      throw new FakeServiceError('UnknownOperationException', 'The x-amz-target header names no Kinesis operation.')
    }
    const codec = codecFor(request)
    if (codec === undefined) {
      const spoken = `${JSON_CODEC.contentType} and ${CBOR_CODEC.contentType}`
      throw new FakeServiceError('SerializationException', `The fake Kinesis speaks ${spoken} only.`, 415)
    }
    return readCall(operation, codec.decode(body))
  } catch (error) {
    if (error instanceof FakeServiceError) return error
    throw error
  }
}

function codecFor(request: HttpRequest): WireCodec | undefined {
  return codecOf(String(request.headers['content-type'] ?? ''))
}

/** At once when there is nothing to wait for. */
function after(clock: Clock, delayMs: number, run: () => void): void {
  if (delayMs <= 0) run()
  else clock.schedule(clock.nowMs() + delayMs, run)
}

class HttpExchange {
  readonly #response: HttpResponse
  readonly #requestId: string
  readonly #codec: WireCodec
  readonly #reset: (response: HttpResponse) => void

  constructor(response: HttpResponse, requestId: string, codec: WireCodec, reset: (response: HttpResponse) => void) {
    this.#response = response
    this.#requestId = requestId
    this.#codec = codec
    this.#reset = reset
  }

  send(answer: ServiceAnswer): void {
    switch (answer.kind) {
      case 'output':
        this.#write(200, this.#codec.contentType, this.#codec.encode(answer.output))
        break
      case 'error':
        this.sendError(answer.error)
        break
      case 'raw':
        this.#write(answer.statusCode, answer.contentType, answer.body)
        break
      case 'reset':
        this.#reset(this.#response)
        break
      case 'silence':
        break
      default:
        assertNever(answer)
    }
  }

  sendError(error: FakeServiceError): void {
    const { contentType, encodeError } = this.#codec
    this.#write(error.statusCode, contentType, encodeError(error), { 'x-amzn-errortype': error.code })
  }

  sendPlain(value: object): void {
    this.#write(200, 'application/json', JSON.stringify(value))
  }

  #write(
    statusCode: number,
    contentType: string,
    body: string | Buffer,
    extra: Readonly<Record<string, string>> = {}
  ): void {
    // The client may be gone: it gave up, or the server was closed while the answer was delayed.
    if (this.#response.writableEnded || this.#response.destroyed) return
    this.#response.writeHead(statusCode, {
      'content-type': contentType,
      'content-length': Buffer.byteLength(body),
      'x-amzn-requestid': this.#requestId,
      ...extra
    })
    this.#response.end(body)
  }
}

function tooLarge(bodyBytes: number): FakeServiceError {
  return new FakeServiceError(
    'RequestEntityTooLarge',
    `The body has ${bodyBytes} bytes; at most ${MAX_BODY_BYTES} are read.`
  )
}

const REQUEST_ID_DIGITS = 12

/** A number in the form of a UUID: the n-th request of a server always has the same id. */
function requestIdOf(requestNumber: number): string {
  return `00000000-0000-4000-8000-${String(requestNumber).padStart(REQUEST_ID_DIGITS, '0')}`
}
