/**
 * The fake Glue on a real port, for SDKs in any language: AWS JSON 1.1 over HTTP/1.1.
 * Invariant: after `close` resolves no socket is left; the model is untouched and can be served again.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { OptionRules } from '../consumer/deaggregate/given-options.ts'
import { FAKE_GLUE_RULES, FakeGlue, type FakeGlueFault, type FakeGlueOptions } from './fake-glue.ts'
import { assertGiven, PORT, TEXT } from './given.ts'
import { resetSocket } from './port-sniffer.ts'
import { FakeServiceError } from './service-error.ts'

/** The options of `startFakeGlue`. */
export interface FakeGlueServerOptions extends FakeGlueOptions {
  /** The address to listen on. Default: `127.0.0.1`. */
  readonly host?: string | undefined
  /** The port to listen on. Default: 0, a free port. */
  readonly port?: number | undefined
  /** The model to serve, for instance one that a closed server left. Default: a new one, made with these options. */
  readonly glue?: FakeGlue | undefined
}

const RULES: OptionRules<FakeGlueServerOptions> = {
  ...FAKE_GLUE_RULES,
  host: TEXT,
  port: PORT,
  glue: { must: 'a FakeGlue', isMet: value => value instanceof FakeGlue }
}

/** A fake Glue Schema Registry that listens. */
export interface FakeGlueServer {
  /** `http://127.0.0.1:4568`: the `endpoint` of a `GlueClient`. */
  readonly endpoint: string
  /** The port that it listens on. */
  readonly port: number
  /** The model that it serves. */
  readonly glue: FakeGlue
  /**
   * Cuts all connections and frees the port; idempotent.
   *
   * @example
   * const server = await startFakeGlue()
   * await server.close()
   */
  close(): Promise<void>
}

const TARGET = /^AWSGlue\.([A-Za-z]+)$/
const CONTENT_TYPE = 'application/x-amz-json-1.1'
const MAX_BODY_BYTES = 1_048_576

/**
 * Starts a fake Glue Schema Registry; resolves once it listens. Signatures are not checked: any credentials will do.
 *
 * @example
 * import { GlueClient } from '@aws-sdk/client-glue'
 *
 * const server = await startFakeGlue()
 * const credentials = { accessKeyId: 'any', secretAccessKey: 'any' }
 * const client = new GlueClient({ endpoint: server.endpoint, region: 'us-east-1', credentials })
 * await server.close()
 */
export async function startFakeGlue(options: FakeGlueServerOptions = {}): Promise<FakeGlueServer> {
  assertGiven('startFakeGlue', options, RULES)
  const { host = '127.0.0.1', port = 0, glue: given, ...model } = options
  const glue = given ?? new FakeGlue(model)
  const sockets = new Set<Socket>()
  const server = createServer((request, response) => serve(glue, request, response))
  server.on('connection', socket => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    // The server ignores a client that cuts its connection.
    socket.on('error', () => {})
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, resolve)
  })
  const address = server.address()
  const boundPort = typeof address === 'object' && address !== null ? address.port : port
  const close = (): Promise<void> => {
    const closed = new Promise<void>(resolve => server.close(() => resolve()))
    for (const socket of sockets) socket.destroy()
    return closed
  }
  return { endpoint: `http://${host}:${boundPort}`, port: boundPort, glue, close }
}

function serve(glue: FakeGlue, request: IncomingMessage, response: ServerResponse): void {
  const chunks: Buffer[] = []
  let bodyBytes = 0
  request.on('error', () => response.destroy())
  request.on('data', (chunk: Buffer) => {
    bodyBytes += chunk.length
    if (bodyBytes <= MAX_BODY_BYTES) chunks.push(chunk)
  })
  request.on('end', () => {
    const operation = TARGET.exec(String(request.headers['x-amz-target'] ?? ''))?.[1] ?? ''
    const fault = glue.takeFault(operation)
    if (fault?.kind === 'silence') return
    if (fault?.kind === 'reset') reset(response)
    else answer(glue, operation, Buffer.concat(chunks), fault, response)
  })
}

function reset(response: ServerResponse): void {
  if (response.socket !== null) resetSocket(response.socket)
}

function answer(
  glue: FakeGlue,
  operation: string,
  body: Buffer,
  fault: FakeGlueFault | undefined,
  response: ServerResponse
): void {
  try {
    if (fault !== undefined) throw errorOf(fault)
    send(response, 200, glue.answer(operation, fieldsOf(body)))
  } catch (error) {
    if (!(error instanceof FakeServiceError)) throw error
    response.setHeader('x-amzn-errortype', error.code)
    send(response, error.statusCode, { __type: error.code, Message: error.message })
  }
}

function errorOf({
  code = 'ThrottlingException',
  message = code === 'ThrottlingException' ? 'Rate exceeded' : `${code} of the test`,
  statusCode
}: FakeGlueFault): FakeServiceError {
  return new FakeServiceError(code, message, statusCode)
}

function fieldsOf(body: Buffer): Readonly<Record<string, unknown>> {
  let value: unknown
  try {
    value = JSON.parse(body.toString())
  } catch {
    throw new FakeServiceError('SerializationException', 'The body is no JSON.')
  }
  if (typeof value !== 'object' || value === null) throw new FakeServiceError('SerializationException', 'No object.')
  return { ...value }
}

function send(response: ServerResponse, statusCode: number, value: object): void {
  const text = JSON.stringify(value)
  response.writeHead(statusCode, { 'content-type': CONTENT_TYPE, 'content-length': Buffer.byteLength(text) })
  response.end(text)
}
