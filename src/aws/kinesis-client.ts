/**
 * The client that the transport sends with: our own, or the user's.
 * Invariant: our own speaks HTTP/1.1 over kept connections, verifies certificates whatever the environment says, and
 * never retries; what the user made (client, handler, agents) is never destroyed by us.
 */
import { Agent as HttpAgent } from 'node:http'
import { Agent as HttpsAgent } from 'node:https'
import { KinesisClient, type KinesisClientConfig } from '@aws-sdk/client-kinesis'
import { NodeHttpHandler } from '@smithy/node-http-handler'
import { OptionsError, TransportError } from '../model/errors.ts'
import { collectAnswer } from './answer-collector.ts'
import { BodyWriter, putRecordsProtocol } from './body-protocol.ts'
import { endpointFaults, isLoopbackHost } from './endpoint-policy.ts'
import type { ExchangeOptions, Send } from './exchange.ts'

/** Names and meaning as in `src/model/options.ts`, so that resolved options can be handed over as they are. */
export interface AwsTransportOptions {
  /** A ready KinesisClient, or anything with its `send`. Then region, endpoint, credentials and handler are its own. */
  readonly client?: object | undefined
  readonly region?: string | undefined
  /** A URL: https, or http on this machine. */
  readonly endpoint?: string | undefined
  /** Credentials or a provider of them, as the SDK takes them. Not copied, not read here. */
  readonly credentials?: object | undefined
  /** An HTTP handler (then used as it is), or options of one: agents for a proxy. */
  readonly requestHandler?: object | undefined
  readonly allowInsecureEndpoint: boolean
  readonly connectTimeoutMs: number
  readonly requestTimeoutMs: number
  readonly maxInFlightRequests: number
  /** Told at most once for each code; for people, not for programs. */
  readonly warn: (code: string, message: string) => void
}

export interface Sender {
  readonly send: Send
  /** Set when bodies are written by us. */
  readonly bodyWriter?: BodyWriter | undefined
  readonly assertDestination?: ExchangeOptions['assertDestination']
  /** Frees what is ours. */
  close(): void
}

/** Sockets beside those for PutRecords, so that a shard map never waits behind full uploads. */
const CONTROL_SOCKETS = 2
/** An idle connection is closed by us before a server or a load balancer does it in the middle of a request. */
const IDLE_SOCKET_MS = 20_000
const TCP_KEEP_ALIVE_MS = 1000

/** Returns what to send with. Throws OptionsError for an endpoint or a region that will not do. */
export function openSender(options: AwsTransportOptions): Sender {
  return options.client === undefined ? ownSender(options) : givenSender(options.client, options.warn)
}

function givenSender(client: object, warn: AwsTransportOptions['warn']): Sender {
  if (!('send' in client) || typeof client.send !== 'function')
    throw new OptionsError(['client must have a send method'])
  if (protocolOfHandler(client) === 'h2') {
    warn(
      'KPL_WARN_HTTP2_HANDLER',
      "The client uses the SDK's HTTP/2 handler, which by default opens a new TLS connection for every request: " +
        'give it a NodeHttpHandler of @smithy/node-http-handler, or give the producer region and credentials instead.'
    )
  }
  const send = client.send
  return {
    send: async (command, options): Promise<unknown> => Reflect.apply(send, client, [command, options]),
    close() {}
  }
}

function ownSender(options: AwsTransportOptions): Sender {
  const faults = endpointFaults(options)
  if (faults.length > 0) throw new OptionsError(faults)
  const bodyWriter = new BodyWriter()
  const agents = openAgents(options)
  const config: KinesisClientConfig = {
    maxAttempts: 1,
    // 'adaptive', which the environment may ask for, would hold requests back on its own.
    retryMode: 'standard',
    protocol: putRecordsProtocol(bodyWriter),
    streamCollector: collectAnswer,
    requestHandler: handlerOf(options, agents),
    ...(options.region === undefined ? {} : { region: options.region }),
    ...(options.endpoint === undefined ? {} : { endpoint: options.endpoint }),
    // The SDK checks credentials itself, at the first call; they are nothing that we should look into.
    ...(options.credentials === undefined ? {} : { credentials: options.credentials as CredentialsOption })
  }
  const client = new KinesisClient(config)
  const send: Send = async (command, sendOptions): Promise<unknown> =>
    Reflect.apply(client.send, client, [command, sendOptions])
  const close = (): void => {
    agents.httpAgent.destroy()
    agents.httpsAgent.destroy()
    bodyWriter.clear()
  }
  const assertDestination = options.allowInsecureEndpoint ? undefined : assertSafeDestination
  return { send, bodyWriter, assertDestination, close }
}

type CredentialsOption = NonNullable<KinesisClientConfig['credentials']>
type HandlerOption = NonNullable<KinesisClientConfig['requestHandler']>
interface Agents {
  readonly httpAgent: HttpAgent
  readonly httpsAgent: HttpsAgent
}

function openAgents({ maxInFlightRequests }: AwsTransportOptions): Agents {
  const agentOptions = {
    keepAlive: true,
    keepAliveMsecs: TCP_KEEP_ALIVE_MS,
    maxSockets: maxInFlightRequests + CONTROL_SOCKETS,
    timeout: IDLE_SOCKET_MS
  }
  return {
    httpAgent: new HttpAgent(agentOptions),
    // Said outright, because NODE_TLS_REJECT_UNAUTHORIZED=0 would otherwise turn the check off.
    httpsAgent: new HttpsAgent({ ...agentOptions, rejectUnauthorized: true, minVersion: 'TLSv1.2' })
  }
}

/** The SDK would make an HTTP/2 handler of mere options, so those go into a handler of ours. */
function handlerOf(options: AwsTransportOptions, agents: Agents): HandlerOption {
  const given = options.requestHandler
  // A handler is used as it is: the SDK calls it, and only `handle` tells a handler from options.
  if (given !== undefined && 'handle' in given) return given as HandlerOption
  return new NodeHttpHandler({
    ...agents,
    connectionTimeout: options.connectTimeoutMs,
    requestTimeout: options.requestTimeoutMs,
    throwOnRequestTimeout: true,
    ...given
  })
}

/** The endpoint may also come from the environment, past the check of the options. */
function assertSafeDestination(protocol: string, hostname: string): void {
  if (protocol !== 'http:' || isLoopbackHost(hostname)) return
  throw new TransportError({
    errorCode: 'InsecureEndpoint',
    message: 'Plain http is used on this machine only, unless allowInsecureEndpoint is set; nothing was sent.',
    persisted: 'no'
  })
}

/** What the client's handler says of itself: `'http/1.1'`, `'h2'`, or undefined. */
function protocolOfHandler(client: object): unknown {
  const handler = objectField(objectField(client, 'config'), 'requestHandler')
  const metadata = objectField(handler, 'metadata')
  return metadata === undefined ? undefined : Reflect.get(metadata, 'handlerProtocol')
}

function objectField(value: object | undefined, name: string): object | undefined {
  const field: unknown = value === undefined ? undefined : Reflect.get(value, name)
  return typeof field === 'object' && field !== null ? field : undefined
}
