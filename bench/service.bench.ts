/**
 * The price for a web service: CPU of its process at 1,000 records a second with nothing else to do, over HTTPS, against the
 * SDK used by hand. All ways take turns; the same load without any put is beside them.
 * Verified before it is timed: the sink takes every user record apart and finds each of them once.
 */
import { OPTIONS } from '../src/model/options.ts'
import { Child } from './harness/child.ts'
import type { Spent } from './harness/meter.ts'
import { barsOf, type Cell, metric, metricOf, type Report, ratio, type Side } from './harness/report.ts'
import { ROUNDS, scaled } from './harness/settings.ts'
import { median } from './harness/statistics.ts'
import { WAYS } from './service-process.ts'
import { openSink, type SinkPlace, verifyArrival } from './sink/place.ts'
import type { SinkCounts } from './sink/sink.ts'

const SHARDS = 4
const POOL = { recordBytes: 300, keys: 4096 }
const RATE = 1000
const RUN_SECONDS = scaled(6, 1)
/** Compiles what a service that runs for hours has compiled; no faster than every way can. */
const WARM_UP = { count: scaled(10_000, 1000), ratePerSecond: 2 * RATE }
const VERIFIED_RECORDS = scaled(5000, 1000)
const LOAD = 'the load alone'
const BATCHED = 'SDK, PutRecords batched by hand'

type ServiceChild = Child<typeof import('./service-process.ts')>

interface Sample extends Spent {
  readonly counts: SinkCounts
}

interface Service {
  readonly name: string
  readonly child: ServiceChild
  readonly samples: Sample[]
}

export async function run(): Promise<Report> {
  const place = await openSink(SHARDS)
  const services: Service[] = []
  try {
    // A base of a comparison may have no CBOR.
    for (const name of Object.keys(WAYS).filter(each => 'wireFormat' in OPTIONS || !each.endsWith('CBOR'))) {
      const child: ServiceChild = new Child(new URL('./service-process.js', import.meta.url), place.env)
      services.push({ name, child, samples: [] })
      await warmUp(name, child, place)
    }
    for (let round = 0; round < ROUNDS; round++) {
      for (const { child, samples } of services) {
        await place.sink.call('takeCounts')
        const spent = await child.call('serve', RUN_SECONDS * RATE, RATE)
        samples.push({ ...spent, counts: await place.sink.call('takeCounts') })
      }
    }
    for (const { child } of services) await child.call('close')
  } finally {
    for (const { child } of services) await child.stop()
    await place.close()
  }
  return reportOf(services)
}

async function warmUp(name: string, child: ServiceChild, { endpoint, sink }: SinkPlace): Promise<void> {
  await child.call('open', name, endpoint, POOL)
  if (name !== LOAD) await verifyArrival(sink, POOL, VERIFIED_RECORDS, count => child.call('serve', count, RATE))
  await child.call('serve', WARM_UP.count, WARM_UP.ratePerSecond)
}

function reportOf(services: readonly Service[]): Report {
  const loadPercent = median(percentsOf(services.find(({ name }) => name === LOAD)!))
  const netOf = (service: Service) => percentsOf(service).map(percent => percent - loadPercent)
  const batched = netOf(services.find(({ name }) => name === BATCHED)!)
  const rows = services.map((service): Cell[] => {
    const { name, samples } = service
    const net = netOf(service)
    const isLoad = name === LOAD
    return [
      name,
      metric('percent', percentsOf(service)),
      isLoad ? '-' : metric('percent', net),
      isLoad ? '-' : ratio(net.map((percent, round) => batched[round]! / percent)),
      metricOf('requests/s', samples, ({ counts }) => counts.requests / RUN_SECONDS),
      metricOf('records/s', samples, ({ counts }) => counts.kinesisRecords / RUN_SECONDS)
    ]
  })
  const title = `a service at ${RATE.toLocaleString('en-US')} records a second of ${POOL.recordBytes} bytes of JSON text, ${SHARDS} shards`
  const columns = [
    'way',
    'CPU of a core',
    'above the load alone',
    'batched by hand costs',
    'requests',
    'Kinesis records'
  ]
  const notes = [
    'Batched by hand costs: that many times what this way costs above the load alone; below 1.00x it is cheaper than this way.',
    'CPU of the whole process, all threads. The load alone: the timer of 1 ms that puts what is due, and no put.',
    'Batched by hand: up to 500 records or 100 ms, connections kept, failed records sent again; without aggregation, back-pressure, rate limit and order.'
  ]
  return {
    title: `A web service at ${RATE.toLocaleString('en-US')} records a second`,
    tables: [{ title, columns, rows, notes }],
    plots: [
      {
        kind: 'bars',
        title: `A web service at ${RATE.toLocaleString('en-US')} records a second: CPU percent of a core (less is better)`,
        unit: 'percent',
        bars: barsOf(rows, 1, 1, sideOf)
      }
    ]
  }
}

/** Of the time that the records take at their rate: a machine that is too busy for it takes longer, for the same work. */
function percentsOf({ samples }: Service): number[] {
  return samples.map(({ cpuMs }) => cpuMs / (10 * RUN_SECONDS))
}

function sideOf(name: string): Side {
  if (name === LOAD) return 'floor'
  return name.startsWith('SDK') ? 'SDK' : 'ours'
}
