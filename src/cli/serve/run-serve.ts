/**
 * `serve`: makes the streams and the plan of faults, serves until a signal comes.
 * Invariant: others on the network reach it only with --expose; the port is free again when the command has ended.
 */
import {
  FakeKinesis,
  FakeServiceError,
  type FaultAction,
  FaultPlan,
  type FaultRule,
  seededRandom,
  startFakeKinesisServer
} from '../../testing/index.ts'
import { fraction, wholeNumber } from '../arguments/units.ts'
import type { Outcome } from '../command.ts'
import { readText } from '../config.ts'
import { CliError } from '../errors.ts'
import type { Session } from '../session.ts'

export interface ServeFlags {
  readonly port: number
  readonly host: string
  readonly expose?: boolean
  readonly stream: readonly string[]
  readonly throttle?: number
  readonly latency?: number
  readonly fault: readonly string[]
  readonly limits: boolean
  readonly seed: string
  readonly tlsKey?: string
  readonly tlsCert?: string
}

const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|::1)$/
const SERVER_ERROR = 500

export async function runServe(session: Session, flags: ServeFlags): Promise<Outcome> {
  if (!LOOPBACK.test(flags.host) && flags.expose !== true) {
    throw new CliError('CLI_ERR_USAGE', `${flags.host} can be reached by others`, {
      fix: 'add --expose if that is meant'
    })
  }
  const { clock } = session.host
  const kinesis = new FakeKinesis({ nowMs: () => clock.nowMs(), throughputLimits: flags.limits })
  for (const text of flags.stream) {
    const [name = '', shards = '1'] = text.split(':')
    const count = wholeNumber(shards, 1)
    usable(() => kinesis.createStream({ StreamName: name, ShardCount: count }))
  }
  const faults = new FaultPlan(rulesOf(flags), seededRandom(flags.seed))
  const { port, host } = flags
  const server = await listening(
    startFakeKinesisServer({ port, host, kinesis, faults, clock, tls: tlsOf(flags) }),
    port
  )
  const { endpoint } = server
  await session.host.stdout.write(`${JSON.stringify({ type: 'ready', endpoint, streams: flags.stream })}\n`)
  await session.note(
    `use it with: --local${endpoint.endsWith(':4567') ? '' : ` --endpoint ${endpoint}`}; stop it with Ctrl+C`
  )
  await new Promise<void>(resolve => {
    if (session.stop.aborted) resolve()
    session.stop.addEventListener('abort', () => resolve(), { once: true })
  })
  await server.close()
  return { exit: 0, summary: { endpoint } }
}

/** The model refuses names and counts as the service does. */
function usable(act: () => void): void {
  try {
    act()
  } catch (error) {
    if (error instanceof FakeServiceError) throw new CliError('CLI_ERR_USAGE', `--stream: ${error.message}`)
    throw error
  }
}

function rulesOf({ throttle, latency, fault }: ServeFlags): FaultRule[] {
  const rules: FaultRule[] = fault.map(ruleOf)
  if (latency !== undefined) rules.push({ action: { kind: 'delay', delayMs: latency } })
  if (throttle === undefined) return rules
  const errorCode = 'ProvisionedThroughputExceededException'
  const action: FaultAction = { kind: 'failRecords', errorCode, records: { probability: throttle } }
  return [...rules, { match: { operation: 'PutRecords' }, action }]
}

function ruleOf(text: string): FaultRule {
  const [operation = '', status = '', part = '100%'] = text.split(':')
  const statusCode = wholeNumber(status, 400)
  const errorCode = statusCode >= SERVER_ERROR ? 'InternalFailure' : 'ProvisionedThroughputExceededException'
  const isKnown = /^(?:PutRecords?|GetRecords|GetShardIterator|ListShards|DescribeStreamSummary)$/.test(operation)
  if (!isKnown) throw new CliError('CLI_ERR_USAGE', '--fault is OPERATION:STATUS:PART, for instance PutRecords:500:1%')
  return { match: { operation, probability: fraction(part) }, action: { kind: 'failRequest', errorCode, statusCode } }
}

function tlsOf({ tlsKey, tlsCert }: ServeFlags): { readonly key: string; readonly cert: string } | undefined {
  if ((tlsKey === undefined) !== (tlsCert === undefined)) {
    throw new CliError('CLI_ERR_USAGE', '--tls-key and --tls-cert belong together')
  }
  return tlsKey === undefined || tlsCert === undefined ? undefined : { key: readText(tlsKey), cert: readText(tlsCert) }
}

async function listening<Server>(starting: Promise<Server>, port: number): Promise<Server> {
  try {
    return await starting
  } catch (error) {
    const reason = error instanceof Error && 'code' in error ? String(error.code) : 'unknown'
    throw new CliError('CLI_ERR_OUTPUT', `port ${port} cannot be listened on: ${reason}`, {
      fix: 'choose another --port'
    })
  }
}
