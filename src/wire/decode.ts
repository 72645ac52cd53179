/**
 * Recognises sealed envelopes and takes them apart as a whole.
 * Invariant: `decodeEnvelope` answers with every member or throws; nothing is dropped, repeated or repaired.
 */
import { md5 } from './digest.ts'
import { EnvelopeReader } from './envelope-reader.ts'
import {
  DIGEST_BYTES,
  ENVELOPE_BYTES,
  MAGIC_0,
  MAGIC_1,
  MAGIC_2,
  MAGIC_3,
  MAGIC_BYTES,
  MalformedEnvelopeError
} from './format.ts'
import type { KeyTable } from './key-table.ts'

/** One user record of an envelope. `data` is a view into the envelope's bytes, not a copy. */
export interface EnvelopeMember {
  readonly partitionKey: string
  readonly explicitHashKey: string | undefined
  readonly data: Uint8Array
}

/** Whether the bytes begin with the magic of an aggregated record, whatever follows. */
export function hasMagic(bytes: Uint8Array): boolean {
  return bytes[0] === MAGIC_0 && bytes[1] === MAGIC_1 && bytes[2] === MAGIC_2 && bytes[3] === MAGIC_3
}

/** Whether the bytes have the magic, a body of at least one byte, and room for a digest. */
export function hasFrame(bytes: Uint8Array): boolean {
  return bytes.length > ENVELOPE_BYTES && hasMagic(bytes)
}

/** Whether the bytes carry the magic, a body of at least one byte, and that body's MD5. Linear in the bytes. */
export function isEnvelope(bytes: Uint8Array): boolean {
  if (!hasFrame(bytes)) return false
  const end = bytes.length - DIGEST_BYTES
  const digest = md5(bytes.subarray(MAGIC_BYTES, end), 'binary')
  for (let i = 0; i < DIGEST_BYTES; i++) {
    if (digest.charCodeAt(i) !== bytes[end + i]) return false
  }
  return true
}

/**
 * Returns all members of a sealed envelope in order; each `data` is a view. Does not check the digest: see `isEnvelope`.
 * Throws KPL_ERR_MALFORMED_ENVELOPE, also for a key that is not UTF-8, which no producer of Kinesis records has.
 */
export function decodeEnvelope(bytes: Uint8Array): EnvelopeMember[] {
  const reader = new EnvelopeReader(bytes)
  const members: EnvelopeMember[] = []
  while (reader.next()) {
    members.push({
      partitionKey: strictText(reader.keys, bytes) ?? '',
      explicitHashKey: strictText(reader.hashKeys, bytes),
      data: reader.data()
    })
  }
  return members
}

/** The character that a decoder writes for bytes that are not UTF-8. A valid key may contain it, too. */
const REPLACEMENT = '\ufffd'

function strictText(table: KeyTable, envelope: Uint8Array): string | undefined {
  const text = table.text()
  if (!text?.includes(REPLACEMENT)) return text
  const key = table.bytes()
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(key)
  } catch {
    // Not swallowed: being not UTF-8 is all that the decoder's own error says.
    throw new MalformedEnvelopeError('key that is not UTF-8', key.byteOffset - envelope.byteOffset)
  }
}
