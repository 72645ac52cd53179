/**
 * The config file of the Kinesis Agent as one of ours, with everything that changes told.
 * Example: `{"flows":[{"filePattern":"/tmp/a.log*","kinesisStream":"s"}]}` becomes a flow of `s` with `keepNewline`, as the Agent's records end in their newline.
 * Invariant: every key of the file and of its flows, and every step of them, is in exactly one of `applied`, `notApplicable`, `unsupported` and `unknown`.
 * No secret is copied.
 */
import { CliError } from '../errors.ts'
import type { Json } from '../output/json.ts'
import { importFlow } from './import-flow.ts'
import { ImportLists, type ImportNote, numberOf, textOf } from './import-lists.ts'

export interface AgentImport {
  /** A config file of `agent`. */
  readonly config: Readonly<Record<string, Json>>
  /** Keys that have a counterpart, and where they went. */
  readonly applied: readonly ImportNote[]
  /** Keys without effect here, and why. */
  readonly notApplicable: readonly ImportNote[]
  /** Keys that ask for a missing feature: it does not work as with the Agent. */
  readonly unsupported: readonly ImportNote[]
  /** Keys that the Agent does not know either. */
  readonly unknown: readonly string[]
}

const DAY = 'd'
const SENDING = 'the producer sends by itself; see docs/tuning.md'
const SDK = 'connections belong to the AWS SDK'
const METRICS = 'metrics are those of the library; kinesis-producer/cloudwatch exports them'
const LOG = 'messages go to stderr, to be kept by the service manager; --verbose shows more'
const SECRET = 'it is not copied: put it into ~/.aws/credentials, or better give the machine a role'
const SQLITE = 'the state is no database'

/** Keys of the file without effect, and why. */
const WITHOUT_EFFECT: Readonly<Record<string, string>> = {
  awsAccessKeyId: SECRET,
  awsSecretAccessKey: SECRET,
  'sts.endpoint': 'the AWS SDK asks STS itself; AWS_ENDPOINT_URL_STS names another endpoint',
  'firehose.endpoint': 'there is no Firehose here',
  maxSendingThreads: SENDING,
  maxSendingThreadsPerCore: SENDING,
  sendingThreadsKeepAliveMillis: SENDING,
  sendingThreadsMaxQueueSize: SENDING,
  maxConnections: SDK,
  connectionTimeoutMillis: SDK,
  connectionTTLMillis: SDK,
  socketTimeoutMillis: SDK,
  useTcpKeepAlive: SDK,
  useHttpGzip: SDK,
  userAgent: SDK,
  userAgentOverride: SDK,
  'checkpoints.queryTimeoutSeconds': SQLITE,
  'checkpoints.connectionTimeoutSeconds': SQLITE,
  'log.level': LOG,
  'log.file': LOG,
  'log.emitMetrics': LOG,
  'log.emitInternalMetrics': LOG,
  'log.statusReportingPeriodSeconds': 'progress comes each 30 s; --progress json each second',
  'cloudwatch.emitMetrics': METRICS,
  'cloudwatch.endpoint': METRICS,
  'cloudwatch.namespace': METRICS,
  'cloudwatch.tagInstance': METRICS,
  'cloudwatch.metricsBufferTimeMillis': METRICS,
  'cloudwatch.metricsQueueSize': METRICS
}

/** Whether a parsed file is the Agent's and not ours. */
export function isAgentJson(value: unknown): boolean {
  if (!(value instanceof Object)) return false
  const names = Object.keys(value)
  const flows: readonly unknown[] = 'flows' in value && Array.isArray(value.flows) ? value.flows : []
  const isFlow = (flow: unknown) =>
    flow instanceof Object && ('filePattern' in flow || 'kinesisStream' in flow || 'deliveryStream' in flow)
  return flows.some(isFlow) || names.some(name => name.includes('.') || Object.hasOwn(WITHOUT_EFFECT, name))
}

