/**
 * The fake Kinesis with its fault plan: what becomes of one request, and when. Shared by the HTTP server and the
 * in-memory transport, which only carry it out.
 * Invariant: synchronous and without a timer; the caller waits, applies, waits and answers, in this order.
 */
import type { FakeKinesis } from './fake-kinesis.ts'
import { type FaultDecision, type FaultEnding, type FaultPlan, NO_FAULT } from './fault-plan.ts'
import type { PutEffects } from './put-records.ts'
import { FakeServiceError } from './service-error.ts'

/** One request, already read: `run` applies it to the model. */
export interface ServiceCall<Output extends object = object> {
  readonly operation: string
  readonly streamName: string | undefined
  readonly entryCount: number
  readonly run: (kinesis: FakeKinesis, effects: CallEffects) => Output
}

/** The effects of a fault plan on a call that is applied. */
export interface CallEffects extends PutEffects {
  /** ListShards answers with the shards of this long ago. */
  readonly shardsAgoMs: number
}

/** How a request ends: with its output, or as a fault plan wants. */
export type ServiceAnswer<Output extends object = object> =
  | { readonly kind: 'output'; readonly output: Output }
  | FaultEnding

/** A request whose fate is decided: wait `requestDelayMs`, call `apply` once, wait `answerDelayMs`, give the answer. */
export interface PlannedExchange<Output extends object = object> {
  readonly requestDelayMs: number
  readonly answerDelayMs: number
  readonly apply: () => ServiceAnswer<Output>
}

/** Requests of one operation since the start. */
export interface OperationStats {
  /** Requests that arrived. */
  readonly requestCount: number
  /** Requests that did not get their output: refused, reset, silenced or garbled. */
  readonly failedCount: number
}

export class FakeService {
  readonly #kinesis: FakeKinesis
  readonly #faults: FaultPlan | undefined
  readonly #nowMs: () => number
  readonly #stats: Map<string, { requestCount: number; failedCount: number }> = new Map()

  constructor(kinesis: FakeKinesis, faults: FaultPlan | undefined, nowMs: () => number) {
    this.#kinesis = kinesis
    this.#faults = faults
    this.#nowMs = nowMs
  }

  /** Decides what will happen to `call`; nothing is applied yet. */
  plan<Output extends object>(call: ServiceCall<Output>): PlannedExchange<Output> {
    const { operation, streamName, entryCount } = call
    const decision = this.#faults?.decide({ operation, streamName, entryCount, nowMs: this.#nowMs() }) ?? NO_FAULT
    const counters = this.#stats.get(operation) ?? { requestCount: 0, failedCount: 0 }
    this.#stats.set(operation, counters)
    counters.requestCount++
    return {
      requestDelayMs: decision.requestDelayMs,
      answerDelayMs: decision.answerDelayMs,
      apply: () => {
        const answer = this.#apply(call, decision)
        if (answer.kind !== 'output') counters.failedCount++
        return answer
      }
    }
  }

  /** Counters by operation, in the order of first use. */
  stats(): Readonly<Record<string, OperationStats>> {
    return Object.fromEntries(this.#stats)
  }

  #apply<Output extends object>(call: ServiceCall<Output>, decision: FaultDecision): ServiceAnswer<Output> {
    if (!decision.isApplied && decision.ending !== undefined) return decision.ending
    const applied = this.#run(call, decision)
    return decision.ending ?? withRecordCount(applied, decision.recordCountDifference)
  }

  #run<Output extends object>(call: ServiceCall<Output>, decision: FaultDecision): ServiceAnswer<Output> {
    try {
      return { kind: 'output', output: call.run(this.#kinesis, decision) }
    } catch (error) {
      if (error instanceof FakeServiceError) return { kind: 'error', error }
      throw error
    }
  }
}

/** Cuts entries off the answer's records, or repeats the last one; other members stay, so the output keeps its type. */
function withRecordCount<Output extends object>(
  answer: ServiceAnswer<Output>,
  difference: number
): ServiceAnswer<Output> {
  if (difference === 0 || answer.kind !== 'output') return answer
  const { output } = answer
  if (!('Records' in output) || !Array.isArray(output.Records)) return answer
  const records: unknown[] = output.Records
  const extra = Array.from({ length: Math.max(0, difference) }, () => records[records.length - 1])
  const kept = records.slice(0, Math.max(0, records.length + Math.min(0, difference)))
  return { kind: 'output', output: { ...output, Records: [...kept, ...extra] } }
}
