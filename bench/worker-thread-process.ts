/**
 * A program that puts records at a steady rate, in a process of its own: with the producer in its main thread, or in a worker.
 * Invariant: every record that is due is put, and a run ends when each of its records is acknowledged.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { ProducerThread } from '../examples/worker-thread/producer-thread.ts'
import { type LoadRecord, makePool, type PoolOptions } from './harness/load.ts'
import { meter, type Spent } from './harness/meter.ts'
import { UNLIMITED_PERCENT } from './harness/null-producer.ts'
import { LOAD_ALONE, putAtRate, type Way } from './harness/steady-puts.ts'
import { STREAM_NAME } from './peers/contestant.ts'
import { sinkOptions, sinkProducer } from './sink/producer.ts'

/** The cost of a run, and the delay of the main thread's event loop. */
export interface LoopSample extends Spent {
  readonly delayP50Ms: number
  readonly delayP99Ms: number
  readonly delayMaxMs: number
  /** The part of the time in which the main thread was busy. */
  readonly busyPercent: number
}

const NS_PER_MS = 1e6

export const WAYS: Readonly<Record<string, (endpoint: string) => Way>> = {
  'the load alone': () => LOAD_ALONE,
  'in the main thread': endpoint => {
    const producer = sinkProducer(endpoint)
    return {
      put: ({ partitionKey, data }) => producer.put({ partitionKey, data }),
      close: () => producer.close()
    }
  },
  'in a worker thread': endpoint => {
    const options = { streamName: STREAM_NAME, rateLimitPercent: UNLIMITED_PERCENT, ...sinkOptions(endpoint) }
    const thread = new ProducerThread({ producer: options })
    return {
      put: ({ partitionKey, data }) => thread.put({ partitionKey, data }),
      close: () => thread.close({ timeoutMs: 5000 })
    }
  }
}

let way: Way | undefined
let pool: LoadRecord[] = []

export function open(name: string, endpoint: string, options: PoolOptions): void {
  way = WAYS[name]!(endpoint)
  pool = makePool(options)
}

/** Puts the first `count` records of the pool in turn, `ratePerSecond` of them a second. */
export async function serve(count: number, ratePerSecond: number): Promise<LoopSample> {
  const delay = monitorEventLoopDelay({ resolution: 1 })
  const before = performance.eventLoopUtilization()
  delay.enable()
  const spent = await meter(() => putAtRate(way!, pool, count, ratePerSecond))
  delay.disable()
  const { utilization } = performance.eventLoopUtilization(before)
  return {
    ...spent,
    delayP50Ms: delay.percentile(50) / NS_PER_MS,
    delayP99Ms: delay.percentile(99) / NS_PER_MS,
    delayMaxMs: delay.max / NS_PER_MS,
    busyPercent: 100 * utilization
  }
}

export async function close(): Promise<void> {
  await way!.close()
}
