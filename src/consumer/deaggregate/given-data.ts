/**
 * The data, texts and lists of a caller, checked.
 * Invariant: bytes that come out of here are a plain view of exactly the memory that the engine knows of: a subclass may
 * say anything in `length`, and the memory may be gone.
 */
import { isBytes, lengthOfBytes, plainView } from '../../wire/bytes.ts'
import { ConsumerError, invalidInput } from './consumer-error.ts'

/** Returns a plain view of the bytes. Throws KPL_ERR_INVALID_INPUT for anything else, and when their memory is gone. */
export function bytesOf(value: unknown, must: string = 'a Uint8Array'): Uint8Array {
  if (!isBytes(value)) throw invalidInput('data', must, value)
  if (lengthOfBytes(value) >= 0) return plainView(value)
  const fault = 'data must have its memory, but its ArrayBuffer was transferred or made smaller'
  throw new ConsumerError('KPL_ERR_INVALID_INPUT', fault)
}

/** Returns what was given as a list that can be walked. Throws KPL_ERR_INVALID_INPUT. */
export function listOf<T>(records: Iterable<T>): Iterable<T> {
  const isList =
    typeof records === 'object' && !isBytes(records) && typeof Object(records)[Symbol.iterator] === 'function'
  if (isList) return records
  // An event of Lambda and an answer of GetRecords have their list in this field.
  const isAround = Array.isArray(Object(records).Records)
  throw invalidInput('records', isAround ? 'the list itself (give its Records)' : 'a list of records', records)
}
