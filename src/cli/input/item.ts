/**
 * An item of an input: one record, or the reason that there is none.
 * Invariant: types only; an item with a fault has no data that is sent.
 */
import type { CliErrorCode } from '../errors.ts'

export interface Item {
  readonly data: Uint8Array
  /** Set by formats that carry their keys: envelopes, CSV columns. */
  readonly partitionKey?: string | undefined
  readonly explicitHashKey?: string | undefined
  readonly streamName?: string | undefined
  /** Why this cannot be sent. The message names no data. */
  readonly fault?: { readonly code: CliErrorCode; readonly message: string } | undefined
}

/** Items in their order, those of a chunk together. */
export type Framing = (source: AsyncIterable<Uint8Array>) => AsyncGenerator<Iterable<Item>, void, undefined>

const NONE = new Uint8Array(0)

export function faultItem(code: CliErrorCode, message: string): Item {
  return { data: NONE, fault: { code, message } }
}
