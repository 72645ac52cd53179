/**
 * An hour's outage in virtual time with the buffer kept full, then recovery. Argument: the records' time to live in ms,
 * or `Infinity`.
 * Invariant: nothing is kept here for each record but a bit, so that what memory grows by is the library's.
 */
import { setImmediate } from 'node:timers/promises'
import { deaggregateAll } from '../../../src/consumer/deaggregate.ts'
import { KinesisProducer, type PutResult, type RecordFailedError, type Transport } from '../../../src/index.ts'
import {
  FakeKinesis,
  type FaultAction,
  FaultPlan,
  InMemoryTransport,
  seededRandom,
  VirtualClock
} from '../../../src/testing/index.ts'
import { finish, liveBytes, watchDisturbances } from './report.ts'

export interface OutageReport {
  readonly taken: number
  readonly delivered: number
  readonly failed: number
  readonly failureCodes: Readonly<Record<string, number>>
  /** Acknowledged by the service under their own number and content. */
  readonly acknowledgedOnce: number
  /** PutRecords, ListShards and DescribeStreamSummary requests in the hour, by the kind of the outage. */
  readonly requests: Readonly<Record<string, number>>
  /** Least part of the buffer in use, in the hour. */
  readonly leastUsedPart: number
  readonly baseline: Memory
  readonly peak: Memory
  readonly afterwards: Memory
  readonly bufferMaxBytes: number
  readonly recoveredInMs: number
  readonly warnings: readonly string[]
  readonly unhandled: readonly string[]
}

export interface Memory {
  /** Live objects and buffers, after a collection. */
  readonly liveBytes: number
  readonly rssBytes: number
}

const [ttl = 'Infinity'] = process.argv.slice(2)
const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const STREAM = 'orders'
const SHARDS = 4
const RECORD_BYTES = 100
const BUFFER_MAX_BYTES = 64 * 1_048_576
const WARM_UP_RECORDS = 20_000
const MAX_RECORDS = 1_000_000
const RECOVERY_MS = 600_000

/** Ten minutes each. */
const KINDS: Readonly<Record<string, FaultAction>> = {
  reset: { kind: 'reset' },
  silence: { kind: 'silence' },
  '500': { kind: 'failRequest', errorCode: 'InternalFailure', statusCode: 500 },
  'throttled requests': { kind: 'failRequest', errorCode: 'LimitExceededException', statusCode: 400 },
  'throttled records': { kind: 'throttle' },
  'failed records': { kind: 'failRecords', errorCode: 'InternalFailure' }
}

const clock = new VirtualClock(1_000_000)
const random = seededRandom(1)
const kinesis = new FakeKinesis({ nowMs: () => clock.nowMs(), random: random.split('service'), storage: 'discard' })
kinesis.createStream({ StreamName: STREAM, ShardCount: SHARDS })
const faults = new FaultPlan([], random.split('faults'))
const network = new InMemoryTransport({ kinesis, clock, faults, latencyMs: 5 })
const seen = new Uint8Array(MAX_RECORDS / 8)
let acknowledgedOnce = 0

/** Marks the user records that the service takes. */
const transport: Transport = {
  putRecords: async request => {
    const response = await network.putRecords(request)
    response.records.forEach((answer, index) => {
      const { data, partitionKey } = request.entries[index]!
      if (answer.sequenceNumber !== undefined) mark(data, partitionKey)
    })
    return response
  },
  listShards: stream => network.listShards(stream),
  describeStream: stream => network.describeStream(stream),
  close: () => network.close()
}

function mark(data: Uint8Array, partitionKey: string): void {
  for (const user of deaggregateAll([{ Data: data, PartitionKey: partitionKey, SequenceNumber: '1' }])) {
    const number = Buffer.from(user.data.buffer, user.data.byteOffset, 4).readUInt32LE(0)
    const bit = 1 << (number & 7)
    const isOwnKey = user.partitionKey === keyOf(number) && user.data.length === RECORD_BYTES
    if (!isOwnKey || (seen[number >> 3]! & bit) !== 0) continue
    seen[number >> 3]! |= bit
    acknowledgedOnce++
  }
}

