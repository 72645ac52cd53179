/**
 * Opens and closes a thousand producers against one server, in every way that a user may, and counts what is left.
 * Arguments: the server's endpoint and the number of cycles. The stream `orders` answers, `silent` never does.
 * Invariant: what is counted at the start and at the end is counted by the same function, at rest.
 */
import { setImmediate } from 'node:timers/promises'
import { KinesisProducer, type ProducerOptions } from '../../../src/index.ts'
import { finish, liveBytes, watchDisturbances } from './report.ts'

export interface CyclesReport {
  readonly cycles: Readonly<Record<string, number>>
  readonly delivered: number
  readonly failed: number
  readonly refusedOptions: number
  readonly before: Leftovers
  readonly after: Leftovers
  /** Live bytes before the first cycle and after each tenth of them. */
  readonly heapBytes: readonly number[]
  /** What one closed producer holds as long as somebody holds it: what a cycle that leaks would cost. */
  readonly producerBytes: number
  readonly warnings: readonly string[]
  readonly unhandled: readonly string[]
}

export interface Leftovers {
  readonly resources: Readonly<Record<string, number>>
  readonly listeners: Readonly<Record<string, number>>
}

const [endpoint = '', cycleCount = '0'] = process.argv.slice(2)
const WARM_UP_CYCLES = 100
const HEAP_SAMPLES = 10
const REST_TURNS = 20_000
const HELD_PRODUCERS = 50
/** Answers that never come are forgotten by then, and so are the timers of those that came. */
const REQUEST_TIMEOUT_MS = 500

const options: ProducerOptions = {
  streamName: 'orders',
  region: 'us-east-1',
  endpoint,
  requestTimeoutMs: REQUEST_TIMEOUT_MS,
  credentials: { accessKeyId: 'any', secretAccessKey: 'any' }
}
const record = { partitionKey: 'customer-42', data: 'x'.repeat(100) }
const tally = { delivered: 0, failed: 0, refusedOptions: 0 }

const FAULTY: readonly object[] = [
  { recordTtlMs: -1 },
  { endpoint: 'http://kinesis.example.com' },
  { endpoint: 'no url' },
  { logger: {} },
  { bufferMaxBytes: 1_048_576, unknown: true }
]

const WAYS: Readonly<Record<string, (cycle: number) => Promise<unknown>>> = {
  'put, flush, close': async () => {
    const producer = new KinesisProducer(options)
    const put = producer.put(record)
    await producer.flush()
    await put
    count(await producer.close(), 1)
  },
  disposed: async () => {
    // Node.js 20 has the symbol and not the syntax, and this file is bundled without helpers.
    const producer = new KinesisProducer(options)
    void producer.put(record).then(() => tally.delivered++)
    await producer[Symbol.asyncDispose]()
  },
  'closed twice at once, and again': async () => {
    const producer = new KinesisProducer(options)
    producer.tryPut(record)
    const [first] = await Promise.all([producer.close(), producer.close()])
    count(first)
    await producer.close({ timeoutMs: 1 })
  },
  'closed in an outage': async cycle => {
    const producer = new KinesisProducer({ ...options, streamName: 'silent', recordMaxBufferedTimeMs: 0 })
    for (let i = 0; i < 10; i++) producer.tryPut({ ...record, partitionKey: `${i}` })
    count(await producer.close({ timeoutMs: cycle % 3 === 0 ? 0 : 10 }))
  },
  'closed in an outage while others wait': async () => {
    const producer = new KinesisProducer({ ...options, streamName: 'silent', bufferMaxRecords: 10 })
    while (producer.tryPut(record));
    const waiting = [producer.ready(), producer.flush(), producer.put(record)]
    const closing = producer.close({ timeoutMs: 5 })
    await Promise.allSettled(waiting)
    count(await closing)
  },
  'never put': async () => {
    count(await new KinesisProducer(options).close())
  },
  'opened and forgotten': async () => {
    void new KinesisProducer(options)
  },
  'invalid options': async cycle => {
    try {
      void new KinesisProducer({ ...options, ...FAULTY[cycle % FAULTY.length] })
    } catch {
      tally.refusedOptions++
    }
  },
  'putAll, left early': async () => {
    const producer = new KinesisProducer({ ...options, recordMaxBufferedTimeMs: 0 })
    for await (const { result } of producer.putAll(Array.from({ length: 5 }, () => record))) {
      if (result !== undefined) tally.delivered++
      break
    }
    await producer.close()
  },
  writable: async () => {
    const producer = new KinesisProducer(options)
    const writable = producer.writable()
    for (let i = 0; i < 20; i++) writable.write(record)
    const ended = new Promise(resolve => writable.end(resolve))
    await producer.flush()
    await ended
    count(await producer.close(), 20)
  },
  'records taken back': async () => {
    const producer = new KinesisProducer(options)
    const aborter = new AbortController()
    const put = producer.put(record, { signal: aborter.signal })
    const flush = producer.flush({ signal: aborter.signal })
    aborter.abort()
    const settled = await Promise.allSettled([put, flush])
    tally.failed += settled.filter(({ status }) => status === 'rejected').length
    await producer.close()
  }
}

function count({ delivered, failed }: { delivered: number; failed: number }, before = 0): void {
  tally.delivered += delivered + before
  tally.failed += failed
}

async function leftovers(wanted?: Leftovers): Promise<Leftovers> {
  let found = look()
  // Sockets that were destroyed close in the turns that follow.
  for (let turn = 0; turn < REST_TURNS && JSON.stringify(found) !== JSON.stringify(wanted); turn++) {
    await setImmediate()
    found = look()
    if (wanted === undefined && turn > REST_TURNS / 10) break
  }
  return found
}

function look(): Leftovers {
  const resources: Record<string, number> = {}
  const kinds = process.getActiveResourcesInfo().filter(kind => kind !== 'Immediate')
  for (const kind of kinds.sort()) resources[kind] = (resources[kind] ?? 0) + 1
  const names = process.eventNames().map(String).sort()
  return { resources, listeners: Object.fromEntries(names.map(name => [name, process.listenerCount(name)])) }
}

async function run(from: number, to: number, cycles: Record<string, number>): Promise<void> {
  const ways = Object.entries(WAYS)
  for (let cycle = from; cycle < to; cycle++) {
    const [name, play] = ways[cycle % ways.length]!
    cycles[name] = (cycles[name] ?? 0) + 1
    await play(cycle)
  }
}

async function measureProducer(): Promise<number> {
  const startBytes = liveBytes()
  const held: KinesisProducer[] = []
  for (let i = 0; i < HELD_PRODUCERS; i++) {
    const producer = new KinesisProducer(options)
    producer.tryPut(record)
    await producer.close()
    held.push(producer)
  }
  return (liveBytes() - startBytes) / held.length
}

const { warnings, unhandled } = watchDisturbances()
await run(0, WARM_UP_CYCLES, {})
const producerBytes = await measureProducer()
const before = await leftovers()
Object.assign(tally, { delivered: 0, failed: 0, refusedOptions: 0 })
const cycles: Record<string, number> = {}
const heapBytes = [liveBytes()]
for (let sample = 0; sample < HEAP_SAMPLES; sample++) {
  const at = (part: number) => Math.round((part * Number(cycleCount)) / HEAP_SAMPLES)
  await run(at(sample), at(sample + 1), cycles)
  heapBytes.push(liveBytes())
}
const after = await leftovers(before)
const report: CyclesReport = { cycles, ...tally, before, after, heapBytes, producerBytes, warnings, unhandled }
finish(report)
