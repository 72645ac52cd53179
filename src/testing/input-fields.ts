/**
 * Reads the members of a decoded request with their types, whatever codec decoded it.
 * Invariant: a member is of the asked type or undefined; anything else is the service's SerializationException. Unknown
 * members are ignored, as the service does.
 */
import { FakeServiceError } from './service-error.ts'

/** Turns a codec's form of a blob into bytes, or returns undefined if it is not one. */
export type BlobReader = (value: unknown) => Uint8Array | undefined

export class InputFields {
  readonly #members: ReadonlyMap<string, unknown>
  readonly #readBlob: BlobReader

  /** SerializationException when `value` is not an object. */
  constructor(value: unknown, readBlob: BlobReader) {
    const isList = Array.isArray(value) || value instanceof Uint8Array
    if (typeof value !== 'object' || value === null || isList) throw malformed('a structure')
    this.#members = new Map(Object.entries(value))
    this.#readBlob = readBlob
  }

  text(member: string): string | undefined {
    const value = this.#get(member)
    if (value === undefined || typeof value === 'string') return value
    throw malformed('a string', member)
  }

  number(member: string): number | undefined {
    const value = this.#get(member)
    if (value === undefined || typeof value === 'number') return value
    throw malformed('a number', member)
  }

  blob(member: string): Uint8Array | undefined {
    const value = this.#get(member)
    if (value === undefined) return undefined
    const bytes = this.#readBlob(value)
    if (bytes === undefined) throw malformed('a blob', member)
    return bytes
  }

  structure(member: string): InputFields | undefined {
    const value = this.#get(member)
    return value === undefined ? undefined : new InputFields(value, this.#readBlob)
  }

  list(member: string): InputFields[] | undefined {
    const value = this.#get(member)
    if (value === undefined) return undefined
    if (!Array.isArray(value)) throw malformed('a list', member)
    return value.map((item: unknown) => new InputFields(item, this.#readBlob))
  }

  /** Items of a list, without reading them. */
  listLength(member: string): number | undefined {
    const value = this.#get(member)
    return Array.isArray(value) ? value.length : undefined
  }

  /** JSON null is the same as absent. */
  #get(member: string): unknown {
    return this.#members.get(member) ?? undefined
  }
}

function malformed(expected: string, member?: string): FakeServiceError {
  const place = member === undefined ? 'the request' : member
  return new FakeServiceError('SerializationException', `Expected ${expected} for ${place}.`)
}
