/**
 * The network half of the edge: batches and listings go to the transport, and come back as outcomes.
 * Invariant: every batch handed in comes back through `landed` exactly once, unless it was given up; nothing comes back
 * after `close`.
 */

import { setMaxListeners } from 'node:events'
import type { Pipeline } from '../core/pipeline.ts'
import { errorText, TransportError } from '../model/errors.ts'
import type { Outcome } from '../model/exchange.ts'
import type { Batch } from '../model/kinesis-record.ts'
import type {
  Clock,
  Logger,
  PutRecordsAnswer,
  PutRecordsResponse,
  ShardHashRange,
  StreamSummary,
  Transport
} from '../model/ports.ts'
import type { Spells } from '../stats/spells.ts'

export interface RequestPorts {
  readonly transport: Transport
  readonly clock: Clock
  readonly logger?: Logger | undefined
  readonly spells?: Spells | undefined
  landed(pipeline: Pipeline, batch: Batch, outcome: Outcome): void
  /** undefined: the listing failed. */
  listed(pipeline: Pipeline, listing: readonly ShardHashRange[] | undefined): void
  /** undefined: the summary could not be had, for the service's `errorCode`. */
  described(pipeline: Pipeline, summary: StreamSummary | undefined, errorCode?: string): void
}

interface Flight {
  readonly pipeline: Pipeline
  readonly batch: Batch
}

export class Requests {
  readonly #ports: RequestPorts
  readonly #flights = new Set<Flight>()
  readonly #cut = new AbortController()

  constructor(ports: RequestPorts) {
    this.#ports = ports
    // Every request under way listens to it, and they are many and bounded.
    setMaxListeners(0, this.#cut.signal)
  }

  get endpoint(): string | undefined {
    return this.#ports.transport.endpoint
  }

  get readsUntilAnswered(): boolean {
    return this.#ports.transport.readsUntilAnswered === true
  }

  send(pipeline: Pipeline, batch: Batch): void {
    const { transport, clock } = this.#ports
    const flight: Flight = { pipeline, batch }
    const startMs = clock.nowMs()
    this.#flights.add(flight)
    const request = { stream: pipeline.stream, entries: batch.entries, signal: this.#cut.signal }
    called(async () => checked(await transport.putRecords(request), batch)).then(
      answered => this.#land(flight, { startMs, endMs: clock.nowMs(), ...answered }),
      (error: unknown) => this.#land(flight, { startMs, endMs: clock.nowMs(), error: asTransportError(error) })
    )
  }

  fetchShards(pipeline: Pipeline): void {
    const { transport, spells, clock } = this.#ports
    const { stream, streamName } = pipeline
    called(() => transport.listShards(stream)).then(
      listing => this.#unlessClosed(() => this.#ports.listed(pipeline, listing)),
      (error: unknown) =>
        this.#unlessClosed(() => {
          const isExpected = pipeline.description.explainsNoShards(asTransportError(error).errorCode)
          this.#ports.listed(pipeline, undefined)
          if (!isExpected) spells?.callEnded(streamName, 'ListShards', clock.nowMs(), errorText(error))
        })
    )
  }

  fetchSummary(pipeline: Pipeline): void {
    const { transport, clock, spells } = this.#ports
    const { stream, streamName } = pipeline
    called(() => transport.describeStream(stream)).then(
      summary =>
        this.#unlessClosed(() => {
          this.#ports.described(pipeline, isObject(summary) ? summary : undefined)
          spells?.callEnded(streamName, 'DescribeStreamSummary', clock.nowMs())
        }),
      (error: unknown) =>
        this.#unlessClosed(() => {
          this.#ports.described(pipeline, undefined, asTransportError(error).errorCode)
          spells?.callEnded(streamName, 'DescribeStreamSummary', clock.nowMs(), errorText(error))
        })
    )
  }

  /** Forgets every request under way and returns them; their answers will not be heard. */
  giveUp(): Flight[] {
    const flights = [...this.#flights]
    this.#flights.clear()
    return flights
  }

  /** Cuts what is under way and frees the transport. */
  close(): void {
    const { transport, logger } = this.#ports
    this.#cut.abort()
    called(async () => transport.close()).catch((error: unknown) => {
      // Every record is settled, and nobody waits for this.
      logger?.warn('closing the transport failed', { error: errorText(error) })
    })
  }

  #land(flight: Flight, outcome: Outcome): void {
    // Not there any more: given up.
    if (this.#flights.delete(flight)) this.#ports.landed(flight.pipeline, flight.batch, outcome)
  }

  #unlessClosed(tell: () => void): void {
    if (!this.#cut.signal.aborted) tell()
  }
}

/** A transport may be anybody's: one that throws, or answers without a promise, has answered all the same. */
async function called<Answer>(call: () => Promise<Answer>): Promise<Answer> {
  return call()
}

function checked(response: PutRecordsResponse, batch: Batch): Pick<Outcome, 'records' | 'error'> {
  const records: unknown = isObject(response) ? response.records : undefined
  const count = Array.isArray(records) ? records.length : 0
  if (count === batch.entries.length) return { records: (records as unknown[]).map(answerOf) }
  const message = `${batch.entries.length} records were sent and ${count} answers came`
  const failure = { errorCode: 'RecordCountMismatch', message, persisted: 'maybe' } as const
  return { error: new TransportError(failure, 'KPL_ERR_PROTOCOL') }
}

const ANSWER_FIELDS = ['shardId', 'sequenceNumber', 'errorCode', 'errorMessage'] as const

/** An answer of another shape says nothing: it may have been stored. */
function answerOf(answer: unknown): PutRecordsAnswer {
  const isAnswer = isObject(answer) && ANSWER_FIELDS.every(name => isOptionalText(Reflect.get(answer, name)))
  return isAnswer ? answer : {}
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}

function isOptionalText(value: unknown): boolean {
  return value === undefined || typeof value === 'string'
}

/** A transport rejects with TransportError only; anything else is its fault, and says nothing about what was stored. */
function asTransportError(error: unknown): TransportError {
  if (error instanceof TransportError) return error
  return new TransportError({ errorCode: 'UnknownError', message: errorText(error), persisted: 'maybe', cause: error })
}
