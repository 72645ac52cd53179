/**
 * The client that the transport sends with: our own, or the user's.
 * Invariant: our own speaks HTTP/1.1 over kept connections, verifies certificates whatever the environment says, and
 * never retries; what the user made (client, handler, agents) is never destroyed by us.
 */
import { Agent as HttpAgent } from 'node:http'
import { Agent as HttpsAgent } from 'node:https'
import { KinesisClient, type KinesisClientConfig } from '@aws-sdk/client-kinesis'
import { NodeHttpHandler } from '@smithy/node-http-handler'
import { isLoopbackHost, isPossibleHost } from '../model/endpoint-policy.ts'
import type { ResolvedOptions } from '../model/options.ts'
import type { Clock } from '../model/ports.ts'
import { INSECURE_ENDPOINT, INVALID_ENDPOINT } from '../model/service-errors.ts'
import { isLambda, systemInvocationId, systemTimeOfDay } from '../system.ts'
import { BodyWriter, putRecordsProtocol } from './body-protocol.ts'
import { notSent } from './classify-failure.ts'
import { CredentialGuard } from './credential-guard.ts'
import type { ExchangeOptions, Send } from './exchange.ts'
import { givenSend } from './given-client.ts'
import { type Agents, HttpDoor } from './http-door.ts'
import { PreparedCalls, type SigningConfig } from './prepared-calls.ts'

/** Resolved options, and whom to ask for the time and to warn. */
export interface AwsTransportOptions
  extends Pick<
    ResolvedOptions,
    | 'client'
    | 'region'
    | 'endpoint'
    | 'credentials'
    | 'requestHandler'
    | 'allowInsecureEndpoint'
    | 'wireFormat'
    | 'connectTimeoutMs'
    | 'requestTimeoutMs'
    | 'maxInFlightRequests'
  > {
  /** Measures every time-out. Without it, a time-out does not allow for a process that stood still. */
  readonly clock?: Clock | undefined
  /** Told at most once for each code; for people, not for programs. */
  readonly warn: (code: string, message: string) => void
}

export interface Sender {
  readonly send: Send
  /** Set when bodies are written by us. */
  readonly bodyWriter?: BodyWriter | undefined
  readonly assertDestination?: ExchangeOptions<unknown>['assertDestination']
  readonly track?: ExchangeOptions<unknown>['track']
  /** Set when PutRecords may go without the SDK's middleware. */
  readonly prepared?: PreparedCalls | undefined
  /** Where requests go, when that is known; undefined for a client that does not say. */
  readonly region?: (() => Promise<string | undefined>) | undefined
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

/** In the text of the SDK's `send`, however it is bundled; nothing that stands in for it or wraps it does that itself. */
const SDK_SEND = /\.resolveMiddleware\(/

/** Returns what to send with. */
export function openSender(options: AwsTransportOptions, clock: Clock): Sender {
  const { client, warn } = options
  if (client === undefined) return ownSender(options, clock)
  return { send: givenSend(client, warn), region: () => regionOf(client), close() {} }
}

function ownSender(options: AwsTransportOptions, clock: Clock): Sender {
  const bodyWriter = new BodyWriter(options.wireFormat)
  // A handler made of options has one agent for both.
  const sharedSockets = options.requestHandler === undefined ? 0 : CONTROL_SOCKETS
  const data = openAgents(options.maxInFlightRequests + sharedSockets)
  const control = openAgents(CONTROL_SOCKETS)
  const door = new HttpDoor({ data, control, connectTimeoutMs: options.connectTimeoutMs, clock })
  const credentials = new CredentialGuard(clock, options.requestTimeoutMs)
  const config: KinesisClientConfig = {
    maxAttempts: 1,
    // 'adaptive', which the environment may ask for, would hold requests back on its own.
    retryMode: 'standard',
    protocol: putRecordsProtocol(bodyWriter),
    streamCollector: body => door.collect(body),
    requestHandler: handlerOf(options, data, door),
    ...(options.region === undefined ? {} : { region: options.region }),
    ...(options.endpoint === undefined ? {} : { endpoint: options.endpoint }),
    ...(options.credentials === undefined ? {} : { credentials: boundedCredentials(options.credentials, credentials) })
  }
  const client = new KinesisClient(config)
  const remembered = client.config.credentials
  const isBounded = options.credentials !== undefined
  client.config.credentials = credentials.over(isBounded ? remembered : credentials.bounded(remembered))
  // It copies every record of requests and answers, even without a logger.
  client.middlewareStack.remove('loggerMiddleware')
  const send: Send = (command, sendOptions): Promise<unknown> =>
    Promise.resolve<unknown>(Reflect.apply(client.send, client, [command, sendOptions]))
  const close = (): void => {
    for (const { httpAgent, httpsAgent } of [data, control]) {
      httpAgent.destroy()
      httpsAgent.destroy()
    }
    bodyWriter.clear()
  }
  const assertDestination = (protocol: string, hostname: string): void => {
    assertPossible(protocol, hostname)
    if (!options.allowInsecureEndpoint) assertSafe(protocol, hostname)
  }
  const track: Sender['track'] = (request, passage) => door.track(request, passage)
  const isOwnDoor = options.requestHandler === undefined
  const { send: madeSend } = client
  const isSdkSend = SDK_SEND.test(Function.prototype.toString.call(madeSend))
  const prepared = new PreparedCalls({
    door,
    bodyWriter,
    config: signingConfig(client.config),
    timeOfDay: systemTimeOfDay,
    newInvocationId: systemInvocationId,
    // Mocks, spies and tracers put something in the place of `send`, some of them before the client is made.
    isUntouched: () => isSdkSend && client.send === madeSend
  })
  return {
    send,
    bodyWriter,
    assertDestination,
    track: isOwnDoor ? track : undefined,
    prepared: isOwnDoor && !isLambda() ? prepared : undefined,
    region: () => regionOf(client),
    credentials,
    close
  }
}

/** The parts of a signature are in the client's configuration, under names that its type does not have. */
function signingConfig(config: KinesisClient['config']): SigningConfig {
  return config as KinesisClient['config'] & SigningConfig
}

/** Credentials were checked when the options were; what a provider gives is checked at every call. */
function boundedCredentials(given: CredentialsOption, guard: CredentialGuard): CredentialsOption {
  return typeof given === 'function' ? guard.bounded(given) : given
}

/** The region that a client of the SDK found; undefined for other clients, and while there is none to be found. */
async function regionOf(client: object): Promise<string | undefined> {
  const config: unknown = Reflect.get(client, 'config')
  const region: unknown = typeof config === 'object' && config !== null ? Reflect.get(config, 'region') : undefined
  try {
    const found: unknown = typeof region === 'function' ? await Reflect.apply(region, config, []) : region
    return typeof found === 'string' ? found : undefined
  } catch {
    // The request itself will say that the region is missing.
    return undefined
  }
}

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

// The endpoint may also come from the environment, past the check of the options.

function assertPossible(protocol: string, hostname: string): void {
  if ((protocol === 'https:' || protocol === 'http:') && isPossibleHost(hostname)) return
  const fact = 'the endpoint of the environment has no possible host, or is no https URL'
  throw notSent(INVALID_ENDPOINT, `${fact} (http://localhost:4566 for a server on this machine); nothing was sent.`)
}

function assertSafe(protocol: string, hostname: string): void {
  if (protocol !== 'http:' || isLoopbackHost(hostname)) return
  const fact = 'the environment names a plain http endpoint, which is used on this machine only'
  throw notSent(INSECURE_ENDPOINT, `${fact} unless allowInsecureEndpoint is set; nothing was sent.`)
}
