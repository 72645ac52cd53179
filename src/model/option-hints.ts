/**
 * The right option for an unknown one: for names of the KPL, of other producers and of the AWS SDK, and for typing errors.
 * Example: `batchSize` -> "collectionMaxCount limits ...; aggregationMaxCount ..."; `recordTtl` -> "did you mean recordTtlMs?".
 * Invariant: pure; a hint repeats no value, and names only options that exist (test/model/option-hints.test.ts).
 */
import { NOT_APPLICABLE } from './kpl-properties.ts'
import { OPTIONS, type OptionEntry } from './options.ts'
import { shownName } from './records.ts'

const MAX_NAME_CHARACTERS = 64
const SHORTEST_BEGINNING = 3
const CREDENTIALS = 'write credentials: { accessKeyId, secretAccessKey, sessionToken }, or leave them to the SDK'
const RETRIES = 'the producer sends a record again until recordTtlMs; retryBaseMs and retryCapMs limit the pauses'
const BATCH =
  'collectionMaxCount limits the Kinesis records of a request, aggregationMaxCount the user records of an aggregate'
const BATCH_BYTES = 'collectionMaxBytes limits a request, aggregationMaxBytes an aggregate'
const WAIT = 'recordMaxBufferedTimeMs is the longest wait from put to request, in milliseconds'
const BUFFER = 'bufferMaxBytes and bufferMaxRecords limit the buffer'
const SOCKETS = 'maxInFlightRequests limits the requests at one time, and the sockets'
const TIMEOUT = 'requestTimeoutMs limits one request, recordTtlMs a record with all its attempts'
const TTL = 'recordTtlMs limits the time of a record with all its attempts'
const FAILURES = 'the promise of put, or the callback of tryPut, has the result of a record; a logger gets the rest'
const AGENT = 'requestHandler takes agents: { httpsAgent }'
const STREAM = 'streamName takes a name or an ARN'
const ENDPOINT = 'endpoint takes a URL with its scheme'
const LOGGER = 'give a logger, and set the level there'
const OF_RECORD = 'it belongs to each record: put({ partitionKey, data, explicitHashKey })'
const FIPS =
  'endpoint takes the URL of such an endpoint; AWS_USE_FIPS_ENDPOINT and AWS_USE_DUALSTACK_ENDPOINT are read too'
const PORTS = 'it belongs in the second argument: new KinesisProducer(options, { transport, clock, random })'
const DUPLICATES = 'Kinesis has no idempotent writes; with dedupeTags consumers can drop duplicates'
const ORDER = "ordering: 'key' keeps the order of each key"

/** By name in small letters, without anything but letters and digits. */
const ELSEWHERE = new Map<string, string>([
  ...named(
    RETRIES,
    'maxRetries retries maxRetry retryCount maxAttempts retryLimit numRetries maxRetryAttempts retry retryMode'
  ),
  ...named(BATCH, 'batchSize maxBatchSize maxBatchCount batchCount batchMaxRecords maxRecords maxRecordsPerBatch'),
  ...named(BATCH_BYTES, 'batchBytes maxBatchBytes batchMaxBytes maxRequestSize maxBatchSizeBytes'),
  ...named(WAIT, 'flushInterval flushIntervalMs flushTimeout flushTimeoutMs flushEvery maxBufferedTime maxBufferTime'),
  ...named(
    WAIT,
    'maxBufferedTimeMs bufferTime bufferTimeMs bufferInterval linger lingerMs batchTimeout batchTimeoutMs batchTime batchTimeMs'
  ),
  ...named(WAIT, 'maxLatency maxLatencyMs batchInterval batchIntervalMs maxWait maxWaitMs delay interval'),
  ...named(BUFFER, 'bufferSize maxBufferSize bufferMemory queueSize maxQueueSize maxOutstandingRecords highWaterMark'),
  ...named(
    SOCKETS,
    'maxConnections concurrency maxConcurrency maxConcurrentRequests maxSockets maxInFlight parallelism connections'
  ),
  ...named(TIMEOUT, 'timeout timeoutMs requestTimeout'),
  ...named(TTL, 'ttl ttlMs timeToLive maxAge deliveryTimeout deliveryTimeoutMs messageTimeoutMs'),
  ...named(
    FAILURES,
    'onError onFailure errorHandler onDelivery onDelivered onSuccess onRecord deliveryCallback callback'
  ),
  ...named(
    CREDENTIALS,
    'accessKeyId secretAccessKey sessionToken accessKey secretKey awsAccessKeyId awsSecretAccessKey credentialDefaultProvider credentialProvider'
  ),
  ...named('write credentials: fromIni({ profile }), or set AWS_PROFILE', 'profile awsProfile'),
  ...named(AGENT, 'httpsAgent httpAgent agent httpOptions proxy'),
  ...named(
    'aggregationEnabled turns it on or off',
    'aggregation aggregate useAggregation aggregated enableAggregation'
  ),
  ...named(
    'rateLimitPercent is a percentage of the limit of one shard, not a number of records',
    'rateLimit throttle rate maxRate'
  ),
  ...named(STREAM, 'stream streams streamArn topic streamId'),
  ...named(FIPS, 'useFipsEndpoint useDualstackEndpoint useFips fips'),
  ...named(PORTS, 'transport clock random'),
  ...named('endpoint decides: https, or http on this machine', 'sslEnabled ssl tls useSsl secure'),
  ...named(ENDPOINT, 'endpointUrl url host kinesisEndpoint serviceUrl'),
  ...named(LOGGER, 'debug verbose logLevel log'),
  ...named('client takes a KinesisClient', 'kinesis kinesisClient sdk'),
  ...named('the option is region', 'awsRegion'),
  ...named(OF_RECORD, 'partitionKey explicitHashKey key'),
  ...named(DUPLICATES, 'idempotent enableIdempotence dedupe deduplicate exactlyOnce'),
  ...named(ORDER, 'ordered order fifo preserveOrder strictOrdering'),
  ...named('the producer does not compress: compress data before put', 'compression compress gzip compressionType')
])