const options = { streamName: STREAM, bufferMaxBytes: BUFFER_MAX_BYTES, recordTtlMs: Number(ttl), logger: silent() }
const producer = new KinesisProducer(options, { transport, clock, random: random.split('producer') })
const data = Buffer.alloc(RECORD_BYTES, 'x')
const failureCodes: Record<string, number> = {}
let taken = 0
let settled = 0

function settle(error: RecordFailedError | undefined, _result: PutResult | undefined): void {
  settled++
  if (error !== undefined) failureCodes[error.code] = (failureCodes[error.code] ?? 0) + 1
}

function keyOf(number: number): string {
  return `customer-${number % 1000}`
}

function tryPutNext(): boolean {
  data.writeUInt32LE(taken)
  const isTaken = producer.tryPut({ partitionKey: keyOf(taken), data }, settle)
  if (isTaken) taken++
  return isTaken
}

let isProducing = true
async function keepFull(): Promise<void> {
  while (isProducing) {
    while (tryPutNext());
    await producer.ready()
  }
}

function silent() {
  return { debug() {}, info() {}, warn() {}, error() {} }
}

async function pass(untilMs: number, isOver = () => false): Promise<void> {
  await setImmediate()
  while (!isOver() && (clock.nextAtMs ?? Number.POSITIVE_INFINITY) <= untilMs) {
    clock.runNext()
    await setImmediate()
  }
  if (!isOver()) clock.advanceTo(untilMs)
  await setImmediate()
}

function requestCount(): number {
  return Object.values(network.stats()).reduce((sum, { requestCount }) => sum + requestCount, 0)
}

function measure(): Memory {
  return { liveBytes: liveBytes(), rssBytes: process.memoryUsage.rss() }
}

async function warmUp(): Promise<void> {
  while (taken < WARM_UP_RECORDS) {
    while (taken < WARM_UP_RECORDS && tryPutNext());
    await pass(clock.nowMs() + 1000)
  }
  await pass(clock.nowMs() + RECOVERY_MS, () => settled === taken)
}

const { warnings, unhandled } = watchDisturbances()
await warmUp()
const baseline = measure()
const requests: Record<string, number> = {}
const startMs = clock.nowMs()
let peak = baseline
let leastUsedPart = 1
void keepFull()
for (const [kind, action] of Object.entries(KINDS)) {
  faults.clear()
  faults.add({ action })
  const before = requestCount()
  const untilMs = clock.nowMs() + HOUR_MS / Object.keys(KINDS).length
  while (clock.nowMs() < untilMs) {
    await pass(Math.min(untilMs, clock.nowMs() + MINUTE_MS))
    peak = { ...peak, rssBytes: Math.max(peak.rssBytes, process.memoryUsage.rss()) }
    leastUsedPart = Math.min(leastUsedPart, producer.stats().bufferedBytes / BUFFER_MAX_BYTES)
  }
  requests[kind] = requestCount() - before
  peak = { ...peak, liveBytes: Math.max(peak.liveBytes, liveBytes()) }
}
const hourMs = clock.nowMs() - startMs
if (hourMs !== HOUR_MS) throw new Error(`the hour took ${hourMs} ms`)
isProducing = false
faults.clear()
const recoveryMs = clock.nowMs()
await pass(clock.nowMs() + RECOVERY_MS, () => settled === taken)
const recoveredInMs = clock.nowMs() - recoveryMs
const { delivered, failed } = producer.stats()
const afterwards = measure()
const report: OutageReport = {
  taken,
  delivered,
  failed,
  failureCodes,
  acknowledgedOnce,
  requests,
  leastUsedPart,
  baseline,
  peak,
  afterwards,
  bufferMaxBytes: BUFFER_MAX_BYTES,
  recoveredInMs,
  warnings,
  unhandled
}
finish(report)
