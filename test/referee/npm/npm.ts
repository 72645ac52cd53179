/**
 * aws-kinesis-agg of npm, which is a development dependency, beside ours: both ways, in this process.
 * Its encoder keeps keys as the members of an object. So keys that look like array indexes change their places, and `__proto__`
 * gets none: user records with such keys are counted in the note and not given to it.
 */
import { createRequire } from 'node:module'
import { aggregateOf, groupsOf } from '../aggregates.ts'
import { compareReading, compareWriting, countQuirks, withFirstHashKey } from '../codec.ts'
import { count, type Referee } from '../outcome.ts'
import { recordedUserRecord, recordedWorkload } from '../recording.ts'
import { toBase64, type UserRecord } from '../user-record.ts'
import { workload } from '../workload.ts'

interface ReadRecord {
  readonly partitionKey: string
  readonly explicitPartitionKey?: string
  readonly data: string
}

interface Package {
  readonly RecordAggregator: new () => { addUserRecord(record: object): void; build(): { readonly data: Buffer } }
  deaggregateSync(
    record: object,
    computeChecksums: boolean,
    done: (error: Error | undefined, records: readonly ReadRecord[]) => void
  ): void
}

const require = createRequire(import.meta.url)
const library = require('aws-kinesis-agg') as Package
const { version } = require('aws-kinesis-agg/package.json') as { readonly version: string }
const PROGRAM = `aws-kinesis-agg ${version} of npm`
const COUNT = 20_000
const LARGE_COUNT = 20

export const npm: Referee = {
  what: 'aws-kinesis-agg of npm, both ways',
  needs: 'nothing more',
  async run(seed) {
    const records = workload({ seed, count: COUNT, largeCount: LARGE_COUNT })
    const groups = groupsOf(records, seed)
    const writable = groupsOf(records.filter(isWritable), seed)
    const reading = compareReading(
      PROGRAM,
      groups,
      groups.map(group => read(aggregateOf(group))),
      withFirstHashKey
    )
    const [content, bytes] = compareWriting(PROGRAM, writable, writable.map(write))
    const recorded = groupsOf(recordedWorkload().filter(isWritable), 'recorded')
    const aggregates = recorded.map(group => ({ given: group.map(recordedUserRecord), data: toBase64(write(group)) }))
    return {
      toolchain: `Node.js ${process.versions.node}`,
      comparisons: [
        {
          ...reading,
          note: `${count(countQuirks(groups))} without an explicit hash key are shown with that of another`
        },
        content!,
        {
          ...bytes!,
          note: `${count(records.length - records.filter(isWritable).length)} user records are left out, because it mixes up the keys '0', '7', '__proto__' and the like`
        }
      ],
      recordings: { 'npm-aws-kinesis-agg': { program: PROGRAM, aggregates } }
    }
  }
}

function isWritable({ partitionKey, explicitHashKey }: UserRecord): boolean {
  return partitionKey !== '__proto__' && !isArrayIndex(partitionKey) && !isArrayIndex(explicitHashKey)
}

/** JavaScript lists such members of an object before all others. */
function isArrayIndex(key: string | undefined): boolean {
  return key !== undefined && String(Number(key) >>> 0) === key
}

function write(group: readonly UserRecord[]): Uint8Array {
  const aggregator = new library.RecordAggregator()
  for (const { partitionKey, explicitHashKey, data } of group) {
    aggregator.addUserRecord({ partitionKey, explicitHashKey, data: Buffer.from(data) })
  }
  return aggregator.build().data
}

function read(data: Uint8Array): UserRecord[] {
  let records: readonly ReadRecord[] = []
  const kinesisRecord = { data: toBase64(data), partitionKey: 'outer', sequenceNumber: '1' }
  library.deaggregateSync(kinesisRecord, true, (error, all) => {
    if (error) throw error
    records = all
  })
  return records.map(({ partitionKey, explicitPartitionKey, data }) => ({
    partitionKey,
    explicitHashKey: explicitPartitionKey,
    data: Buffer.from(data, 'base64')
  }))
}
