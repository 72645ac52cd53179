/**
 * The memory of a buffered record: live bytes after garbage collection, with a transport that does not answer,
 * less those before the puts, by the number of records.
 * Verified: every record is acknowledged once the transport answers.
 */
import type { KinesisProducer } from '../src/index.ts'
import { withChild } from './harness/child.ts'
import { makePool } from './harness/load.ts'
import { nullProducer } from './harness/null-producer.ts'
import { source } from './harness/pump.ts'
import { type Cell, metric, type Report } from './harness/report.ts'
import { ROUNDS, scaled, thinned } from './harness/settings.ts'
import { StuckTransport } from './harness/stuck-transport.ts'

const SHARDS = 10
const PAYLOAD_BYTES = scaled(50_000_000, 4_000_000)
/** Longer than any record is buffered. */
const DEADLINES_MS = 300
const WARM_UP_PART = 1 / 100

interface MemoryCase {
  readonly call: 'tryPut' | 'put'
  readonly recordBytes: number
  readonly keys: number | 'unique'
}

interface Cost {
  readonly perRecordBytes: number
  readonly payloadBytes: number
}

const CASES: readonly MemoryCase[] = [
  { call: 'tryPut', recordBytes: 100, keys: 4096 },
  { call: 'tryPut', recordBytes: 100, keys: 'unique' },
  { call: 'put', recordBytes: 100, keys: 4096 },
  { call: 'tryPut', recordBytes: 1000, keys: 4096 },
  { call: 'put', recordBytes: 1000, keys: 4096 },
  { call: 'tryPut', recordBytes: 10_000, keys: 4096 }
]

export async function run(): Promise<Report> {
  const rows: Cell[][] = []
  for (const memoryCase of thinned(CASES)) {
    const costs = await costsOf(memoryCase)
    const perRecord = costs.map(({ perRecordBytes }) => perRecordBytes)
    const { payloadBytes } = costs[0]!
    const overhead = perRecord.map(bytes => bytes - payloadBytes)
    const { call, recordBytes, keys } = memoryCase
    rows.push([call, `${recordBytes}`, `${keys}`, metric('bytes', perRecord), metric('bytes', overhead)])
  }
  const title = 'live memory for each buffered record'
  const columns = ['call', 'record bytes', 'keys', 'memory', 'above data and key']
  const notes = ['put: with the promise, which the caller holds. Bodies of requests in flight are not in it.']
  return { title: 'Memory', tables: [{ title, columns, rows, notes }] }
}

/** A process for every sample: what a heap keeps of earlier runs would be taken for the records' cost. */
async function costsOf(memoryCase: MemoryCase): Promise<Cost[]> {
  const costs: Cost[] = []
  for (let round = 0; round < Math.min(3, ROUNDS); round++) {
    const module = new URL('./memory.bench.js', import.meta.url)
    costs.push(await withChild<{ measure: typeof measure }, Cost>(module, child => child.call('measure', memoryCase)))
  }
  return costs
}

/** In a process of its own. */
export async function measure({ call, recordBytes, keys }: MemoryCase): Promise<Cost> {
  const pool = makePool({ recordBytes, keys: keys === 'unique' ? 1 : keys })
  const transport = new StuckTransport(SHARDS)
  const producer = nullProducer(transport)
  const next = source(pool, { keys: keys === 'unique' ? Number.POSITIVE_INFINITY : undefined })
  const count = Math.ceil(PAYLOAD_BYTES / recordBytes)
  // A little of everything once; more would leave memory for reuse, which the records would then not be charged for.
  const warmUpCount = Math.ceil(count * WARM_UP_PART)
  await putAll(producer, call, next, warmUpCount)
  await producer.flush()
  transport.stick()
  const before = await settledBytes()
  const promises = await putAll(producer, call, next, count)
  const after = await settledBytes()
  transport.release()
  await producer.flush()
  const { delivered, failed } = producer.stats()
  if (delivered !== warmUpCount + count || failed !== 0 || promises.length > count)
    throw new Error('records are missing')
  await producer.close()
  const keyBytes = next().partitionKey.length
  return { perRecordBytes: (after - before) / count, payloadBytes: recordBytes + keyBytes }
}

async function putAll(
  producer: KinesisProducer,
  call: 'tryPut' | 'put',
  next: ReturnType<typeof source>,
  count: number
): Promise<Promise<unknown>[]> {
  const promises: Promise<unknown>[] = []
  for (let i = 0; i < count; i++) {
    if (call === 'put') promises.push(producer.put(next()))
    else if (!producer.tryPut(next())) throw new Error('the buffer is full')
    if (i % 10_000 === 0) await new Promise(resolve => setImmediate(resolve))
  }
  return promises
}

/** Live bytes once every deadline has passed, so that all records are sealed, queued or in requests. */
async function settledBytes(): Promise<number> {
  await new Promise(resolve => setTimeout(resolve, DEADLINES_MS))
  globalThis.gc?.()
  globalThis.gc?.()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}
