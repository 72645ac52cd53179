/**
 * The network half of the edge: batches and listings go to the transport, and come back as outcomes.
 * Invariant: every batch handed in comes back through `landed` exactly once, unless it was given up; nothing comes back
 * after `close`.
 */
import { setMaxListeners } from 'node:events'
import { safeText, TransportError } from './model/errors.ts'
import type { Batch } from './model/kinesis-record.ts'
import type { Clock, PutRecordsResponse, ShardHashRange, StreamSummary, Transport } from './model/ports.ts'
import type { Pipeline } from './pipeline/pipeline.ts'
import type { Outcome } from './pipeline/pipeline-host.ts'
import type { Spells } from './pipeline/spells.ts'

export interface RequestPorts {
  readonly transport: Transport
  readonly clock: Clock
  readonly spells?: Spells | undefined
  landed(pipeline: Pipeline, batch: Batch, outcome: Outcome): void
  /** undefined: the listing failed. */
  listed(pipeline: Pipeline, listing: readonly ShardHashRange[] | undefined): void
  /** undefined: the summary could not be had. */
  described(pipeline: Pipeline, summary: StreamSummary | undefined): void
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
    transport.putRecords({ stream: pipeline.stream, entries: batch.entries, signal: this.#cut.signal }).then(
      response => this.#land(flight, { startMs, endMs: clock.nowMs(), ...checked(response, batch) }),
      (error: unknown) => this.#land(flight, { startMs, endMs: clock.nowMs(), error: asTransportError(error) })
    )
  }

  fetchShards(pipeline: Pipeline): void {
    const { transport, spells, clock } = this.#ports
    const { stream, streamName } = pipeline
    transport.listShards(stream).then(
      listing => this.#unlessClosed(() => this.#ports.listed(pipeline, listing)),
      (error: unknown) =>
        this.#unlessClosed(() => {
          spells?.callEnded(streamName, 'ListShards', clock.nowMs(), errorText(error))
          this.#ports.listed(pipeline, undefined)
        })
    )
    transport.describeStream(stream).then(
      summary =>
        this.#unlessClosed(() => {
          spells?.callEnded(streamName, 'DescribeStreamSummary', clock.nowMs())
          this.#ports.described(pipeline, summary)
        }),
      (error: unknown) =>
        this.#unlessClosed(() => {
          spells?.callEnded(streamName, 'DescribeStreamSummary', clock.nowMs(), errorText(error))
          this.#ports.described(pipeline, undefined)
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
    this.#cut.abort()
    this.#ports.transport.close()
  }

  #land(flight: Flight, outcome: Outcome): void {
    // Not there any more: given up.
    if (this.#flights.delete(flight)) this.#ports.landed(flight.pipeline, flight.batch, outcome)
  }

  #unlessClosed(tell: () => void): void {
    if (!this.#cut.signal.aborted) tell()
  }
}

/** Returns an error's name and message, fit for a log. */
export function errorText(error: unknown): string {
  try {
    return safeText(error instanceof Error ? `${error.name}: ${error.message}` : String(error))
  } catch {
    // What was thrown throws when it is asked for its text, so there is none to tell.
    return 'an error without a text'
  }
}

function checked(response: PutRecordsResponse, batch: Batch): Pick<Outcome, 'records' | 'error'> {
  if (response.records.length === batch.entries.length) return { records: response.records }
  const message = `${batch.entries.length} records were sent and ${response.records.length} answers came`
  const failure = { errorCode: 'RecordCountMismatch', message, persisted: 'maybe' } as const
  return { error: new TransportError(failure, 'KPL_ERR_PROTOCOL') }
}

/** A transport rejects with TransportError only; anything else is its fault, and says nothing about what was stored. */
function asTransportError(error: unknown): TransportError {
  if (error instanceof TransportError) return error
  return new TransportError({ errorCode: 'UnknownError', message: errorText(error), persisted: 'maybe', cause: error })
}
