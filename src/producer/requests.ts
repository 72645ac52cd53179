/**
 * The network half of the edge: requests of the core go to the transport, and come back as outcomes.
 * Invariant: every request is answered to the core once, with an outcome of the port's shape, whatever the transport does.
 */

import { setMaxListeners } from 'node:events'
import type { Core } from '../core/core.ts'
import type { CallFailure, Flight } from '../core/core-host.ts'
import type { Stream } from '../core/stream.ts'
import { errorText, TransportError } from '../model/errors.ts'
import type { AnsweredRequest, FailedRequest, RequestTimes } from '../model/exchange.ts'
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

export interface RequestPorts {
  readonly transport: Transport
  readonly clock: Clock
  readonly logger?: Logger | undefined
  /** Whom answers are for. */
  core(): Core
}

export class Requests {
  readonly #ports: RequestPorts
  readonly #cut = new AbortController()

  constructor(ports: RequestPorts) {
    this.#ports = ports
    // Every request under way listens to it, and they are many and bounded.
    setMaxListeners(0, this.#cut.signal)
  }

  send(flight: Flight): void {
    const { transport, clock, core } = this.#ports
    const { stream, batch } = flight
    const startMs = clock.nowMs()
    // A list of its own: a transport that takes entries out of it, to send them in pieces, must not take them from the batch.
    const request = { stream: stream.ref, entries: batch.entries.slice(), signal: this.#cut.signal }
    called(async () => checked(await transport.putRecords(request), batch)).then(
      ending => core().landed(flight, { startMs, endMs: clock.nowMs(), ...ending }),
      (error: unknown) =>
        core().landed(flight, { startMs, endMs: clock.nowMs(), kind: 'failed', error: asTransportError(error) })
    )
  }

  fetchShards(stream: Stream): void {
    const { transport, clock, core } = this.#ports
    called(async () => copyOfListing(await transport.listShards(stream.ref))).then(
      listing => core().listed(stream, listing, clock.nowMs()),
      (error: unknown) => core().listed(stream, undefined, clock.nowMs(), failureOf(error))
    )
  }

  fetchSummary(stream: Stream): void {
    const { transport, clock, core } = this.#ports
    called(async () => copyOfSummary(await transport.describeStream(stream.ref))).then(
      summary => core().described(stream, summary, clock.nowMs()),
      (error: unknown) => core().described(stream, undefined, clock.nowMs(), failureOf(error))
    )
  }

  /** Cuts what is under way and frees the transport. */
  close(): void {
    const { transport, logger } = this.#ports
    this.#cut.abort()
    called(async () => transport.close()).catch((error: unknown) => {
      // Every record is settled, and no call waits for this.
      logger?.warn('closing the transport failed', { error: errorText(error) })
    })
  }
}

/** The transport may be the user's. One that throws, or answers without a promise, has still answered. */
async function called<Answer>(call: () => Promise<Answer>): Promise<Answer> {
  return call()
}

/** The end of a request, without the times. */
type Ending = Omit<AnsweredRequest, keyof RequestTimes> | Omit<FailedRequest, keyof RequestTimes>

function checked(response: PutRecordsResponse, batch: Batch): Ending {
  const records: unknown = isObject(response) ? response.records : undefined
  const count = Array.isArray(records) ? records.length : 0
  if (count === batch.entries.length) return { kind: 'answered', records: (records as unknown[]).map(answerOf) }
  const message = `${batch.entries.length} records were sent and ${count} answers came`
  const failure = { errorCode: 'RecordCountMismatch', message, persisted: 'maybe' } as const
  return { kind: 'failed', error: new TransportError(failure, 'KPL_ERR_PROTOCOL') }
}

const ANSWER_FIELDS = ['shardId', 'sequenceNumber', 'errorCode', 'errorMessage'] as const

/** An answer of another shape says nothing: it may have been stored. */
function answerOf(answer: unknown): PutRecordsAnswer {
  const isAnswer = isObject(answer) && ANSWER_FIELDS.every(name => isOptionalText(Reflect.get(answer, name)))
  return isAnswer ? withCode(answer) : {}
}

/** An empty code says that there is none. */
function withCode(answer: PutRecordsAnswer): PutRecordsAnswer {
  return answer.errorCode === '' ? { ...answer, errorCode: undefined } : answer
}

/** Read here, where reading may throw; whether it is a listing that can be believed is for the core to say. */
function copyOfListing(listing: readonly ShardHashRange[]): readonly ShardHashRange[] {
  if (!Array.isArray(listing)) return listing
  return Array.from(listing as readonly ShardHashRange[], shard => {
    const { shardId, startingHashKey, endingHashKey } = Object(shard) as ShardHashRange
    return { shardId, startingHashKey, endingHashKey }
  })
}

function copyOfSummary(summary: StreamSummary): StreamSummary | undefined {
  if (!isObject(summary)) return undefined
  const { status, recordDistribution, maxRecordBytes } = summary
  const isSize = Number.isSafeInteger(maxRecordBytes) && Number(maxRecordBytes) > 0
  return { status, recordDistribution, maxRecordBytes: isSize ? maxRecordBytes : undefined }
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}

function isOptionalText(value: unknown): boolean {
  return value === undefined || typeof value === 'string'
}

function isTransportError(error: unknown): error is TransportError {
  try {
    return error instanceof TransportError
  } catch {
    // Not swallowed: a value that throws when its kind is read is not a TransportError.
    return false
  }
}

function failureOf(error: unknown): CallFailure {
  return { errorCode: asTransportError(error).errorCode, text: errorText(error) }
}

/** A transport rejects with TransportError only; anything else is its fault, and says nothing about what was stored. */
function asTransportError(error: unknown): TransportError {
  if (isTransportError(error)) return error
  return new TransportError({ errorCode: 'UnknownError', message: errorText(error), persisted: 'maybe', cause: error })
}
