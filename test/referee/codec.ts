/**
 * Another implementation of the aggregation format beside ours, both ways, on the same groups of user records.
 * Invariant: every member is compared at its place: key, explicit hash key, data. A quirk that the other side is known to have
 * is taken out by `expected` and counted in the note, so that a new one shows as a difference.
 */
import { aggregateOf, userRecordsOf } from './aggregates.ts'
import { countDifferences } from './content.ts'
import type { Comparison } from './outcome.ts'
import type { UserRecord } from './user-record.ts'

type Groups = readonly (readonly UserRecord[])[]

/** Compares what the other side reads in our aggregates. `expected` is what it shows for a group, by its known quirks. */
export function compareReading(
  program: string,
  groups: Groups,
  read: Groups,
  expected: (group: readonly UserRecord[]) => readonly UserRecord[] = group => group
): Comparison {
  const differences = groups.reduce((sum, group, i) => sum + countDifferences(expected(group), read[i] ?? []), 0)
  return {
    program,
    what: 'reads the user records of our aggregates',
    compared: groups.flat().length,
    differences: differences + Math.abs(read.length - groups.length)
  }
}

/** Compares the aggregates that the other side writes with ours, byte for byte, and what we read in them. */
export function compareWriting(program: string, groups: Groups, written: readonly Uint8Array[]): Comparison[] {
  const otherBytes = groups.filter((group, i) => Buffer.compare(aggregateOf(group), written[i] ?? EMPTY) !== 0)
  const misread = groups.reduce((sum, group, i) => sum + countDifferences(group, userRecordsOf(written[i] ?? EMPTY)), 0)
  return [
    {
      program,
      what: 'writes aggregates that we read',
      compared: groups.flat().length,
      differences: misread
    },
    {
      program,
      what: 'writes the same bytes as we do for the same user records (aggregates)',
      compared: groups.length,
      differences: otherBytes.length
    }
  ]
}

const EMPTY = new Uint8Array()

/**
 * The known quirk of aws-kinesis-agg: in an aggregate with explicit hash keys, a user record without one is shown with the
 * first one of the table.
 */
export function withFirstHashKey(group: readonly UserRecord[]): UserRecord[] {
  const first = group.find(({ explicitHashKey }) => explicitHashKey !== undefined)?.explicitHashKey
  return group.map(record => ({ ...record, explicitHashKey: record.explicitHashKey ?? first }))
}

/** User records whose explicit hash key `withFirstHashKey` changes. */
export function countQuirks(groups: Groups): number {
  return groups.reduce((sum, group) => sum + countDifferences(group, withFirstHashKey(group)), 0)
}
