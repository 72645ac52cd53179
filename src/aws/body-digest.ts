/**
 * The SHA-256 of a request's body, which its signature covers.
 * Invariant: no turn of the event loop hashes more than `BODY_BYTES_PER_TURN`; a body must not change until it is hashed.
 */
import { createHash, hash } from 'node:crypto'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { BODY_BYTES_PER_TURN } from '../model/limits.ts'

/** The SDK signs what this header says in place of a hash of its own. */
export const DIGEST_HEADER = 'x-amz-content-sha256'

/** Returns the digest in lower-case hex. */
export async function bodyDigest(body: Buffer): Promise<string> {
  if (body.length <= BODY_BYTES_PER_TURN) return hash('sha256', body, 'hex')
  const sha256 = createHash('sha256')
  for (let at = 0; at < body.length; at += BODY_BYTES_PER_TURN) {
    sha256.update(body.subarray(at, at + BODY_BYTES_PER_TURN))
    await nextTurn()
  }
  return sha256.digest('hex')
}
