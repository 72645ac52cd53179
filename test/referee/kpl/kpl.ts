/**
 * The real KPL, Java with its native daemon, against the fake over TLS: user records through a split and a merge, read back,
 * and each of its aggregates encoded again by ours.
 */

import { Agent } from 'node:https'
import { KinesisClient } from '@aws-sdk/client-kinesis'
import { NodeHttpHandler } from '@smithy/node-http-handler'
import {
  FakeKinesis,
  type FakeKinesisServer,
  type StoredRecord,
  startFakeKinesisServer
} from '../../../src/testing/index.ts'
import { realClock } from '../../../src/testing/real-time.ts'
import { aggregateOf, userRecordsOf } from '../aggregates.ts'
import { selfSigned } from '../client-scenario.ts'
import { compareContent, hashKeyOfText } from '../content.ts'
import { type Comparison, count, type Outcome, type Referee } from '../outcome.ts'
import { readBack } from '../read-back.ts'
import { type RecordedBytes, recordedUserRecord, recordedWorkload } from '../recording.ts'
import { mergeLast, splitFirst } from '../resharding.ts'
import { toBase64, type UserRecord } from '../user-record.ts'
import { withoutNulKeys, workload } from '../workload.ts'
import { buildKpl, type Kpl, type KplProgram, type KplVersion, startKpl } from './program.ts'

/** Until KPL 1.1 has the stream's summary, it sends records without the explicit hash keys that they were given, unless this is set. */
const KNOWN_STRATEGY = { RecordDistributionStrategyDefault: 'USER_PARTITION_KEY' }

interface TestedVersion extends KplVersion {
  /** It sends only some user records of a misrouted aggregate again, and a KCL drops the others. */
  readonly isLossy: boolean
}

/** KPL 0.15 is not here, because it asks STS of AWS for the stream's ARN before it puts anything. */
const VERSIONS: readonly TestedVersion[] = [
  { version: '1.1.1', group: 'software.amazon.kinesis', isLossy: false, properties: KNOWN_STRATEGY },
  { version: '1.0.9', group: 'software.amazon.kinesis', isLossy: true },
  { version: '0.14.13', group: 'com.amazonaws', isLossy: false }
]
const COUNT = 24_000
const LARGE_COUNT = 12
const STREAM = 'kpl'
const RECORDED_STREAM = 'recorded'
/** User records of one flush: the aggregates of a recording have up to so many. */
const RECORDED_AT_ONCE = 12

export const kpl: Referee = {
  what: 'KPL (Java and its native daemon) into the fake, read back',
  needs: 'Java 17 or later, Maven',
  async run(seed) {
    const outcomes: Outcome[] = []
    for (const version of VERSIONS) outcomes.push(await runVersion(version, seed))
    return {
      toolchain: outcomes[0]!.toolchain,
      comparisons: outcomes.flatMap(({ comparisons }) => comparisons),
      recordings: Object.assign({}, ...outcomes.map(({ recordings }) => recordings))
    }
  }
}

async function runVersion(version: TestedVersion, seed: number): Promise<Outcome> {
  const program = buildKpl(version)
  const kinesis = new FakeKinesis({ nowMs: () => realClock.nowMs(), throughputLimits: false })
  for (const StreamName of [STREAM, RECORDED_STREAM]) kinesis.createStream({ StreamName, ShardCount: 2 })
  const server = await startFakeKinesisServer({ kinesis, tls: selfSigned() })
  try {
    return await runAgainst(server, { ...version, ...program }, seed)
  } finally {
    await server.close()
  }
}

async function runAgainst(
  server: FakeKinesisServer,
  program: KplProgram & TestedVersion,
  seed: number
): Promise<Outcome> {
  const given = withoutNulKeys(workload({ seed, count: COUNT, maxBytes: 1_000, largeCount: LARGE_COUNT }))
  const small = withoutNulKeys(recordedWorkload())
  const kpl = await startKpl(program, server.port, [...given, ...small])
  try {
    const acknowledged = await putThroughReshards(kpl, server.kinesis)
    for (let at = 0; at < small.length; at += RECORDED_AT_ONCE) {
      const [from, to] = [COUNT + at, COUNT + Math.min(small.length, at + RECORDED_AT_ONCE)]
      await kpl.put(RECORDED_STREAM, from, to)
    }
    const recorded = recordingOf(program, small, server.kinesis.storedRecords(RECORDED_STREAM))
    return {
      toolchain: program.toolchain,
      comparisons: await compare(program, server, given, acknowledged),
      recordings: { [`kpl-${program.version}`]: recorded }
    }
  } finally {
    await kpl.close()
  }
}

