/**
 * The words for failed records: what kept them from being stored enters, a `Failure` leaves.
 * Invariant: a failure names the stream or the option that ended the wait, and the service's code once; never a payload or a key.
 */
import { codedText, errorText, safeText, type TransportError } from '../model/errors.ts'
import type { Failure } from '../model/exchange.ts'
import type { KinesisRecord } from '../model/kinesis-record.ts'

/** Returns the failure of records that the service refused under its own code and message. */
export function refusedBy(
  streamName: string,
  code: 'KPL_ERR_REJECTED' | 'KPL_ERR_THROTTLED',
  cause: {
    readonly errorCode?: string | undefined
    readonly message?: string
    readonly errorMessage?: string | undefined
  }
): Failure {
  const serviceCode = safeText(cause.errorCode ?? 'Unknown')
  const text = safeText(cause.errorMessage ?? cause.message ?? '')
  return { code, message: `stream ${streamName}: ${codedText(serviceCode, text)}`, serviceCode }
}

/** Returns the failure of records that cannot be sent at all, in the words of what keeps them here. */
export function cannotSend(streamName: string, error: TransportError): Failure {
  const serviceCode = safeText(error.errorCode)
  const message = `stream ${streamName}: nothing can be sent: ${codedText(serviceCode, safeText(error.message))}`
  return { code: 'KPL_ERR_CANNOT_SEND', message, serviceCode, cause: error.cause ?? error }
}

/** Returns the failure of records whose time to live is over. */
export function expired(streamName: string, recordTtlMs: number, { lane }: KinesisRecord): Failure {
  return {
    code: 'KPL_ERR_EXPIRED',
    message: `stream ${streamName}: not acknowledged within recordTtlMs (${recordTtlMs} ms)`,
    shardId: lane.shardId
  }
}

/** Returns the failure of records that were held by what threw. */
export function internalFailure(cause: unknown): Failure {
  return { code: 'KPL_ERR_INTERNAL', message: `a part of the producer threw: ${errorText(cause)}`, cause }
}
