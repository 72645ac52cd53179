/**
 * One flow of the Kinesis Agent as one of ours.
 * Invariant: the records have the bytes that the Agent would have sent, their newline too; where that is not so, a note says it.
 */
import { CliError } from '../errors.ts'
import type { Json } from '../output/json.ts'
import { type ImportLists, numberOf, textOf } from './import-lists.ts'
import { importRegex } from './import-regex.ts'
import { importSteps } from './import-steps.ts'

const MAX_COUNT = 500
const MIN_BYTES = 52_224
const MAX_BYTES = 5_242_880
const COMPRESSED = ['gz', 'bz2', 'zip', 'xz', 'zst']
const QUEUE = 'the buffer is one for all flows: bufferMaxBytes and bufferMaxRecords of the producer'
const RETRY = 'retries have their own pauses: retryBaseMs and retryCapMs of the producer'

const WITHOUT_EFFECT: Readonly<Record<string, string>> = {
  publishQueueCapacity: QUEUE,
  waitOnFullPublishQueueMillis: QUEUE,
  waitOnEmptyPublishQueueMillis: QUEUE,
  waitOnFullRetryQueueMillis: QUEUE,
  retryInitialBackoffMillis: RETRY,
  retryMaxBackoffMillis: RETRY,
  aggregatedRecordSizeBytes: 'it is for Firehose; records are aggregated as the KPL does it'
}

/** Returns the flow, or undefined for one to Firehose, which is noted as unsupported. */
export function importFlow(flow: unknown, path: string, lists: ImportLists): Record<string, Json> | undefined {
  if (typeof flow !== 'object' || flow === null || Array.isArray(flow))
    throw new CliError('CLI_ERR_CONFIG', `${path} must be an object`)
  const given: Readonly<Record<string, unknown>> = { ...flow }
  if (given['deliveryStream'] !== undefined) {
    lists.unsupported(`${path}.deliveryStream`, 'Firehose is another service; the flow is left out')
    return undefined
  }
  const out: Record<string, Json> = { stream: textOf(given['kinesisStream'], `${path}.kinesisStream`), files: [] }
  const producer: Record<string, Json> = {}
  for (const [name, value] of Object.entries(given)) importKey({ name, value, path, out, producer, lists })
  const files = out['files']
  if (!Array.isArray(files) || files.length === 0)
    throw new CliError('CLI_ERR_CONFIG', `${path}.filePattern is missing`)
  // As the Agent: its records end in their newline, and what is too large is cut.
  out['keepNewline'] = true
  out['maxRecord'] = 'truncate'
  out['truncatedTerminator'] ??= '\n'
  if (Object.keys(producer).length > 0) out['producer'] = producer
  return out
}

interface Key {
  readonly name: string
  readonly value: unknown
  readonly path: string
  readonly out: Record<string, Json>
  readonly producer: Record<string, Json>
  readonly lists: ImportLists
}

function importKey({ name, value, path, out, producer, lists }: Key): void {
  const key = `${path}.${name}`
  if (Object.hasOwn(WITHOUT_EFFECT, name)) lists.notApplicable(key, WITHOUT_EFFECT[name]!)
  else if (Object.hasOwn(KEYS, name)) KEYS[name]!({ key, value, out, producer, lists })
  else lists.unknown(key)
}

interface Given {
  readonly key: string
  readonly value: unknown
  readonly out: Record<string, Json>
  readonly producer: Record<string, Json>
  readonly lists: ImportLists
}

/** The translation of each key of a flow. */
const KEYS: Readonly<Record<string, (given: Given) => void>> = {
  kinesisStream: ({ key, value, lists }) => lists.applied(key, `stream ${textOf(value, key)}`),
  filePattern: ({ key, value, out, lists }) => importPattern(textOf(value, key), key, out, lists),
  partitionKeyOption: ({ key, value, out, lists }) => importKeyOption(textOf(value, key), key, out, lists),
  initialPosition: ({ key, value, out, lists }) =>
    lists.set(out, 'from', textOf(value, key) === 'START_OF_FILE' ? 'start' : 'end', key),
  maxBufferAgeMillis: ({ key, value, producer, lists }) =>
    lists.set(producer, 'recordMaxBufferedTimeMs', numberOf(value, key), key),
  maxBufferSizeRecords: ({ key, value, producer, lists }) =>
    clamp(producer, 'collectionMaxCount', { value: numberOf(value, key), min: 1, max: MAX_COUNT }, key, lists),
  maxBufferSizeBytes: ({ key, value, producer, lists }) =>
    clamp(producer, 'collectionMaxBytes', { value: numberOf(value, key), min: MIN_BYTES, max: MAX_BYTES }, key, lists),
  minTimeBetweenFilePollsMillis: ({ key, value, out, lists }) =>
    lists.set(out, 'poll', `${numberOf(value, key)}ms`, key),
  maxTimeBetweenFileTrackerRefreshMillis: ({ key, value, out, lists }) =>
    lists.set(out, 'rescan', `${numberOf(value, key)}ms`, key),
  skipHeaderLines: ({ key, value, out, lists }) => lists.set(out, 'skipHeader', numberOf(value, key), key),
  truncatedRecordTerminator: ({ key, value, out, lists }) => importTerminator(value, key, out, lists),
  multiLineStartPattern: ({ key, value, out, lists }) =>
    importRegex(value, key, lists, (source, flags) =>
      lists.set(out, 'multiline', { start: `${flags}^(?:${source})` }, key)
    ),
  fileFooterPattern: ({ key, value, out, lists }) =>
    importRegex(value, key, lists, (source, flags) => lists.set(out, 'footer', `${flags}^(?:${source})$`, key)),
  dataProcessingOptions({ key, value, out, lists }) {
    const steps = importSteps(value, key, lists)
    if (steps.length > 0) out['process'] = steps
  }
}

/** The Agent takes wildcards in the file name only, and passes over what is compressed. */
function importPattern(pattern: string, key: string, out: Record<string, Json>, lists: ImportLists): void {
  const isAbsolute = /^(?:\/|[A-Za-z]:[\\/])/.test(pattern)
  if (!isAbsolute || pattern.split('/').includes('..'))
    throw new CliError('CLI_ERR_CONFIG', `${key} must be an absolute path without ..`)
  const folder = pattern.slice(0, pattern.lastIndexOf('/'))
  lists.set(out, 'files', [pattern], key)
  out['exclude'] = COMPRESSED.map(ending => `${folder}/*.${ending}`)
}

function importKeyOption(option: string, key: string, out: Record<string, Json>, lists: ImportLists): void {
  if (option === 'RANDOM') lists.applied(key, 'key random, the default')
  else if (option === 'DETERMINISTIC') {
    out['key'] = { hash: 'md5' }
    lists.applied(key, 'key {"hash":"md5"}, of the data; the keys of the Agent may be others')
  } else lists.unsupported(key, 'it is neither RANDOM nor DETERMINISTIC; keys are random')
}

function clamp(
  producer: Record<string, Json>,
  name: string,
  { value, min, max }: { readonly value: number; readonly min: number; readonly max: number },
  key: string,
  lists: ImportLists
): void {
  const kept = Math.min(max, Math.max(min, value))
  producer[name] = kept
  lists.applied(
    key,
    kept === value ? `producer.${name} ${kept}` : `producer.${name} ${kept}, because it takes ${min} to ${max}`
  )
}

function importTerminator(value: unknown, key: string, out: Record<string, Json>, lists: ImportLists): void {
  if (typeof value !== 'string') throw new CliError('CLI_ERR_CONFIG', `${key} must be a text`)
  lists.set(out, 'truncatedTerminator', value, key)
}