/** Returns the fault of a name that is no option, with what to write instead where that is known. */
export function unknownOption(name: string): string {
  const shown = shownName(name)
  const hint = hintFor(name.slice(0, MAX_NAME_CHARACTERS))
  return hint === undefined ? `${shown} is not an option` : `${shown} is not an option; ${hint}`
}

function hintFor(name: string): string | undefined {
  const plain = plainOf(name)
  if (plain === '') return undefined
  // The KPL writes its properties with a capital; in small letters the same word is rather a slip of ours.
  const property = /^(?:[A-Z]|set[A-Z])/.test(name) ? ofKpl(plain) : undefined
  const known = property ?? ELSEWHERE.get(plain)
  if (known !== undefined) return known
  const begun = Object.keys(OPTIONS).find(option => isBegun(plain, plainOf(option)))
  const meant = begun ?? nearestOption(plain)
  return meant === undefined ? undefined : `did you mean ${meant}?`
}

/** Whether one of the two begins with the other. */
function isBegun(plain: string, option: string): boolean {
  return plain.length >= SHORTEST_BEGINNING && (option.startsWith(plain) || plain.startsWith(option))
}

/** A property of the KPL by its own name, or by that of its setter. */
function ofKpl(plain: string): string | undefined {
  const isNamed = (property: string): boolean => plain === plainOf(property) || plain === `set${plainOf(property)}`
  for (const [option, entry] of Object.entries<OptionEntry>(OPTIONS)) {
    const isSameName = 'kpl' in entry && entry.kpl !== undefined && isNamed(entry.kpl)
    if (!isSameName) continue
    if (option === 'endpoint') return ENDPOINT
    return `${option} is the KPL's ${entry.kpl}${entry.kind === 'integer' ? `, in ${entry.unit}` : ''}`
  }
  const [property, reason] = Object.entries(NOT_APPLICABLE).find(([known]) => isNamed(known)) ?? []
  return property === undefined ? undefined : `the KPL's ${property} has no meaning here: ${reason}`
}

/** The option with the fewest changed letters, if they are few. */
function nearestOption(plain: string): string | undefined {
  const mostEdits = Math.floor(plain.length / 4)
  const [nearest] = Object.keys(OPTIONS)
    .map(option => ({ option, edits: editDistance(plain, plainOf(option)) }))
    .filter(({ edits }) => edits <= mostEdits)
    .sort((a, b) => a.edits - b.edits)
  return nearest?.option
}

/** Returns how many letters have to be added, left out, changed or swapped with their neighbour. */
function editDistance(from: string, to: string): number {
  let before: number[] = []
  let last = Array.from({ length: to.length + 1 }, (_, i) => i)
  for (let i = 1; i <= from.length; i++) {
    const row = [i]
    for (let j = 1; j <= to.length; j++) {
      const isSame = from[i - 1] === to[j - 1]
      const isSwapped = i > 1 && j > 1 && from[i - 1] === to[j - 2] && from[i - 2] === to[j - 1]
      const fewest = Math.min(last[j]! + 1, row[j - 1]! + 1, last[j - 1]! + (isSame ? 0 : 1))
      row.push(isSwapped ? Math.min(fewest, before[j - 2]! + 1) : fewest)
    }
    before = last
    last = row
  }
  return last[to.length]!
}

function plainOf(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9]/g, '')
}

function named(hint: string, names: string): [string, string][] {
  return names.split(' ').map(name => [plainOf(name), hint])
}
