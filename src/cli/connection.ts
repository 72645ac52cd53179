/**
 * The place of Kinesis and the options of the producer: flags, then KINESIS_PRODUCER_* variables, then the config file.
 * Example: `--set aggregationEnabled=false` beats `KINESIS_PRODUCER_AGGREGATION_ENABLED=true`.
 * Invariant: values are checked by the library's own resolver, so there is no second table; secrets come from the SDK's chain only.
 */
import type { KinesisClient, KinesisClientConfig } from '@aws-sdk/client-kinesis'
import { fromKplProperties, KinesisProducer, type ProducerOptions } from '../index.ts'
import { OPTIONS, type OptionEntry } from '../model/options.ts'
import { type CommonConfig, commonConfig, parseJsonc, readText } from './config.ts'
import { CliError } from './errors.ts'
import { libraryLog } from './output/library-log.ts'
import type { Session } from './session.ts'

const PREFIX = 'KINESIS_PRODUCER_'
/** No option of the producer: where `agent` keeps its state. */
export const STATE_VARIABLE = 'KINESIS_PRODUCER_STATE'
export const LOCAL_ENDPOINT = 'http://127.0.0.1:4567'
/** Credentials for a server that checks none. */
const LOCAL_CREDENTIALS = { accessKeyId: 'local', secretAccessKey: 'local' }

/**
 * Returns the options that flags, variables and the config file ask for; not checked yet. A caller that has read the file already gives `config`.
 */
export function producerOptions(session: Session, config: CommonConfig = givenConfig(session)): ProducerOptions {
  const { flags, host } = session
  const { producer, ...place } = config
  const local =
    flags.local === true ? { endpoint: LOCAL_ENDPOINT, region: 'us-east-1', credentials: LOCAL_CREDENTIALS } : {}
  return {
    logger: libraryLog(session),
    ...place,
    ...producer,
    ...ofProperties(session),
    ...ofVariables(host.env),
    ...local,
    ...(flags.region === undefined ? undefined : { region: flags.region }),
    ...(flags.endpoint === undefined ? undefined : { endpoint: flags.endpoint }),
    ...(flags.allowInsecureEndpoint === true ? { allowInsecureEndpoint: true } : undefined),
    ...Object.fromEntries(flags.set.map(setOption))
  }
}

/** Returns a producer with the session's options. Throws OptionsError for what will not do. */
export function producerFor(session: Session, options: ProducerOptions): KinesisProducer {
  return new KinesisProducer(options, session.host.producerPorts)
}

/** Returns a client with a region. Throws CLI_ERR_SERVICE at once when there is none: retries would not find one. */
export async function kinesisClient(session: Session): Promise<KinesisClient> {
  const client = await plainClient(session)
  try {
    await client.config.region()
    return client
  } catch (error) {
    const fix = 'give --region, AWS_REGION, or region in ~/.aws/config'
    throw new CliError('CLI_ERR_SERVICE', 'no region is set', { fix, cause: error })
  }
}

/** Returns a client with the region, endpoint and credentials of the producer's options, as far as they are there. */
export async function plainClient(
  session: Session,
  more: KinesisClientConfig = {},
  config?: CommonConfig
): Promise<KinesisClient> {
  const { region, endpoint, credentials, allowInsecureEndpoint } = producerOptions(session, config)
  if (endpoint !== undefined) assertEndpoint(endpoint, allowInsecureEndpoint === true)
  const { KinesisClient } = await import('@aws-sdk/client-kinesis')
  return new KinesisClient({
    ...(region === undefined ? undefined : { region }),
    ...(endpoint === undefined ? undefined : { endpoint }),
    ...(credentials === undefined ? undefined : { credentials }),
    ...more
  })
}

/** Returns what all commands share of the file that --config names; nothing without one. */
export function givenConfig({ flags: { config } }: Session): CommonConfig {
  return config === undefined ? { producer: {} } : commonConfig(parseJsonc(readText(config), config), config)
}

/** Throws CLI_ERR_USAGE for a text that is not a URL, and for plain http to another machine. */
export function assertEndpoint(endpoint: string, mayBeInsecure: boolean): void {
  const url = URL.canParse(endpoint) ? new URL(endpoint) : undefined
  if (url === undefined) throw new CliError('CLI_ERR_USAGE', 'the endpoint is not a URL with its scheme')
  const isHere = /^(?:localhost|127(?:\.\d+){3}|\[::1\])$/.test(url.hostname)
  if (url.protocol === 'https:' || isHere || mayBeInsecure) return
  throw new CliError('CLI_ERR_USAGE', 'the endpoint is plain http and not on this machine', {
    fix: 'use https, or --allow-insecure-endpoint'
  })
}

function ofProperties(session: Session): ProducerOptions {
  const { flags } = session
  if (flags.kplProperties === undefined) return {}
  const { options, notApplicable, unknown } = fromKplProperties(readText(flags.kplProperties))
  if (unknown.length > 0) {
    throw new CliError(
      'CLI_ERR_CONFIG',
      `${flags.kplProperties}: the KPL has no properties ${unknown.join(', ').slice(0, 200)}`
    )
  }
  for (const { property, reason } of notApplicable) void session.note(`${property} has no effect here: ${reason}`)
  return options
}

/** `KINESIS_PRODUCER_RECORD_TTL_MS` is `recordTtlMs`. */
function ofVariables(env: Readonly<Record<string, string | undefined>>): Readonly<Record<string, unknown>> {
  const options: Record<string, unknown> = {}
  for (const [variable, text] of Object.entries(env)) {
    if (!variable.startsWith(PREFIX) || text === undefined || variable === STATE_VARIABLE) continue
    const name = variable.slice(PREFIX.length).toLowerCase()
    const option = name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())
    options[option] = typedValue(option, text)
  }
  return options
}

function setOption(text: string): readonly [string, unknown] {
  const end = text.indexOf('=')
  if (end <= 0) throw new CliError('CLI_ERR_USAGE', '--set takes NAME=VALUE, for instance --set recordTtlMs=60000')
  const name = text.slice(0, end)
  return [name, typedValue(name, text.slice(end + 1))]
}

const TABLE: Readonly<Record<string, OptionEntry>> = OPTIONS

/** A value that is no number or boolean stays a text. So the library's error names the option and its kind. */
function typedValue(name: string, text: string): unknown {
  const kind = Object.hasOwn(TABLE, name) ? TABLE[name]!.kind : undefined
  if (kind === 'object') throw new CliError('CLI_ERR_USAGE', `${name} is an object and cannot be set on a command line`)
  if (kind === 'integer' && /^(?:-?\d+|Infinity)$/.test(text)) return Number(text)
  if (kind === 'boolean' && /^(?:true|false)$/.test(text)) return text === 'true'
  return text
}