/** Returns the count of user records that the KPL has acknowledged. */
async function putThroughReshards(kpl: Kpl, kinesis: FakeKinesis): Promise<number> {
  const third = COUNT / 3
  const reshards = [() => {}, () => splitFirst(kinesis, STREAM), () => mergeLast(kinesis, STREAM)]
  let acknowledged = 0
  for (const [i, reshard] of reshards.entries()) {
    const storedBefore = kinesis.storedRecords(STREAM).length
    const put = kpl.put(STREAM, i * third, (i + 1) * third)
    let isSettled = false
    const settled = put.finally(() => {
      isSettled = true
    })
    // The reshard comes while user records are on their way.
    while (!isSettled && kinesis.storedRecords(STREAM).length <= storedBefore + 10) await turn()
    reshard()
    acknowledged += await settled
  }
  return acknowledged
}

function turn(): Promise<void> {
  return new Promise(resolve => setImmediate(resolve))
}

async function compare(
  { version, isLossy }: TestedVersion,
  server: FakeKinesisServer,
  given: readonly UserRecord[],
  acknowledged: number
): Promise<Comparison[]> {
  const { kinesis } = server
  const client = trustingClient(server)
  const all = compareContent(given, await readBack(client, kinesis, STREAM, 'filter'))
  const asKcl = compareContent(given, await readBack(client, kinesis, STREAM, 'kcl'))
  client.destroy()
  const stored = kinesis.storedRecords(STREAM)
  const aggregates = stored.map(({ data }) => data).filter(isAggregate)
  const unlike = aggregates.filter(data => Buffer.compare(aggregateOf(userRecordsOf(data)), data) !== 0)
  const row = { program: `KPL ${version}`, compared: given.length }
  const readAsKcl = {
    ...row,
    what: 'the same, read as the KCL does, which drops an aggregate with a user record of another shard',
    differences: asKcl.missing + asKcl.foreign
  }
  const loss = isLossy ? `; a KCL gets ${asKcl.missing} fewer, which this KPL loses at the split and the merge` : ''
  return [
    { ...row, what: 'user records acknowledged by the fake', differences: given.length - acknowledged },
    {
      ...row,
      what: 'user records read back through a split and a merge',
      differences: all.missing + all.foreign,
      note: `${count(stored.length)} Kinesis records; ${count(all.repeated)} user records are there twice${loss}`
    },
    ...(isLossy ? [] : [readAsKcl]),
    { ...row, what: 'aggregates encoded again, byte for byte', compared: aggregates.length, differences: unlike.length }
  ]
}

function recordingOf(
  { version }: KplVersion,
  given: readonly UserRecord[],
  stored: readonly StoredRecord[]
): RecordedBytes {
  return {
    program: `KPL ${version}`,
    given: given.map(recordedUserRecord),
    stored: stored.map(({ partitionKey = '', explicitHashKey, data }) => ({
      partitionKey,
      explicitHashKey: explicitHashKey ?? hashKeyOfText(partitionKey),
      data: toBase64(data)
    }))
  }
}

/** No user record of the workload begins with the magic. */
function isAggregate(data: Uint8Array): boolean {
  return Buffer.from(data.subarray(0, 4)).toString('hex') === 'f3899ac2'
}

function trustingClient({ endpoint }: FakeKinesisServer): KinesisClient {
  return new KinesisClient({
    endpoint,
    region: 'us-east-1',
    credentials: { accessKeyId: 'any', secretAccessKey: 'any' },
    requestHandler: new NodeHttpHandler({ httpsAgent: new Agent({ keepAlive: true, rejectUnauthorized: false }) })
  })
}
