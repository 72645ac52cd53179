/**
 * `doctor`: one check after the other; those that need an earlier one are left out when that failed.
 * Invariant: changes nothing, unless --write asks for one record. Ends with 1 if a check failed, with 3 if the service could not be
 * reached at all.
 */
import type { KinesisClient } from '@aws-sdk/client-kinesis'
import type { AgentConfig } from '../agent/config.ts'
import type { StateFlags } from '../agent/state-place.ts'
import { type Outcome, type Words, wordAt } from '../command.ts'
import { plainClient, producerFor, producerOptions } from '../connection.ts'
import type { SchemaPlaceFlags } from '../schema/schema-flags.ts'
import type { Session } from '../session.ts'
import { addressOf, listAllShards, type StreamFacts, streamSummary } from '../stream-calls.ts'
import { type Asked, type Check, failureCheck, isUnreachable, type Tell } from './check.ts'
import { ClockWatch } from './clock-watch.ts'
import { commonOf, localChecks } from './local-checks.ts'
import { schemaCheck } from './schema-check.ts'

export interface DoctorFlags extends StateFlags, SchemaPlaceFlags {
  readonly write?: boolean
  readonly read?: boolean
}

/** First releases of Node.js 20 and 22 that the package runs on; every later line does. The manifest says the same. */
const MIN_NODE_20_MINOR = 19
const MIN_NODE_22_MINOR = 12

export async function runDoctor(session: Session, flags: DoctorFlags, words: Words): Promise<Outcome> {
  const stream = wordAt(words, 0)
  const checks: Check[] = []
  const isJson = session.flags.json === true
  const tell = async (check: Check) => {
    checks.push(check)
    await session.host.stdout.write(isJson ? `${JSON.stringify({ type: 'check', ...check })}\n` : lineOf(check))
  }
  await tell(nodeCheck(session.host.nodeVersion))
  const config = await localChecks(session, flags, tell)
  if (config === 'bad') return outcomeOf(checks, true)
  const client = await plainClient(session, { maxAttempts: 2 }, commonOf(config))
  const watch = new ClockWatch(session, client)
  let isReached = true
  try {
    const region = await regionCheck(client, tell)
    const hasCredentials = await credentialsCheck(session, client, tell)
    const streams = stream === undefined ? [...new Set(config?.flows.map(flow => flow.stream))] : [stream]
    for (const each of region !== undefined && hasCredentials ? streams : []) {
      isReached = await streamChecks({ session, client, config, stream: each, region: region ?? '', flags, tell })
      if (!isReached) break
    }
    if (flags.schema !== undefined && region !== undefined && hasCredentials) {
      await tell(await schemaCheck(session, flags, stream))
    }
    for (const check of watch.checks()) await tell(check)
  } finally {
    client.destroy()
  }
  return outcomeOf(checks, isReached)
}

function outcomeOf(checks: readonly Check[], isReached: boolean): Outcome {
  const failed = checks.filter(({ status }) => status === 'fail').length
  const warned = checks.filter(({ status }) => status === 'warn').length
  const summary = { passed: checks.length - failed - warned, warned, failed }
  return {
    exit: isReached ? (failed > 0 ? 1 : 0) : 3,
    summary,
    text: `${summary.passed} passed, ${warned} warnings, ${failed} failed`
  }
}

function nodeCheck(node: string): Check {
  const [major = 0, minor = 0] = node.split('.').map(Number)
  const isNode20 = major === 20 && minor >= MIN_NODE_20_MINOR
  const isNode22 = major === 22 && minor >= MIN_NODE_22_MINOR
  const message = `Node.js ${node}`
  if (isNode20 || isNode22 || major > 22) return { id: 'node', status: 'pass', message }
  const fix = `use Node.js 20.${MIN_NODE_20_MINOR}, 22.${MIN_NODE_22_MINOR} or later`
  return { id: 'node', status: 'fail', message, fix }
}

async function regionCheck(client: KinesisClient, tell: Tell): Promise<string | undefined> {
  try {
    const region = await client.config.region()
    await tell({ id: 'region', status: 'pass', message: region })
    return region
  } catch {
    // The SDK says only that it is missing, in many words.
    await tell({
      id: 'region',
      status: 'fail',
      message: 'no region is set',
      fix: 'give --region, AWS_REGION, or region in ~/.aws/config'
    })
    return undefined
  }
}

async function credentialsCheck({ host }: Session, client: KinesisClient, tell: Tell): Promise<boolean> {
  try {
    const { expiration } = await client.config.credentials()
    const leftMs = expiration === undefined ? Number.POSITIVE_INFINITY : expiration.getTime() - host.wallMs()
    if (leftMs <= 0) {
      await tell({
        id: 'credentials',
        status: 'fail',
        message: 'they have expired',
        fix: 'renew them (aws sso login, or the role)'
      })
      return false
    }
    const until = Number.isFinite(leftMs) ? `found; they expire in ${Math.round(leftMs / 60_000)} min` : 'found'
    await tell({ id: 'credentials', status: 'pass', message: until })
    return true
  } catch (error) {
    const name = error instanceof Error ? error.name : 'unknown'
    await tell({
      id: 'credentials',
      status: 'fail',
      message: `none were found (${name})`,
      fix: 'set AWS_PROFILE, or give the machine a role'
    })
    return false
  }
}

