/**
 * The SHA-256 of a request's body, which its signature covers.
 * Invariant: the event loop is never held for more than one slice, 0.6 ms; a body must not change until it is hashed.
 */
import { createHash, hash } from 'node:crypto'
import { setImmediate as nextTurn } from 'node:timers/promises'

/** The SDK signs what this header says in place of a hash of its own. */
export const DIGEST_HEADER = 'x-amz-content-sha256'

/** What is hashed in one turn of the event loop. */
export const SLICE_BYTES = 1_048_576

/** Returns the digest in lower-case hex. */
export async function bodyDigest(body: Buffer): Promise<string> {
  if (body.length <= SLICE_BYTES) return hash('sha256', body, 'hex')
  const sha256 = createHash('sha256')
  for (let at = 0; at < body.length; at += SLICE_BYTES) {
    sha256.update(body.subarray(at, at + SLICE_BYTES))
    await nextTurn()
  }
  return sha256.digest('hex')
}
