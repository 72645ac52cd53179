/**
 * Makes the core throw at random places: before or after any call of a station's method, as a fault in it would.
 * Invariant: outside of `throwing` nothing is changed but a look at one variable; what keeps the books (PipelineSet, Custody,
 * Budget, FlushLedger, Members, Fifo) never throws here, for it is what has to survive.
 */
import { Admission } from '../../src/pipeline/admission.ts'
import { Answers } from '../../src/pipeline/answers.ts'
import { Intake } from '../../src/pipeline/intake.ts'
import { OrderWatch } from '../../src/pipeline/order-watch.ts'
import { Outbox } from '../../src/pipeline/outbox.ts'
import { Pipeline } from '../../src/pipeline/pipeline.ts'
import { Readmission } from '../../src/pipeline/readmission.ts'
import { RequestFailures } from '../../src/pipeline/request-failures.ts'
import { Routing } from '../../src/pipeline/routing.ts'
import { StreamTelemetry } from '../../src/pipeline/telemetry.ts'
import { Aggregator } from '../../src/stages/aggregator.ts'
import { Breaker } from '../../src/stages/breaker.ts'
import { Collector } from '../../src/stages/collector.ts'
import { DeadlineHeap } from '../../src/stages/deadline-heap.ts'
import { KeyCache } from '../../src/stages/key-cache.ts'
import { Limiter } from '../../src/stages/limiter.ts'
import { RecordQueue } from '../../src/stages/record-queue.ts'
import { ShardDirectory } from '../../src/stages/shard-directory.ts'
import { ShardMap } from '../../src/stages/shard-map.ts'
import { TokenBucket } from '../../src/stages/token-bucket.ts'
import { DedupeTag } from '../../src/wire/dedupe-tag.ts'
import { EnvelopeWriter } from '../../src/wire/encode.ts'

const STATIONS = [
  Admission,
  Aggregator,
  Answers,
  Breaker,
  Collector,
  DeadlineHeap,
  DedupeTag,
  EnvelopeWriter,
  Intake,
  KeyCache,
  Limiter,
  OrderWatch,
  Outbox,
  Pipeline,
  Readmission,
  RecordQueue,
  RequestFailures,
  Routing,
  ShardDirectory,
  ShardMap,
  StreamTelemetry,
  TokenBucket
]
/** Whether the call that is about to begin, or has ended, throws. */
type Strikes = () => boolean

let strikes: Strikes | undefined
let isInstalled = false

/** Runs `work` with a core that throws where `next` says so. */
export function throwing<Result>(next: Strikes, work: () => Result): Result {
  install()
  strikes = next
  try {
    return work()
  } finally {
    strikes = undefined
  }
}

function install(): void {
  if (isInstalled) return
  isInstalled = true
  for (const station of STATIONS) {
    const descriptors = Object.getOwnPropertyDescriptors(station.prototype) as Record<string, PropertyDescriptor>
    for (const [name, descriptor] of Object.entries(descriptors)) {
      if (name === 'constructor') continue
      const kind = descriptor.get === undefined ? 'value' : 'get'
      const wrapped = struck(`${station.name}.${name}`, descriptor[kind] as Method)
      Object.defineProperty(station.prototype, name, { ...descriptor, [kind]: wrapped })
    }
  }
}

type Method = (this: unknown, ...values: unknown[]) => unknown

function struck(name: string, method: Method): Method {
  return function (this: unknown, ...values: unknown[]) {
    if (strikes === undefined) return method.apply(this, values)
    if (strikes()) throw new Error(`the simulation throws before ${name}`)
    const result = method.apply(this, values)
    if (strikes?.()) throw new Error(`the simulation throws after ${name}`)
    return result
  }
}