/** Returns our config for the Agent's parsed file. Throws CLI_ERR_CONFIG when it is not of the Agent's shape. */
export function importAgentJson(value: unknown, path: string): AgentImport {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new CliError('CLI_ERR_CONFIG', `${path} must be an object`)
  const given: Readonly<Record<string, unknown>> = { ...value }
  const lists = new ImportLists()
  const config: Record<string, Json> = {}
  let forgetAfter: string | undefined
  for (const [key, item] of Object.entries(given)) {
    if (key === 'flows' || key === 'assumeRoleExternalId') continue
    if (Object.hasOwn(WITHOUT_EFFECT, key)) lists.notApplicable(key, WITHOUT_EFFECT[key]!)
    // The file that comes with the Agent has an empty endpoint: the default.
    else if (item === '' && key.startsWith('kinesis.')) lists.notApplicable(key, 'it is empty: the default')
    else if (key === 'kinesis.region') lists.set(config, 'region', textOf(item, key), key)
    else if (key === 'kinesis.endpoint') importEndpoint(config, textOf(item, key), given, lists)
    else if (key === 'checkpointFile') importState(config, textOf(item, key), lists)
    else if (key === 'checkpointTimeToLiveDays') {
      forgetAfter = `${numberOf(item, key)}${DAY}`
      lists.applied(key, `flows[].forgetAfter ${forgetAfter}`)
    } else if (key === 'shutdownTimeoutMillis')
      lists.notApplicable(key, `start with --drain ${numberOf(item, key)}ms for the same; the default is 30s`)
    else if (key === 'assumeRoleARN') importRole(textOf(item, key), given, lists)
    else if (key.startsWith('userDefinedCredentialsProvider.'))
      lists.unsupported(key, 'a Java class cannot be used; credential_process in ~/.aws/config runs a program instead')
    else lists.unknown(key)
  }
  if (given['assumeRoleARN'] === undefined && given['assumeRoleExternalId'] !== undefined)
    lists.notApplicable('assumeRoleExternalId', 'it is used only with assumeRoleARN')
  config['flows'] = importFlows(given['flows'], forgetAfter, lists)
  return { config, ...lists.all() }
}

function importFlows(flows: unknown, forgetAfter: string | undefined, lists: ImportLists): readonly Json[] {
  if (!Array.isArray(flows)) throw new CliError('CLI_ERR_CONFIG', 'flows must be a list')
  const more = forgetAfter === undefined ? {} : { forgetAfter }
  const imported = flows.flatMap((flow: unknown, place) => {
    const made = importFlow(flow, `flows[${place}]`, lists)
    return made === undefined ? [] : [Object.assign(made, more)]
  })
  // Flows of one stream need names; the others are named by their stream.
  return imported.map((flow, place) => {
    const isAlone = imported.every((other, at) => at === place || other['stream'] !== flow['stream'])
    return isAlone ? flow : { id: `${flow['stream']} ${flow['files']}`, ...flow }
  })
}

/** The service's own endpoints say nothing but the region. */
function importEndpoint(
  config: Record<string, Json>,
  endpoint: string,
  given: Readonly<Record<string, unknown>>,
  lists: ImportLists
): void {
  const host = endpoint.replace(/^https?:\/\//, '').replace(/\/$/, '')
  const [, region] = /^kinesis\.([a-z0-9-]+)\.amazonaws\.com(?:\.cn)?$/.exec(host) ?? []
  if (region === undefined) {
    const url = endpoint.includes('://') ? endpoint : `https://${endpoint}`
    lists.set(config, 'endpoint', url, 'kinesis.endpoint')
    return
  }
  const isNamed = given['kinesis.region'] !== undefined
  if (isNamed && given['kinesis.region'] !== region) {
    lists.set(config, 'endpoint', `https://${host}`, 'kinesis.endpoint')
    return
  }
  if (!isNamed) config['region'] = region
  lists.applied('kinesis.endpoint', `region ${region}`)
}

/** The system empties these folders when it starts, and with them the checkpoints. */
function importState(config: Record<string, Json>, file: string, lists: ImportLists): void {
  const kept = file.replace(/^(?:\/var)?\/run\//, '/var/lib/')
  const state = `${kept.replace(/\/[^/]*$/, '')}/kinesis-producer`
  config['state'] = state
  lists.applied(
    'checkpointFile',
    `state ${state}; the offsets themselves are not imported: stop the Agent when it has read everything, then start with from "end", or accept repeats with "start"`
  )
}

function importRole(role: string, given: Readonly<Record<string, unknown>>, lists: ImportLists): void {
  const id = given['assumeRoleExternalId']
  const external = id === undefined ? '' : `, external_id = ${textOf(id, 'assumeRoleExternalId')}`
  const profile = `[profile kinesis] role_arn = ${role}, credential_source = Ec2InstanceMetadata (or source_profile)${external}`
  lists.notApplicable('assumeRoleARN', `write into ~/.aws/config and use --profile kinesis: ${profile}`)
  if (id !== undefined) lists.notApplicable('assumeRoleExternalId', 'part of the same profile')
}
