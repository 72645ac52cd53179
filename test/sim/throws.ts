/**
 * Makes the core throw at random places: before or after any call of a station's method, as a fault in it would.
 * Invariant: outside of `throwing` nothing is changed but a look at one variable; what keeps the books (Core, Custody,
 * BufferBudget, FlushLedger, Members, Fifo) never throws here, because it has to survive.
 */

import { Breaker } from '../../src/core/breaker.ts'
import { Collector } from '../../src/core/collector.ts'
import { HeldAnswers } from '../../src/core/held-answers.ts'
import { KeyCache } from '../../src/core/key-cache.ts'
import { OrderWatch } from '../../src/core/order-watch.ts'
import { Outbox } from '../../src/core/outbox.ts'
import { RecordValidator } from '../../src/core/record-validator.ts'
import { Repack } from '../../src/core/repack.ts'
import { Retrier } from '../../src/core/retrier.ts'
import { Router } from '../../src/core/router.ts'
import { ShardDirectory } from '../../src/core/shard-directory.ts'
import { ShardMap } from '../../src/core/shard-map.ts'
import { Stream } from '../../src/core/stream.ts'
import { Aggregator } from '../../src/lanes/aggregator.ts'
import { DeadlineHeap } from '../../src/lanes/deadline-heap.ts'
import { Limiter } from '../../src/lanes/limiter.ts'
import { RecordQueue } from '../../src/lanes/record-queue.ts'
import { TokenBucket } from '../../src/lanes/token-bucket.ts'
import { StreamTelemetry } from '../../src/stats/telemetry.ts'
import { DedupeTag } from '../../src/wire/dedupe-tag.ts'
import { EnvelopeWriter } from '../../src/wire/encode.ts'

const STATIONS = [
  RecordValidator,
  Aggregator,
  Breaker,
  Collector,
  DeadlineHeap,
  DedupeTag,
  EnvelopeWriter,
  HeldAnswers,
  KeyCache,
  Limiter,
  OrderWatch,
  Outbox,
  Stream,
  Repack,
  RecordQueue,
  Retrier,
  Router,
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
