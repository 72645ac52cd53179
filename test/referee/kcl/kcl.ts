/**
 * The KCL's own de-aggregation of what our library writes: aggregates with every shard range, all that our producer stored
 * through a split and a merge, and damaged aggregates.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { seededRandom } from '../../../src/testing/seeded-random.ts'
import { ALL_HASH_KEYS, aggregateOf, groupsOf, OUTER_KEY, type ShardHashKeys, userRecordsOf } from '../aggregates.ts'
import { compareContent, countDifferences, hashKeyOfText } from '../content.ts'
import { parseGroups } from '../groups.ts'
import { type Comparison, count, type Referee } from '../outcome.ts'
import { recordedUserRecord, recordedWorkload } from '../recording.ts'
import { buildJava, exchangeFiles, type JavaProgram, runJava } from '../toolchain.ts'
import { toBase64, type UserRecord } from '../user-record.ts'
import { workload } from '../workload.ts'
import { damagedAggregates } from './damage.ts'
import { produceThroughReshards } from './produce.ts'

const VERSION = '3.5.1'
const PROGRAM = `KCL ${VERSION}`
const COUNT = 60_000
const PRODUCED_COUNT = 24_000

/** A Kinesis record, and the shard that it is read from. */
interface Asked {
  readonly data: Uint8Array
  readonly shard: ShardHashKeys
}

export const kcl: Referee = {
  what: 'KCL, its AggregatorUtil on what this library writes',
  needs: 'Java 17 or later, Maven',
  async run(seed) {
    const java = buildJava('kcl', 'kcl', { 'kcl.version': VERSION })
    const groups = groupsOf(workload({ seed, count: COUNT, maxBytes: 600, largeCount: 12 }), seed)
    return {
      toolchain: java.toolchain,
      comparisons: [
        await readsAggregates(java, groups),
        await readsWithRanges(java, groups, seed),
        ...(await readsProduced(java, seed)),
        await readsDamaged(java, groups.slice(0, 300), seed)
      ],
      recordings: { kcl: { program: PROGRAM, aggregates: await record(java) } }
    }
  }
}

async function readsAggregates(java: JavaProgram, groups: readonly UserRecord[][]): Promise<Comparison> {
  const read = await ask(
    java,
    groups.map(group => ({ data: aggregateOf(group), shard: ALL_HASH_KEYS }))
  )
  const differences = groups.reduce((sum, group, i) => sum + countDifferences(group, read[i]!), 0)
  const compared = groups.flat().length
  return { program: PROGRAM, what: 'reads the user records of our aggregates', compared, differences }
}

/** Each aggregate for a shard with another range; most ranges leave some of its user records outside. */
async function readsWithRanges(java: JavaProgram, groups: readonly UserRecord[][], seed: number): Promise<Comparison> {
  const asked = groups.map((group, i) => ({ data: aggregateOf(group), shard: someShard(group, `${seed}/${i}`) }))
  const read = await ask(java, asked)
  const whole = read.filter((records, i) => records.length === groups[i]!.length).length
  return {
    program: PROGRAM,
    what: 'and ours drop the same aggregates for a shard with other hash keys (aggregates)',
    compared: groups.length,
    differences: asked.filter(({ data, shard }, i) => countDifferences(userRecordsOf(data, shard), read[i]!) > 0)
      .length,
    note: `both read ${count(whole)} and drop ${count(groups.length - whole)}`
  }
}

async function readsProduced(java: JavaProgram, seed: number): Promise<Comparison[]> {
  const given = workload({ seed, count: PRODUCED_COUNT, maxBytes: 1_000, largeCount: 10 })
  const stored = await produceThroughReshards(given)
  const read = await ask(java, stored)
  const found = read.flatMap((records, i) => {
    const { partitionKey, explicitHashKey } = stored[i]!
    const isPlain = records.length === 1 && records[0]!.partitionKey === OUTER_KEY
    const given = explicitHashKey === hashKeyOfText(partitionKey) ? undefined : explicitHashKey
    return isPlain ? [{ ...records[0]!, partitionKey, explicitHashKey: given }] : records
  })
  const { missing, foreign } = compareContent(given, found)
  const dropped = read.filter(records => records.length === 0).length
  const ours = stored.map(({ data, shard }) => userRecordsOf(data, shard))
  const row = { program: PROGRAM, compared: given.length }
  return [
    {
      ...row,
      what: 'finds every user record that our producer put through a split and a merge',
      differences: missing + foreign,
      note: `${stored.length} Kinesis records, among them ${dropped} misrouted aggregates that the KCL drops. Their user records were sent again`
    },
    {
      program: PROGRAM,
      what: 'and ours read the same in each of those (Kinesis records)',
      compared: stored.length,
      differences: ours.filter((records, i) => countDifferences(records, read[i]!) > 0).length
    }
  ]
}

async function readsDamaged(java: JavaProgram, groups: readonly UserRecord[][], seed: number): Promise<Comparison> {
  const damaged = damagedAggregates(groups.map(aggregateOf), seed)
  const read = await ask(
    java,
    damaged.map(data => ({ data, shard: ALL_HASH_KEYS }))
  )
  return {
    program: PROGRAM,
    what: 'and ours read the same in damaged aggregates (Kinesis records)',
    compared: damaged.length,
    differences: damaged.filter((data, i) => countDifferences(userRecordsOf(data), read[i]!) > 0).length
  }
}

async function record(java: JavaProgram) {
  const groups = groupsOf(recordedWorkload(), 'recorded')
  const asked = groups.flatMap((group, i) => [
    { group, data: aggregateOf(group), shard: ALL_HASH_KEYS },
    { group, data: aggregateOf(group), shard: someShard(group, `recorded/${i}`) }
  ])
  const read = await ask(java, asked)
  return asked.map(({ group, data, shard }, i) => ({
    given: group.map(recordedUserRecord),
    data: toBase64(data),
    shard,
    read: read[i]!.map(recordedUserRecord)
  }))
}

/** A range from the hash key of one member to that of another: one member in two is at its end. */
function someShard(group: readonly UserRecord[], seed: string): ShardHashKeys {
  const random = seededRandom(seed)
  const hashKeys = group.map(({ partitionKey, explicitHashKey }) =>
    BigInt(explicitHashKey ?? hashKeyOfText(partitionKey))
  )
  const sorted = hashKeys.sort((left, right) => (left < right ? -1 : left > right ? 1 : 0))
  const isWhole = random() < 0.4
  const last = sorted.length - 1
  const from = isWhole ? 0 : Math.floor(random() * last)
  const to = isWhole ? last : from + Math.floor(random() * (last - from))
  return { start: String(sorted[from]), end: String(sorted[to]) }
}

async function ask(java: JavaProgram, asked: readonly Asked[]): Promise<UserRecord[][]> {
  const [inFile, outFile] = exchangeFiles('kcl')
  writeFileSync(inFile, asked.map(({ data, shard }) => `${toBase64(data)}\t${shard.start}\t${shard.end}\n`).join(''))
  await runJava(java, 'ReadWithKcl', [inFile, outFile])
  const read = parseGroups(readFileSync(outFile, 'utf8'))
  if (read.length !== asked.length)
    throw new Error(`the KCL answered ${read.length} of ${asked.length} Kinesis records`)
  return read
}
