/**
 * The exact lengths of an envelope's parts, for the writer, and for checks before anything is written.
 * Invariant: arithmetic only; every length is that of bytes which `encode.ts` would write.
 */
import { ENVELOPE_BYTES } from './format.ts'
import { varintBytes } from './varint.ts'

/** Bytes of one length-delimited field with a one-byte tag. */
export function entryBytes(contentBytes: number): number {
  return 1 + varintBytes(contentBytes) + contentBytes
}

/** Bytes of a member without tag and length of its own; `hashKeyIndex` -1: none. */
export function memberBytes(keyIndex: number, hashKeyIndex: number, dataBytes: number): number {
  const hashKeyBytes = hashKeyIndex < 0 ? 0 : 1 + varintBytes(hashKeyIndex)
  return 1 + varintBytes(keyIndex) + hashKeyBytes + entryBytes(dataBytes)
}

/** Bytes of an envelope with one member. `tagBytes`: of its dedupe tag, 0: none. */
export function loneEnvelopeBytes(
  keyBytes: number,
  explicitHashKey: string | undefined,
  dataBytes: number,
  tagBytes: number
): number {
  const hashKeyBytes = explicitHashKey === undefined ? 0 : entryBytes(explicitHashKey.length)
  const bodyBytes = memberBytes(0, explicitHashKey === undefined ? -1 : 0, dataBytes) + tagBytes
  return ENVELOPE_BYTES + entryBytes(keyBytes) + hashKeyBytes + entryBytes(bodyBytes)
}
