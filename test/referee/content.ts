/**
 * Two lots of user records compared as multisets of partition key, explicit hash key and data.
 * Example: one record put and read twice is no difference and one repeat, because delivery is at least once.
 */
import { createHash } from 'node:crypto'
import type { UserRecord } from './user-record.ts'

export interface ContentDifference {
  /** Records of the first lot that the second lacks, and records of the second lot that nobody gave. */
  readonly missing: number
  readonly foreign: number
  /** Records of the second lot beyond their number in the first. */
  readonly repeated: number
}

/** Returns how `found` differs from `given`. The order does not matter. O(bytes). */
export function compareContent(given: Iterable<UserRecord>, found: Iterable<UserRecord>): ContentDifference {
  const wanted = countByContent(given)
  const actual = countByContent(found)
  let missing = 0
  let foreign = 0
  let repeated = 0
  for (const [content, count] of wanted) missing += Math.max(0, count - (actual.get(content) ?? 0))
  for (const [content, count] of actual) {
    const wantedCount = wanted.get(content)
    if (wantedCount === undefined) foreign += count
    else repeated += Math.max(0, count - wantedCount)
  }
  return { missing, foreign, repeated }
}

/** Returns the number of places at which two lists of user records differ. */
export function countDifferences(
  left: readonly (UserRecord | undefined)[],
  right: readonly (UserRecord | undefined)[]
): number {
  const length = Math.max(left.length, right.length)
  return Array.from({ length }, (_, i) => contentOf(left[i]) !== contentOf(right[i])).filter(Boolean).length
}

/** Returns the hash key that Kinesis derives from a partition key, in decimal. */
export function hashKeyOfText(partitionKey: string): string {
  return String(BigInt(`0x${createHash('md5').update(partitionKey).digest('hex')}`))
}

function countByContent(records: Iterable<UserRecord>): Map<string, number> {
  const counts = new Map<string, number>()
  for (const record of records) {
    const content = contentOf(record)
    counts.set(content, (counts.get(content) ?? 0) + 1)
  }
  return counts
}

function contentOf(record: UserRecord | undefined): string {
  if (record === undefined) return 'nothing'
  const { partitionKey, explicitHashKey = '', data } = record
  const digest = createHash('sha256').update(data).digest('base64')
  return JSON.stringify([partitionKey, explicitHashKey, data.byteLength, digest])
}
