/**
 * Puts records into a producer as fast as it takes them, the way an application would with each of its calls.
 * Invariant: resolves when every record was acknowledged, and rejects when one failed; the event loop turns every
 * `BURST` records, as it does for a program that reads its records from somewhere.
 */
import { once } from 'node:events'
import type { KinesisProducer, UserRecord } from '../../src/index.ts'
import type { LoadRecord } from './load.ts'

export type Call = 'tryPut' | 'put' | 'putMany' | 'putAll' | 'writable'

const BURST = 1000
/** Records of one `putMany`: what a service takes from a queue at once. */
const LIST_RECORDS = 500
/** Promises outstanding before `put` is awaited. */
const MAX_OUTSTANDING = 100_000

export interface SourceOptions {
  /** Makes the keys as they are needed, that many different ones, in place of the pool's. */
  readonly keys?: number | undefined
  /** Data is the text, not its bytes. */
  readonly isText?: boolean
}

/** Returns the next user record on every call, from the pool in turn. */
export function source(pool: readonly LoadRecord[], { keys, isText = false }: SourceOptions = {}): () => UserRecord {
  let next = 0
  let key = 0
  return () => {
    const record = pool[next]!
    const { partitionKey } = record
    const data = isText ? record.text : record.data
    next = next + 1 === pool.length ? 0 : next + 1
    if (keys === undefined) return { partitionKey, data }
    key = key + 1 === keys ? 0 : key + 1
    return { partitionKey: `user-${key}`, data }
  }
}

export function pump(producer: KinesisProducer, call: Call, next: () => UserRecord, count: number): Promise<void> {
  switch (call) {
    case 'tryPut':
      return pumpTryPut(producer, next, count)
    case 'put':
      return pumpPut(producer, next, count)
    case 'putMany':
      return pumpPutMany(producer, next, count)
    case 'putAll':
      return pumpPutAll(producer, next, count)
    case 'writable':
      return pumpWritable(producer, next, count)
  }
}

/** Many lists at a time. */
async function pumpPutMany(producer: KinesisProducer, next: () => UserRecord, count: number): Promise<void> {
  let outstanding = 0
  let failed = 0
  const lists: Promise<void>[] = []
  for (let i = 0; i < count; i += LIST_RECORDS) {
    const list = Array.from({ length: Math.min(LIST_RECORDS, count - i) }, next)
    outstanding += list.length
    const settled = producer.putMany(list).then(({ failedCount }) => {
      outstanding -= list.length
      failed += failedCount
    })
    lists.push(settled)
    await turn()
    while (outstanding > MAX_OUTSTANDING) await turn()
  }
  await producer.flush()
  await Promise.all(lists)
  if (failed > 0) throw new Error(`${failed} records failed`)
}

async function pumpPutAll(producer: KinesisProducer, next: () => UserRecord, count: number): Promise<void> {
  function* records(): Generator<UserRecord> {
    for (let i = 0; i < count; i++) yield next()
  }
  let failed = 0
  for await (const { error } of producer.putAll(records())) if (error !== undefined) failed++
  if (failed > 0) throw new Error(`${failed} records failed`)
}

async function pumpTryPut(producer: KinesisProducer, next: () => UserRecord, count: number): Promise<void> {
  let failed = 0
  const settle = (error: unknown) => {
    if (error !== undefined) failed++
  }
  for (let i = 0; i < count; ) {
    const burstEnd = Math.min(count, i + BURST)
    for (; i < burstEnd; i++) {
      const record = next()
      while (!producer.tryPut(record, settle)) await producer.ready()
    }
    await turn()
  }
  await producer.flush()
  if (failed > 0) throw new Error(`${failed} records failed`)
}

async function pumpPut(producer: KinesisProducer, next: () => UserRecord, count: number): Promise<void> {
  let outstanding = 0
  let failure: unknown
  const settled = () => {
    outstanding--
  }
  const failed = (error: unknown) => {
    outstanding--
    failure = error
  }
  for (let i = 0; i < count; ) {
    const burstEnd = Math.min(count, i + BURST)
    for (; i < burstEnd; i++) {
      outstanding++
      producer.put(next()).then(settled, failed)
    }
    await turn()
    while (outstanding > MAX_OUTSTANDING) await turn()
  }
  await producer.flush()
  await turn()
  if (failure !== undefined) throw failure
  if (outstanding !== 0) throw new Error(`${outstanding} promises did not settle`)
}

async function pumpWritable(producer: KinesisProducer, next: () => UserRecord, count: number): Promise<void> {
  const stream = producer.writable()
  for (let i = 0; i < count; ) {
    const burstEnd = Math.min(count, i + BURST)
    for (; i < burstEnd; i++) if (!stream.write(next())) await once(stream, 'drain')
    await turn()
  }
  stream.end()
  await producer.flush()
  await once(stream, 'finish')
}

function turn(): Promise<void> {
  return new Promise(resolve => setImmediate(resolve))
}
