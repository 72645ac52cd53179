/**
 * The keys of the config file of `agent`, in one table: what each takes and what it is for.
 * Invariant: the checks, the JSON Schema in the package and the table of docs/cli.md all walk this; no key is anywhere else.
 */
import { OPTIONS, type OptionEntry } from '../../model/options.ts'
import { objectOf } from '../config.ts'
import type { Json } from '../output/json.ts'
import {
  choice,
  count,
  expression,
  type Field,
  flag,
  type JsonSchema,
  list,
  record,
  size,
  text,
  time,
  type ValueOf
} from './fields.ts'
import { PROCESS } from './process-field.ts'

const ABSOLUTE = /^(?:\/|[A-Za-z]:[\\/])/
const absolute = text({ pattern: ABSOLUTE, like: 'an absolute path or glob' })

/** Where the partition key comes from: exactly one of them. */
const KEY = record(
  {
    json: text(),
    const: text(),
    regex: text(),
    split: text(),
    path: flag(),
    hash: choice('md5', 'sha256'),
    random: flag()
  },
  { atMost: 1 }
)

const MULTILINE = record(
  { start: expression(), maxLines: count(1), maxBytes: size(1), flushAfter: time() },
  { required: ['start'] }
)

const producerField: Field<Readonly<Record<string, unknown>>> = {
  schema: { type: 'object', properties: producerSchemas(), additionalProperties: false },
  read: (value, path) => objectOf(value, path, producerNames())
}

/** The meaning of each key of a flow, in the order of the docs. */
export const FLOW_KEYS = {
  id: {
    field: text({ pattern: /^.{1,128}$/, like: 'a text of 1 to 128 characters' }),
    doc: 'Name of the flow in the state; never change it. Default: the stream.'
  },
  stream: { field: text(), doc: 'Name or ARN of the stream.' },
  files: { field: list(absolute, 1), doc: 'Absolute paths and globs: `*`, `**`, `?`, `[a-z]`, `{a,b}`.' },
  exclude: { field: list(absolute), doc: 'Globs of files that are left out.' },
  from: {
    field: choice('end', 'start'),
    doc: 'Where the files begin that are there at the very first start. Files that come later begin at 0. Default: `end`.'
  },
  key: {
    field: KEY,
    doc: 'Partition key; one of `json` (a path such as `.user.id`), `const`, `regex` (its first group), `split` (what stands before this text), `path` (`true`: the path of the file), `hash` (`md5` or `sha256` of the data), `random` (`true`). Default: random.'
  },
  badKey: { field: choice('fail', 'random', 'skip'), doc: 'For a record without a usable key. Default: `fail`.' },
  process: { field: PROCESS, doc: 'Steps that change each record, one after the other.' },
  multiline: {
    field: MULTILINE,
    doc: 'A record begins at a line that matches `start`, and ends before the next one, at `maxLines` (1,000), `maxBytes`, or `flushAfter` (2s) after the last line.'
  },
  skipHeader: { field: count(), doc: 'Lines at the start of each file that are not sent. Default: 0.' },
  footer: { field: expression(), doc: 'A line that matches ends the file: it and all behind it is not sent.' },
  keepNewline: { field: flag(), doc: 'The newline stays in the data, as the Kinesis Agent has it. Default: false.' },
  keepCr: { field: flag(), doc: 'The carriage return before a newline stays. Default: false.' },
  emptyLines: { field: choice('skip', 'send'), doc: 'Default: `skip`.' },
  maxLine: {
    field: size(1),
    doc: 'Longest line that is held in memory. Default: 8MiB. A longer one stops the agent; where `onFailure` or `deadLetter` lets it go on, it is skipped with a warning.'
  },
  maxRecord: {
    field: choice('fail', 'skip', 'truncate'),
    doc: 'For a record above `maxUserRecordBytes`. Default: `fail`.'
  },
  truncatedTerminator: { field: text({ minLength: 0 }), doc: 'The end of a truncated record. Default: a newline.' },
  partialAfter: {
    field: time(),
    doc: 'Send a last line without newline after this time. Default: when the file is given up.'
  },
  onFailure: {
    field: choice('retry', 'dead-letter', 'skip', 'stop'),
    doc: '`retry`: try for ever; only a record that can never be sent stops the agent. `dead-letter`: append it to `deadLetter` and go on. `skip`: count it and go on. `stop`: end with 1. Default: `retry`.'
  },
  deadLetter: {
    field: absolute,
    doc: 'File for records that failed; `put --in records` sends them again. With `retry` it takes the records that can never be sent.'
  },
  fingerprint: {
    field: record({ ignoreBytes: size() }),
    doc: '`ignoreBytes`: a banner at the start of every file that tells nothing about which file it is.'
  },
  rotateWait: { field: time(), doc: 'How long a rotated file is still read after its last byte. Default: 5s.' },
  copyWait: { field: time(), doc: 'How long the copy of a truncated file is looked for. Default: 5s.' },
  copyDirs: { field: list(absolute), doc: 'Further directories in which rotated files and copies lie.' },
  copies: { field: choice('send', 'skip'), doc: 'For a whole copy of a file that stays as it was. Default: `send`.' },
  compressed: { field: choice('skip', 'read'), doc: '`read`: .gz files are read, each as a whole. Default: `skip`.' },
  ignoreOlder: { field: time(), doc: 'Files that were last changed before this time ago are left out.' },
  afterDone: {
    field: choice('keep', 'delete'),
    doc: '`delete`: remove a rotated file once all of it was acknowledged. Default: `keep`.'
  },
  strictOrder: {
    field: flag(),
    doc: 'A new file waits until the rotated one before it was read to its end for `rotateWait`. Default: false.'
  },
  poll: { field: time(), doc: 'Between two looks at a file that is written. Default: 250ms.' },
  rescan: { field: time(), doc: 'Between two looks for new files. Default: 1s.' },
  closeIdle: {
    field: time(),
    doc: 'A file without new bytes is closed after this time, and still looked at. Default: 5m.'
  },
  forgetAfter: { field: time(), doc: 'The state of a file that is gone is forgotten after this time. Default: 7d.' },
  producer: { field: producerField, doc: 'Options of the producer for this flow, over those of the file.' }
} as const

