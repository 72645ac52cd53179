/**
 * What the tests of the transport share: small HTTP servers with raw answers, transports, and failures as plain values.
 * Invariant: everything opened here is closed by `closeAll`.
 */
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { KinesisClient, type KinesisClientConfig } from '@aws-sdk/client-kinesis'
import { type AwsTransportOptions, createAwsTransport } from '../../src/aws/transport.ts'
import { TransportError } from '../../src/model/errors.ts'
import type { PutRecordsRequest, Transport } from '../../src/model/ports.ts'
import { systemClock } from '../../src/system.ts'

export const CREDENTIALS = {
  accessKeyId: 'AKIDCANARYKEY',
  secretAccessKey: 'canary-secret-key',
  sessionToken: 'canary-token'
}
export const STREAM = { streamName: 'orders' }
export const JSON_TYPE = 'application/x-amz-json-1.1'

const closers: (() => unknown)[] = []

export async function closeAll(): Promise<void> {
  await Promise.all(closers.splice(0).map(close => close()))
}

export function onClose(close: () => unknown): void {
  closers.push(close)
}

export interface RawServer {
  readonly endpoint: string
  /** Connections accepted so far. */
  readonly connectionCount: () => number
  /** Bodies of the requests so far, in order; only those whose handler is `answering`. */
  readonly bodies: Buffer[]
  readonly server: Server
}

/** Starts a server whose every request is given to `handle`. */
export async function rawServer(handle: RequestListener): Promise<RawServer> {
  let connectionCount = 0
  const server = createServer(handle)
  server.on('connection', () => connectionCount++)
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  onClose(() => {
    server.closeAllConnections()
    return new Promise(resolve => server.close(resolve))
  })
  const { port } = server.address() as AddressInfo
  return { endpoint: `http://127.0.0.1:${port}`, connectionCount: () => connectionCount, bodies: [], server }
}

/** Starts a server that answers every request alike, and remembers the bodies. */
export async function answering(
  status: number,
  body: string,
  headers: Record<string, string> = {}
): Promise<RawServer> {
  const bodies: Buffer[] = []
  const server = await rawServer(async (request, response) => {
    bodies.push(await buffer(request))
    response.writeHead(status, { 'content-type': JSON_TYPE, ...headers }).end(body)
  })
  return { ...server, bodies }
}

export function transportTo(endpoint: string | undefined, options: Partial<AwsTransportOptions> = {}): Transport {
  const where = endpoint === undefined ? {} : { endpoint }
  return opened({ ...where, region: 'us-east-1', credentials: CREDENTIALS, ...options })
}

/** A transport over a client that a user made. */
export function transportOver(
  client: NonNullable<AwsTransportOptions['client']>,
  warn: AwsTransportOptions['warn'] = () => {},
  options: Partial<AwsTransportOptions> = {}
): Transport {
  return opened({ client, warn, ...options })
}

function opened(options: Partial<AwsTransportOptions>): Transport {
  const transport = createAwsTransport({
    allowInsecureEndpoint: false,
    wireFormat: 'json',
    clock: systemClock,
    connectTimeoutMs: 5_000,
    requestTimeoutMs: 5_000,
    maxInFlightRequests: 4,
    warn: () => {},
    ...options
  })
  onClose(() => transport.close())
  return transport
}

export function userClient(endpoint: string, config: Partial<KinesisClientConfig> = {}): KinesisClient {
  const client = new KinesisClient({ endpoint, region: 'us-east-1', credentials: CREDENTIALS, ...config })
  onClose(() => client.destroy())
  return client
}

export function request(texts: readonly string[] = ['payload'], signal?: AbortSignal): PutRecordsRequest {
  const entries = texts.map(text => ({ data: Buffer.from(text), partitionKey: 'key' }))
  return { stream: STREAM, entries, signal }
}

export function putAnswer(count: number): string {
  const Records = Array.from({ length: count }, (_, i) => ({ ShardId: 'shardId-000000000000', SequenceNumber: `${i}` }))
  return JSON.stringify({ FailedRecordCount: 0, Records })
}

export interface Failure {
  readonly code: string
  readonly errorCode: string
  readonly statusCode: number | undefined
  readonly persisted: string
}

/** Returns the TransportError that a promise rejects with; throws for everything else. */
export async function transportError(promise: Promise<unknown>): Promise<TransportError> {
  const thrown: unknown = await promise.then(
    () => new Error('did not fail'),
    (reason: unknown) => reason
  )
  if (thrown instanceof TransportError) return thrown
  throw thrown
}

/** What programs see of a failure. */
export async function failureOf(promise: Promise<unknown>): Promise<Failure> {
  const { code, errorCode, statusCode, persisted } = await transportError(promise)
  return { code, errorCode, statusCode, persisted }
}

/** A KPL_ERR_TRANSPORT failure as `failureOf` returns it. */
export function failure(errorCode: string, persisted: 'no' | 'maybe', more: Partial<Failure> = {}): Failure {
  return { code: 'KPL_ERR_TRANSPORT', errorCode, statusCode: undefined, persisted, ...more }
}
