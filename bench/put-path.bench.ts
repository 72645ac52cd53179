/**
 * The put path alone: user records of 100 bytes with 4,096 keys into a transport that discards, at 1 and 100 shards.
 * Verified before it is timed: every record is acknowledged, and what left decodes to what came.
 */
import { KinesisProducer } from '../src/index.ts'
import { DiscardTransport } from '../src/testing/index.ts'
import { EnvelopeWriter } from '../src/wire/encode.ts'
import { table } from './table.ts'

const KEYS = 4096
const RECORD_BYTES = 100
const WARM_UP = 300_000
const RECORDS = 1_000_000
const ROUNDS = 5

export async function run(): Promise<void> {
  const rows: string[][] = [['call', 'shards', 'keys', 'median', 'spread']]
  rows.push(row(['floor: encode and MD5 alone', '-', '4,096'], await rounds(() => Promise.resolve(floor()))))
  for (const shards of [1, 100]) {
    rows.push(row(['tryPut', `${shards}`, '4,096'], await rounds(() => measure(shards, 'tryPut', false))))
    rows.push(row(['tryPut', `${shards}`, 'unique'], await rounds(() => measure(shards, 'tryPut', true))))
    rows.push(row(['put', `${shards}`, '4,096'], await rounds(() => measure(shards, 'put', false))))
  }
  console.log(table('put path: user records of 100 bytes a second, null transport, one process', rows))
}

async function rounds(once: () => Promise<number>): Promise<number[]> {
  const rates: number[] = []
  for (let round = 0; round < ROUNDS; round++) rates.push(await once())
  return rates.sort((left, right) => left - right)
}

function row(names: readonly string[], rates: readonly number[]): string[] {
  const [low, middle, high] = [rates[0]!, rates[ROUNDS >> 1]!, rates[ROUNDS - 1]!]
  return [...names, millions(middle), `${millions(low)} to ${millions(high)}`]
}

/** What no producer of this format can do without: the members written, and the MD5 of every envelope. */
function floor(): number {
  const writer = new EnvelopeWriter()
  const data = Buffer.alloc(RECORD_BYTES, 'x')
  const keys = Array.from({ length: KEYS }, (_, i) => `user-${i}`)
  const slots = keys.map(() => ({ table: 0, index: 0 }))
  let count = 0
  const startMs = performance.now()
  for (let i = 0; i < RECORDS; i++) {
    const key = i % KEYS
    const isIn = writer.addWithin(51_200, keys[key]!, keys[key]!.length, undefined, data, RECORD_BYTES, slots[key])
    if (isIn) continue
    count += writer.seal().length
    writer.addWithin(51_200, keys[key]!, keys[key]!.length, undefined, data, RECORD_BYTES, slots[key])
  }
  if (count === 0) throw new Error('nothing was sealed')
  return RECORDS / ((performance.now() - startMs) / 1000)
}

async function measure(shards: number, call: 'put' | 'tryPut', isUnique: boolean): Promise<number> {
  const transport = new DiscardTransport({ shards })
  const producer = new KinesisProducer(
    { streamName: 'bench', rateLimitPercent: 1_000_000_000, bufferMaxBytes: 1 << 30, bufferMaxRecords: 10_000_000 },
    { transport }
  )
  const data = Buffer.alloc(RECORD_BYTES, 'x')
  let next = 0
  const keys = Array.from({ length: KEYS }, (_, i) => `user-${i}`)
  const keyOf = () => (isUnique ? `user-${next++}` : keys[next++ % KEYS]!)
  await pump(producer, call, WARM_UP, keyOf, data)
  const startMs = performance.now()
  await pump(producer, call, RECORDS, keyOf, data)
  const rate = RECORDS / ((performance.now() - startMs) / 1000)
  const { delivered, failed } = producer.stats()
  if (delivered !== WARM_UP + RECORDS || failed !== 0) throw new Error(`${delivered} delivered, ${failed} failed`)
  await producer.close()
  return rate
}

/** Puts `count` records and waits until all are acknowledged. */
async function pump(
  producer: KinesisProducer,
  call: 'put' | 'tryPut',
  count: number,
  keyOf: () => string,
  data: Uint8Array
): Promise<void> {
  let failed = 0
  const settle = (error: unknown) => {
    if (error !== undefined) failed++
  }
  for (let i = 0; i < count; ) {
    const burstEnd = Math.min(count, i + 2000)
    if (call === 'tryPut') {
      while (i < burstEnd && producer.tryPut({ partitionKey: keyOf(), data }, settle)) i++
    } else {
      const puts: Promise<unknown>[] = []
      while (i < burstEnd) {
        puts.push(producer.put({ partitionKey: keyOf(), data }))
        i++
      }
      for (const put of puts) put.catch(settle)
    }
    await producer.ready()
    await new Promise(setImmediate)
  }
  await producer.flush()
  if (failed > 0) throw new Error(`${failed} records failed`)
}

function millions(rate: number): string {
  return `${(rate / 1e6).toFixed(2)} M/s`
}
