/**
 * Hints for refused records: the likely mistake, and the code to write instead.
 * Example: `{ PartitionKey, Data }` -> "it looks like the record of another library: write partitionKey for PartitionKey, data for Data".
 * Invariant: pure. It never throws, whatever the record is, and repeats no value of the record.
 */

/** Names of other libraries for our fields. */
const OTHER_NAMES = [
  ['PartitionKey', 'partitionKey'],
  ['Data', 'data'],
  ['ExplicitHashKey', 'explicitHashKey'],
  ['StreamName', 'streamName'],
  ['StreamARN', 'streamName'],
  ['partition_key', 'partitionKey'],
  ['partitionkey', 'partitionKey'],
  ['payload', 'data'],
  ['body', 'data'],
  ['Body', 'data']
] as const

/** The fields of a user record. */
const FIELDS = ['partitionKey', 'data', 'explicitHashKey', 'streamName', 'schema'] as const
/** Other names that can only be mistakes. */
const SLIPS = new Map<string, (typeof FIELDS)[number]>([
  ['stream', 'streamName'],
  ['streamarn', 'streamName'],
  ['hashkey', 'explicitHashKey'],
  ['ehk', 'explicitHashKey']
])

/**
 * Returns a warning for a record that is taken, and has an unread field in place of a missing one. For example,
 * `{ partitionKey, data, stream: 'other' }` goes to the producer's own stream. undefined: no warning.
 */
export function unreadField(record: object): string | undefined {
  try {
    return slipOf(record)
  } catch {
    // Not swallowed: the record was taken. Without readable field names, there is no hint.
    return undefined
  }
}

function slipOf(record: object): string | undefined {
  if (Object.hasOwn(record, 'signal')) return 'signal is not read: write put(record, { signal })'
  for (const name of Object.keys(record)) {
    const plain = name.toLowerCase().replaceAll(/[^a-z]/g, '')
    const meant = SLIPS.get(plain) ?? FIELDS.find(field => field.toLowerCase() === plain)
    if (meant !== undefined && meant !== name && !Object.hasOwn(record, meant))
      return `${name} is not read: write ${meant}`
  }
  return undefined
}

/** Returns the end of a sentence, or undefined when the record has the right shape. */
export function recordHint(record: unknown): string | undefined {
  try {
    return hintOf(record)
  } catch {
    // A record that throws when it is read gives no hint. The caller still reports the fault that it found before.
    return undefined
  }
}

function hintOf(record: unknown): string | undefined {
  if (typeof record === 'string' || ArrayBuffer.isView(record))
    return 'data alone is not a record: write { partitionKey, data }'
  if (Array.isArray(record)) return 'an array is not a record: put each element, or use putAll(records)'
  if (typeof record !== 'object' || record === null) return 'write { partitionKey, data }'
  if (isFunction(record, 'then')) return 'a promise is not a record: await it first'
  if (has(record, 'Records'))
    return 'it looks like the input of PutRecords: put each of its records, as { partitionKey, data }'
  const misnamed = OTHER_NAMES.filter(([other, own]) => has(record, other) && !has(record, own))
  if (misnamed.length > 0) {
    return `it looks like the record of another library: write ${misnamed.map(([other, own]) => `${own} for ${other}`).join(', ')}`
  }
  if (has(record, 'key') && has(record, 'value'))
    return 'it looks like a Kafka message: write partitionKey for key, data for value'
  if (!has(record, 'partitionKey') && !has(record, 'data')) {
    return 'it looks like the data itself: write { partitionKey, data: JSON.stringify(value) }'
  }
  return dataHint(Reflect.get(record, 'data'))
}

function dataHint(data: unknown): string | undefined {
  if (typeof data !== 'object' || data === null || data instanceof Uint8Array) return undefined
  if (data instanceof ArrayBuffer || data instanceof SharedArrayBuffer) return 'write new Uint8Array(data)'
  if (ArrayBuffer.isView(data)) return 'write new Uint8Array(data.buffer, data.byteOffset, data.byteLength)'
  if (isFunction(data, 'then')) return 'a promise is not data: await it first'
  if (isFunction(data, 'pipe') || isFunction(data, 'getReader')) return 'a stream is not data: read it first'
  if (isFunction(data, 'arrayBuffer')) return 'write new Uint8Array(await data.arrayBuffer())'
  return 'write JSON.stringify(data)'
}

function has(record: object, name: string): boolean {
  return Reflect.get(record, name) !== undefined
}

function isFunction(value: object, name: string): boolean {
  return typeof Reflect.get(value, name) === 'function'
}
