/**
 * Puts that took nothing: what refused them is counted here, and an error says what to write instead.
 * Example: `put({ PartitionKey, Data })` -> `invalid` is 1 more, and the InvalidRecordError ends with "write partitionKey for ...".
 * Invariant: a put that throws or returns false is counted once, unless something inside was at fault.
 */
import { InvalidRecordError, type ProducerError } from '../model/errors.ts'
import { recordHint } from '../model/record-hints.ts'
import { refusalFor } from './supervisor.ts'

export class Refusals {
  #refused = 0
  #invalid = 0

  /** Puts that found no room, and puts of a value that is not a record. */
  get counts(): { readonly refused: number; readonly invalid: number } {
    return { refused: this.#refused, invalid: this.#invalid }
  }

  noRoom(): void {
    this.#refused++
  }

  /** Returns what a put throws that met `error` before any stream saw its record. */
  errorFor(error: unknown, user: unknown): ProducerError {
    if (!(error instanceof InvalidRecordError)) return refusalFor(error)
    this.#invalid++
    return withHint(error, user)
  }
}

function withHint(error: InvalidRecordError, user: unknown): InvalidRecordError {
  const { code, field, message, cause } = error
  const hint = recordHint(user)
  if (code !== 'KPL_ERR_INVALID_RECORD' || hint === undefined) return error
  const options = cause === undefined ? undefined : { cause }
  return new InvalidRecordError(code, field, `${message.slice(field.length + 1)}; ${hint}`, options)
}