type FieldsOfFlow = { readonly [Name in keyof typeof FLOW_KEYS]: (typeof FLOW_KEYS)[Name]['field'] }

const FLOW = record(fieldsOf(FLOW_KEYS) as FieldsOfFlow, { required: ['stream', 'files'] })

/** The keys of the file. */
export const FILE_KEYS = {
  $schema: {
    field: text(),
    doc: 'Where an editor finds the JSON Schema: `node_modules/kinesis-producer/schema/agent.schema.json`.'
  },
  region: { field: text(), doc: 'AWS region.' },
  endpoint: { field: text(), doc: 'Endpoint of Kinesis.' },
  state: { field: absolute, doc: 'State directory; see below for the default.' },
  producer: {
    field: producerField,
    doc: 'Options of the producer. `bufferMaxBytes` is 20 MiB unless it is given, for what waits lies in the files.'
  },
  flows: { field: list(FLOW, 1), doc: 'The flows.' }
} as const

type FieldsOfFile = { readonly [Name in keyof typeof FILE_KEYS]: (typeof FILE_KEYS)[Name]['field'] }

export const FILE = record(fieldsOf(FILE_KEYS) as FieldsOfFile, { required: ['flows'] })

export type GivenFlow = ValueOf<typeof FLOW>
export type GivenFile = ValueOf<typeof FILE>

/** Returns the JSON Schema of the config file. */
export function configSchema(): JsonSchema {
  const withDocs = (schema: JsonSchema, keys: Readonly<Record<string, { readonly doc: string }>>): JsonSchema => {
    const properties = Object(schema['properties']) as Record<string, JsonSchema>
    const described = Object.entries(properties).map(([name, each]): [string, Json] => [
      name,
      { description: keys[name]?.doc ?? '', ...each }
    ])
    return { ...schema, properties: Object.fromEntries(described) }
  }
  const file = withDocs(FILE.schema, FILE_KEYS)
  const flows = {
    description: FILE_KEYS.flows.doc,
    type: 'array',
    minItems: 1,
    items: withDocs(FLOW.schema, FLOW_KEYS)
  }
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'Config file of kinesis-producer agent',
    ...file,
    properties: { ...Object(file['properties']), flows }
  }
}

function fieldsOf(keys: Readonly<Record<string, { readonly field: Field<unknown> }>>): Record<string, Field<unknown>> {
  return Object.fromEntries(Object.entries(keys).map(([name, { field }]) => [name, field]))
}

/** Objects (a client, a logger) cannot be in a file; the stream and the place have keys of their own. */
function producerNames(): readonly string[] {
  const elsewhere = ['streamName', 'region', 'endpoint']
  const options: readonly [string, OptionEntry][] = Object.entries(OPTIONS)
  return options.flatMap(([name, { kind }]) => (kind === 'object' || elsewhere.includes(name) ? [] : name))
}

function producerSchemas(): Record<string, JsonSchema> {
  const options: Readonly<Record<string, OptionEntry>> = OPTIONS
  return Object.fromEntries(producerNames().map(name => [name, optionSchema(options[name]!)]))
}

function optionSchema(option: OptionEntry): JsonSchema {
  const description = option.doc
  if (option.kind === 'integer') return { description, type: 'integer', minimum: option.min }
  if (option.kind === 'choice') return { description, enum: option.choices }
  return { description, type: option.kind === 'boolean' ? 'boolean' : 'string' }
}
