/**
 * A user record, and the line of text in which programs of other languages get and give it.
 * Invariant: `parseUserRecord(formatUserRecord(record))` is the record, whatever its key and its bytes.
 *
 *   line := base64(partition key) TAB (explicit hash key | '-') TAB base64(data)
 */

export interface UserRecord {
  readonly partitionKey: string
  readonly explicitHashKey: string | undefined
  readonly data: Uint8Array
}

const NO_HASH_KEY = '-'

export function formatUserRecord({ partitionKey, explicitHashKey, data }: UserRecord): string {
  return [toBase64(Buffer.from(partitionKey)), explicitHashKey ?? NO_HASH_KEY, toBase64(data)].join('\t')
}

/** Throws for a line of another form. */
export function parseUserRecord(line: string): UserRecord {
  const [key, hashKey, data, ...rest] = line.split('\t')
  if (key === undefined || hashKey === undefined || data === undefined || rest.length > 0) {
    throw new Error(`not a line of a user record: ${line.length} characters, ${line.split('\t').length} fields`)
  }
  return {
    partitionKey: Buffer.from(key, 'base64').toString(),
    explicitHashKey: hashKey === NO_HASH_KEY ? undefined : hashKey,
    data: Buffer.from(data, 'base64')
  }
}

export function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64')
}
