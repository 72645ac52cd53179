/**
 * Every stream's pipeline, each behind a guard: a piece of work enters with its pipeline and is done. A pipeline that throws
 * is replaced, for nothing is known of the state of its stages any more.
 * Invariant: nothing that a pipeline throws passes `guard`; every record that it held fails with the error, once, and the
 * stream goes on with a new pipeline. Answers to requests of a pipeline that was replaced are not for its successor.
 */

import { errorText, InvalidRecordError, RecordFailedError } from '../model/errors.ts'
import type { Failure } from '../model/exchange.ts'
import { streamNameFault } from '../model/records.ts'
import { Pipeline } from './pipeline.ts'
import type { FormerPipeline, PipelineHost } from './pipeline-host.ts'
import type { PipelineOptions } from './pipeline-options.ts'

/** How long a pipeline that takes over from one that threw leaves the service alone before it lists the shards. */
const REPLACED_PAUSE_MS = 1_000
/** More streams than one producer may serve: names are often made from data, and every pipeline is kept. */
const MAX_STREAMS = 10_000

export class Supervisor {
  readonly #options: PipelineOptions
  readonly #host: PipelineHost<Pipeline>
  readonly #pipelines = new Map<string, Pipeline>()
  #nowMs = 0

  constructor(options: PipelineOptions, host: PipelineHost<Pipeline>) {
    this.#options = options
    this.#host = host
  }

  /** The time of the last piece of work. */
  get nowMs(): number {
    return this.#nowMs
  }

  get pipelines(): Iterable<Pipeline> {
    return this.#pipelines.values()
  }

  find(streamName: string): Pipeline | undefined {
    return this.#pipelines.get(streamName)
  }

  /** Returns the stream's pipeline, made now if it is new. Throws InvalidRecordError for a name that is none, or one too many. */
  open(streamName: string | undefined): Pipeline {
    const known = this.#pipelines.get(streamName ?? '')
    if (known !== undefined) return known
    const fault =
      streamName === undefined
        ? 'is missing, and the producer has no default'
        : streamNameFault(streamName, this.#options.region)
    if (fault !== undefined || streamName === undefined) throw badName(fault ?? '')
    if (this.#pipelines.size >= MAX_STREAMS)
      throw badName(`is new, and one producer serves at most ${MAX_STREAMS} streams`)
    return this.#start(streamName)
  }

  /** Does a piece of a pipeline's work, unless the pipeline was replaced. */
  guard(pipeline: Pipeline, nowMs: number, work: () => void): void {
    this.#nowMs = nowMs
    if (pipeline.isReplaced) return
    try {
      work()
    } catch (error) {
      this.replace(pipeline, error, nowMs)
    }
  }

  /** When the pipeline has something to do next. */
  deadlineOf(pipeline: Pipeline): number {
    try {
      return pipeline.nextDeadlineMs
    } catch (error) {
      this.replace(pipeline, error, this.#nowMs)
      return this.#nowMs + REPLACED_PAUSE_MS
    }
  }

  /** Fails what the pipeline holds and puts another in its place, which has its counters and nothing else. */
  replace(pipeline: Pipeline, cause: unknown, nowMs: number): void {
    const { streamName, telemetry, custody } = pipeline
    pipeline.isReplaced = true
    const failure = internalFailure(cause)
    const heldCount = custody.recordCount
    this.#start(streamName, { telemetry, blindUntilMs: nowMs + REPLACED_PAUSE_MS })
    if (heldCount > 0) {
      const members = custody.takeAll(nowMs)
      this.#host.settle(pipeline, { members, attempts: [], persisted: 'no', isAggregate: false, failure })
    }
    this.#host.warn(
      'KPL_WARN_INTERNAL',
      `stream ${streamName}: ${failure.message}; records that fail with it: ${heldCount}`
    )
  }

  #start(streamName: string, former?: FormerPipeline): Pipeline {
    const pipeline = new Pipeline(streamName, this.#options, this.#host, former)
    this.#pipelines.set(streamName, pipeline)
    return pipeline
  }
}

/** Returns what a put throws that took nothing, because something inside threw. */
export function refusalFor(cause: unknown): RecordFailedError {
  return new RecordFailedError({ ...internalFailure(cause), persisted: 'no', attempts: [] })
}

/** Returns the failure of records that were held by what threw. */
export function internalFailure(cause: unknown): Failure {
  return { code: 'KPL_ERR_INTERNAL', message: `something inside the producer threw: ${errorText(cause)}`, cause }
}

function badName(fault: string): InvalidRecordError {
  return new InvalidRecordError('KPL_ERR_INVALID_RECORD', 'streamName', fault)
}
