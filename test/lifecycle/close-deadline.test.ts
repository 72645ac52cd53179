import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { KinesisProducer } from '../../src/index.ts'
import { SILENT } from '../support/silent.ts'
import { OUTAGES } from './outages.ts'

const TIMEOUT_MS = 60
/** What close may take beyond its time: to call back, and to free sockets. */
const SLACK_MS = 250
const RECORDS = 200
/** Beyond the second for which the first shard map is waited for: requests are under way, or failed a few times. */
const OUTAGE_MS = 1500

/** What is no outage, and the code that says so. */
const BELIEVED: ReadonlyMap<string, string> = new Map([
  ['the key is refused', 'KPL_ERR_REJECTED'],
  ['the credentials are refused by their provider', 'KPL_ERR_CANNOT_SEND']
])

const ends: (() => unknown)[] = []
afterAll(() => Promise.all(ends.map(end => end())))

describe('close with a time limit returns at it', () => {
  test.each(Object.keys(OUTAGES))('when %s from the start', async name => {
    const producing = await produce(name)

    const closed = await closeAndTime(producing)

    expect(closed).toEqual({ isLate: false, isEarly: false, delivered: 0, failed: RECORDS })
    expect(producing.codes).toEqual(Array(RECORDS).fill('KPL_ERR_CLOSE_TIMEOUT'))
    expect(heldBy(producing.producer)).toEqual({ bufferedRecords: 0, bufferedBytes: 0, inFlightRequests: 0 })
  })
})

describe('after a while, close with a time limit still returns at it', () => {
  const all = new Map<string, Producing>()
  beforeAll(async () => {
    await Promise.all(Object.keys(OUTAGES).map(async name => all.set(name, await produce(name))))
    await sleep(OUTAGE_MS)
  })

  // These have been believed by then, and their records have failed; the others wait.
  test.each(Object.keys(OUTAGES).filter(name => !BELIEVED.has(name)))('when %s', async name => {
    const producing = all.get(name)!
    const { errorsByCode } = producing.producer.stats().streams['orders']!
    const metCount = producing.producer.stats().inFlightRequests + Object.keys(errorsByCode).length

    const closed = await closeAndTime(producing)

    expect(closed).toEqual({ isLate: false, isEarly: false, delivered: 0, failed: RECORDS })
    expect(metCount).toBeGreaterThan(0)
    expect(producing.codes).toEqual(Array(RECORDS).fill('KPL_ERR_CLOSE_TIMEOUT'))
    expect(heldBy(producing.producer)).toEqual({ bufferedRecords: 0, bufferedBytes: 0, inFlightRequests: 0 })
  })

  test.each([...BELIEVED])('and when %s everything has failed already, and it returns at once', async (name, code) => {
    const { producer, codes } = all.get(name)!

    const result = await producer.close({ timeoutMs: TIMEOUT_MS })

    expect(result).toEqual({ delivered: 0, failed: 0 })
    expect(codes).toEqual(Array(RECORDS).fill(code))
  })
})

interface Producing {
  readonly producer: KinesisProducer
  /** Of the callbacks so far. */
  readonly codes: (string | undefined)[]
}

async function produce(name: string): Promise<Producing> {
  const options = await OUTAGES[name]!(end => ends.push(end))
  const codes: (string | undefined)[] = []
  const producer = new KinesisProducer({ ...options, recordMaxBufferedTimeMs: 10, logger: SILENT })
  for (let i = 0; i < RECORDS; i++) {
    producer.tryPut({ partitionKey: `${i}`, data: 'x'.repeat(5000) }, error => codes.push(error?.code))
  }
  return { producer, codes }
}

/**
 * On a busy machine the whole process may have to wait for its turn. That is no fault of close: only what comes long
 * after a plain timer of the same time, or what was computed in between, is counted against it.
 */
async function closeAndTime({ producer }: Producing) {
  const startMs = performance.now()
  const startCpu = process.cpuUsage()
  let timerMs = Number.POSITIVE_INFINITY
  const timer = setTimeout(() => (timerMs = performance.now()), TIMEOUT_MS)
  const { delivered, failed } = await producer.close({ timeoutMs: TIMEOUT_MS })
  const endMs = performance.now()
  const { user, system } = process.cpuUsage(startCpu)
  clearTimeout(timer)
  const isLate = endMs - startMs > TIMEOUT_MS + SLACK_MS
  const isOwnFault = endMs - timerMs > SLACK_MS || (user + system) / 1000 > SLACK_MS
  return { isLate: isLate && isOwnFault, isEarly: endMs - startMs < TIMEOUT_MS - 2, delivered, failed }
}

function heldBy(producer: KinesisProducer) {
  const { bufferedRecords, bufferedBytes, inFlightRequests } = producer.stats()
  return { bufferedRecords, bufferedBytes, inFlightRequests }
}