interface StreamRun {
  readonly session: Session
  readonly client: KinesisClient
  readonly config: AgentConfig | undefined
  readonly stream: string
  readonly region: string
  readonly flags: DoctorFlags
  readonly tell: Tell
}

/** Returns false when the service could not be reached. */
async function streamChecks({ session, client, config, stream, region, flags, tell }: StreamRun): Promise<boolean> {
  const asked = (id: string, action: string): Asked => ({ id, action: `kinesis:${action}`, stream, region })
  const other = arnRegionCheck(stream, region)
  if (other !== undefined) {
    await tell(other)
    return true
  }
  let isReached = true
  let isThere = true
  const attempt = async (question: Asked, act: () => Promise<readonly Check[]>) => {
    try {
      for (const check of await act()) await tell(check)
    } catch (error) {
      if (isUnreachable(error)) isReached = false
      if (error instanceof Error && /ResourceNotFound/.test(error.name)) isThere = false
      await tell(failureCheck(question, error))
    }
  }
  await attempt(asked('stream', 'DescribeStreamSummary'), async () =>
    factChecks(stream, await streamSummary(client, stream))
  )
  if (!isReached || !isThere) return isReached
  await attempt(asked('shards', 'ListShards'), async () => {
    const shards = await listAllShards(client, stream)
    return [{ id: 'shards', status: 'pass', message: `${shards.length} listed` }]
  })
  if (flags.write === true) await attempt(asked('write', 'PutRecords'), () => writeCheck(session, stream, config))
  else
    await tell({
      id: 'write',
      status: 'warn',
      message: 'kinesis:PutRecords was not tried',
      fix: 'add --write: it puts one record of one byte'
    })
  if (flags.read === true) await attempt(asked('read', 'GetRecords'), () => readCheck(client, stream))
  return isReached
}

/** A stream's ARN names its region: asked elsewhere, the service only says that there is none. */
function arnRegionCheck(stream: string, region: string): Check | undefined {
  const [scheme, , , arnRegion = ''] = stream.split(':')
  if (scheme !== 'arn' || arnRegion === region) return undefined
  const message = `the ARN is of the region ${arnRegion}, and ${region} is asked`
  return { id: 'stream', status: 'fail', message, fix: `give --region ${arnRegion}` }
}

function factChecks(stream: string, { status, mode, distribution, openShards, encryption }: StreamFacts): Check[] {
  const isUsable = status === 'ACTIVE' || status === 'UPDATING'
  const state: Check = isUsable
    ? {
        id: 'stream',
        status: 'pass',
        message: `${stream} is ${status}, ${mode}, ${openShards} open shards, encryption ${encryption}`
      }
    : {
        id: 'stream',
        status: 'fail',
        message: `${stream} is ${status}`,
        fix: status === 'CREATING' ? 'wait until it is ACTIVE' : 'choose another stream: this one goes away'
      }
  if (distribution !== 'AUTO') return [state]
  return [
    state,
    {
      id: 'distribution',
      status: 'warn',
      message: 'the service chooses the shards, so records are not aggregated',
      fix: 'this costs more a record; keyed streams aggregate'
    }
  ]
}

async function writeCheck(
  session: Session,
  stream: string,
  config: AgentConfig | undefined
): Promise<readonly Check[]> {
  const producer = producerFor(session, {
    ...producerOptions(session, commonOf(config)),
    streamName: stream,
    recordTtlMs: 15_000
  })
  try {
    await producer.put({ partitionKey: 'doctor', data: 'x' })
    return [{ id: 'write', status: 'pass', message: 'one record was acknowledged' }]
  } catch (error) {
    throw serviceErrorOf(error)
  } finally {
    await producer.close({ timeoutMs: 0 })
  }
}

/** A failed record says which code the service gave; the checks go by that name. */
function serviceErrorOf(error: unknown): unknown {
  if (!(error instanceof Error && 'serviceCode' in error && typeof error.serviceCode === 'string')) return error
  return Object.assign(new Error(error.message), { name: error.serviceCode })
}

async function readCheck(client: KinesisClient, stream: string): Promise<readonly Check[]> {
  const { GetRecordsCommand, GetShardIteratorCommand } = await import('@aws-sdk/client-kinesis')
  const [shard] = await listAllShards(client, stream)
  const iterator = await client.send(
    new GetShardIteratorCommand({ ...addressOf(stream), ShardId: shard?.ShardId, ShardIteratorType: 'LATEST' })
  )
  await client.send(new GetRecordsCommand({ ShardIterator: iterator.ShardIterator, Limit: 1, ...arnOf(stream) }))
  return [{ id: 'read', status: 'pass', message: `${shard?.ShardId ?? 'a shard'} can be read` }]
}

function arnOf(stream: string): { readonly StreamARN?: string } {
  return stream.startsWith('arn:') ? { StreamARN: stream } : {}
}

function lineOf({ id, status, message, fix }: Check): string {
  return `${status.padEnd(4)}  ${id.padEnd(12)}  ${message}\n${fix === undefined ? '' : `      fix: ${fix}\n`}`
}
