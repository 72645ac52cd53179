/**
 * Reads a KPL `.properties` file into our options, for users who come from the KPL.
 * Invariant: every property of the file is in exactly one of the three lists, so nothing is lost without a word.
 * Source: KinesisProducerConfiguration.java, KPL 1.0.7; java.util.Properties for the syntax.
 */
import { OptionsError } from './errors.ts'
import { OPTIONS, type OptionEntry, type ProducerOptions } from './options.ts'
import { parseProperties } from './properties-file.ts'
import { kindOf } from './records.ts'

/** The content of a KPL properties file, in three lists. */
export interface KplProperties {
  /** Options for `new KinesisProducer`; values are as in the file and not yet checked against bounds. */
  readonly options: ProducerOptions
  /** KPL properties that have no meaning here, with the reason. */
  readonly notApplicable: readonly {
    /** The property of the file. */
    readonly property: string
    /** Why it has no meaning here. */
    readonly reason: string
  }[]
  /** Names that the KPL does not know either. */
  readonly unknown: readonly string[]
}

const NO_DAEMON = 'there is no native process'
const METRICS = 'metrics are a setting of their exporter'
const STS = 'the KPL has ignored it since 1.0.5'
const SDK = "belongs to the AWS SDK client's configuration"
const GLUE = 'fromGlueProperties of kinesis-producer/glue reads that file'

/** Properties that have no meaning here, with the reason. */
export const NOT_APPLICABLE: Readonly<Record<string, string>> = {
  CloudwatchEndpoint: METRICS,
  CloudwatchPort: METRICS,
  MetricsGranularity: METRICS,
  MetricsLevel: METRICS,
  MetricsNamespace: METRICS,
  MetricsUploadDelay: METRICS,
  CredentialsRefreshDelay: 'the AWS SDK refreshes credentials by itself',
  EnableCoreDumps: NO_DAEMON,
  LogLevel: 'pass a logger, and set the level there',
  MinConnections: 'the KPL does not read it',
  NativeExecutable: NO_DAEMON,
  TempDirectory: NO_DAEMON,
  VerifyCertificate: 'certificates are always verified; give the SDK client a CA instead',
  ProxyHost: SDK,
  ProxyPort: SDK,
  ProxyUserName: SDK,
  ProxyPassword: SDK,
  CaCertPath: SDK,
  CaCertFile: SDK,
  StsEndpoint: STS,
  StsPort: STS,
  ThreadingModel: NO_DAEMON,
  ThreadPoolSize: NO_DAEMON,
  UserRecordTimeoutInMillis: 'recordTtlMs limits the time of a record; put takes an AbortSignal',
  EnableOldestFutureTracker: NO_DAEMON,
  ReturnUserRecordOnFailure: 'the caller of put still has the record; putAll and writable return it',
  EnableDaemonHealthCheck: NO_DAEMON,
  DaemonHealthCheckTimeoutMs: NO_DAEMON,
  GlueSchemaRegistryPropertiesFilePath: GLUE
}

/**
 * Returns the options of a KPL properties file. `KinesisEndpoint` and `KinesisPort` become one https URL, because the KPL uses only
 * https. A value that should be a number or a boolean, and is not, stays text, and the constructor of the producer names it. Throws
 * OptionsError for an argument that is not text.
 *
 * @example
 * const { options, notApplicable, unknown } = fromKplProperties('RecordMaxBufferedTime = 50\nMinConnections = 1')
 * options // => { recordMaxBufferedTimeMs: 50 }
 * notApplicable // => [{ property: 'MinConnections', reason: 'the KPL does not read it' }]
 * unknown // => []
 */
export function fromKplProperties(text: string): KplProperties {
  if (typeof text !== 'string') throw new OptionsError([`fromKplProperties takes the file's text, got ${kindOf(text)}`])
  const options: Record<string, unknown> = {}
  const notApplicable: { property: string; reason: string }[] = []
  const unknown: string[] = []
  const properties = new Map(parseProperties(text))
  for (const [property, value] of properties) {
    const name = OPTION_OF_PROPERTY.get(property)
    if (property === 'KinesisPort') continue
    if (name === 'endpoint') options[name] = endpointUrl(value, properties.get('KinesisPort'))
    else if (name !== undefined) options[name] = parseValue(OPTIONS[name], value)
    else if (Object.hasOwn(NOT_APPLICABLE, property))
      notApplicable.push({ property, reason: NOT_APPLICABLE[property]! })
    else unknown.push(property)
  }
  if (properties.has('KinesisPort') && !properties.has('KinesisEndpoint')) {
    notApplicable.push({ property: 'KinesisPort', reason: 'the KPL uses it only with KinesisEndpoint' })
  }
  if (options['region'] === '') delete options['region']
  if (options['endpoint'] === '') delete options['endpoint']
  return { options, notApplicable, unknown }
}

const OPTION_OF_PROPERTY = new Map<string, keyof typeof OPTIONS>(
  Object.entries<OptionEntry>(OPTIONS).flatMap(([name, entry]) =>
    'kpl' in entry && entry.kpl !== undefined ? [[entry.kpl, name as keyof typeof OPTIONS]] : []
  )
)

function parseValue(entry: OptionEntry, text: string): unknown {
  if (entry.kind === 'integer') return /^-?\d{1,19}$/.test(text) ? Number(text) : text
  if (entry.kind === 'boolean') return text === 'true' ? true : text === 'false' ? false : text
  return text
}

function endpointUrl(host: string, port: string | undefined): string {
  if (host === '') return ''
  return port === undefined ? `https://${host}` : `https://${host}:${port}`
}
