/**
 * The digests of many envelopes at once: written into those that were sealed without, compared in those that were read.
 * Invariant: a digest is the MD5 of its envelope's body, the same whichever way it was computed; each is computed once a call.
 */
import { DIGEST_BYTES, ENVELOPE_BYTES, MAGIC_BYTES } from './format.ts'
import { md5OfAll } from './md5-list.ts'

/** Writes the digest of each sealed envelope behind its body, where `EnvelopeWriter.seal` left room for it. */
export function writeDigests(envelopes: readonly Uint8Array[]): void {
  const digests = md5OfAll(envelopes.map(bodyOf))
  for (const [index, envelope] of envelopes.entries()) {
    const at = index * DIGEST_BYTES
    envelope.set(digests.subarray(at, at + DIGEST_BYTES), envelope.length - DIGEST_BYTES)
  }
}

/** Returns for each envelope whether its digest is right. Each is a plain view and has a frame, as `hasFrame` says. */
export function haveRightDigests(envelopes: readonly Uint8Array[]): boolean[] {
  const digests = md5OfAll(envelopes.map(bodyOf))
  return envelopes.map((envelope, index) => {
    const at = index * DIGEST_BYTES
    const end = envelope.length - DIGEST_BYTES
    for (let i = 0; i < DIGEST_BYTES; i++) if (digests[at + i] !== envelope[end + i]) return false
    return true
  })
}

/** The bytes between magic and digest, as a plain view. */
function bodyOf({ buffer, byteOffset, length }: Uint8Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset + MAGIC_BYTES, length - ENVELOPE_BYTES)
}
