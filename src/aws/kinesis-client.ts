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
import type { Clock } from '../model/ports.ts'
import { collectAnswer } from './answer-collector.ts'
import { BodyWriter, putRecordsProtocol, type WireFormat } from './body-protocol.ts'
import { CredentialGuard, type Provider } from './credential-guard.ts'
import { endpointFaults, isLoopbackHost } from './endpoint-policy.ts'
import type { ExchangeOptions, Send } from './exchange.ts'
import { givenSend } from './given-client.ts'
import { type Agents, HttpDoor } from './http-door.ts'

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
  /** How PutRecords is written. Only for our own client: another's writes as it was made to. */
  readonly wireFormat: WireFormat
  readonly connectTimeoutMs: number
  readonly requestTimeoutMs: number
  readonly maxInFlightRequests: number
  /** Measures every time-out. Without it they are measured all the same, but not forgiving of a process that stood still. */
  readonly clock?: Clock | undefined
  /** Told at most once for each code; for people, not for programs. */
  readonly warn: (code: string, message: string) => void
}

export interface Sender {
  readonly send: Send
  /** Set when bodies are written by us. */
  readonly bodyWriter?: BodyWriter | undefined
  readonly assertDestination?: ExchangeOptions['assertDestination']
  readonly track?: ExchangeOptions['track']
  /** Set when credentials are renewed by us. */
  readonly credentials?: CredentialGuard | undefined
  /** Frees what is ours. */
  close(): void
}

/** Sockets beside those for PutRecords: neither waits for the other. */
const CONTROL_SOCKETS = 8
/** An idle connection is closed by us before a server or a load balancer does it in the middle of a request. */
const IDLE_SOCKET_MS = 20_000
const TCP_KEEP_ALIVE_MS = 1000

/** Returns what to send with. Throws OptionsError for an endpoint or a region that will not do. */
export function openSender(options: AwsTransportOptions, clock: Clock): Sender {
  if (options.client === undefined) return ownSender(options, clock)
  if (options.wireFormat !== 'json') {
    throw new OptionsError(["wireFormat belongs to the producer's own client: a client that is given writes JSON"])
  }
  return { send: givenSend(options.client, options.warn), close() {} }
}

function ownSender(options: AwsTransportOptions, clock: Clock): Sender {
  const faults = endpointFaults(options)
  if (faults.length > 0) throw new OptionsError(faults)
  const bodyWriter = new BodyWriter(options.wireFormat)
  // A handler made of options has one agent for both.
  const sharedSockets = options.requestHandler === undefined ? 0 : CONTROL_SOCKETS
  const data = openAgents(options.maxInFlightRequests + sharedSockets)
  const control = openAgents(CONTROL_SOCKETS)
  const door = new HttpDoor({ data, control, connectTimeoutMs: options.connectTimeoutMs, clock })
  const credentials = new CredentialGuard(clock)
  const config: KinesisClientConfig = {
    maxAttempts: 1,
    // 'adaptive', which the environment may ask for, would hold requests back on its own.
    retryMode: 'standard',
    protocol: putRecordsProtocol(bodyWriter),
    streamCollector: collectAnswer,
    requestHandler: handlerOf(options, data, door),
    ...(options.region === undefined ? {} : { region: options.region }),
    ...(options.endpoint === undefined ? {} : { endpoint: options.endpoint }),
    ...(options.credentials === undefined ? {} : { credentials: boundedCredentials(options.credentials, credentials) })
  }
  const client = new KinesisClient(config)
  const remembered = client.config.credentials
  const isBounded = options.credentials !== undefined
  client.config.credentials = credentials.over(isBounded ? remembered : credentials.bounded(remembered))
  // It copies every record of requests and answers, for a logger that nobody gave.
  client.middlewareStack.remove('loggerMiddleware')
  const send: Send = async (command, sendOptions): Promise<unknown> =>
    Reflect.apply(client.send, client, [command, sendOptions])
  const close = (): void => {
    for (const { httpAgent, httpsAgent } of [data, control]) {
      httpAgent.destroy()
      httpsAgent.destroy()
    }
    bodyWriter.clear()
  }
  const assertDestination = options.allowInsecureEndpoint ? undefined : assertSafeDestination
  const track: Sender['track'] = (request, passage) => door.track(request, passage)
  const isOwnDoor = options.requestHandler === undefined
  return { send, bodyWriter, assertDestination, track: isOwnDoor ? track : undefined, credentials, close }
}

/** The SDK checks credentials itself, at the first call; they are nothing that we should look into. */
function boundedCredentials(given: object, guard: CredentialGuard): CredentialsOption {
  return typeof given === 'function' ? guard.bounded(given as Provider<Identity>) : (given as Identity)
}

type Identity = Awaited<ReturnType<KinesisClient['config']['credentials']>>
type CredentialsOption = NonNullable<KinesisClientConfig['credentials']>
type HandlerOption = NonNullable<KinesisClientConfig['requestHandler']>

function openAgents(maxSockets: number): Agents {
  const agentOptions = {
    keepAlive: true,
    keepAliveMsecs: TCP_KEEP_ALIVE_MS,
    maxSockets,
    timeout: IDLE_SOCKET_MS
  }
  return {
    httpAgent: new HttpAgent(agentOptions),
    // Said outright, because NODE_TLS_REJECT_UNAUTHORIZED=0 would otherwise turn the check off.
    httpsAgent: new HttpsAgent({ ...agentOptions, rejectUnauthorized: true, minVersion: 'TLSv1.2' })
  }
}

/** The SDK would make an HTTP/2 handler of mere options, so those go into one for HTTP/1.1. */
function handlerOf(
  { requestHandler, connectTimeoutMs }: AwsTransportOptions,
  agents: Agents,
  door: HttpDoor
): HandlerOption {
  // The SDK asks a handler for `handle` and little else; its type has more members than its interface.
  if (requestHandler === undefined) return door as HandlerOption
  // A handler is used as it is: only `handle` tells a handler from options.
  if ('handle' in requestHandler) return requestHandler as HandlerOption
  // No requestTimeout: the exchange has its own, which bears with a process that stood still.
  return new NodeHttpHandler({ ...agents, connectionTimeout: connectTimeoutMs, ...requestHandler })
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
