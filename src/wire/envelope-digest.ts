/**
 * Writes the digests of sealed envelopes, many at once: envelopes enter with room for their digest, and can be sent afterwards.
 * Invariant: each digest is the MD5 of its envelope's body; the bytes are the same whichever way they were hashed.
 */
import { md5 } from './digest.ts'
import { DIGEST_BYTES, MAGIC_BYTES } from './format.ts'
import { compileLanes, type DigestJob, type HashLanes, LANES } from './md5-lanes.ts'

/** Bytes that a process hashes one by one before the lanes are worth compiling: a Lambda function's first put never is. */
const COMPILE_AFTER_BYTES = 4_194_304
/** The lanes together take as long as node:crypto takes for so many of their longest message. */
const LANES_COST = 3

let hashedBytes = 0
let isCompiled = false
let hashLanes: HashLanes | undefined

/** Writes the digest of each sealed envelope behind its body. */
export function writeDigests(envelopes: readonly Uint8Array[]): void {
  // Like lengths go together, for the lanes take as long as their longest message.
  const longestFirst = [...envelopes].sort((left, right) => right.length - left.length)
  for (let at = 0; at < longestFirst.length; at += LANES) {
    const jobs = longestFirst.slice(at, at + LANES).map(jobOf)
    const bytes = jobs.reduce((sum, { message }) => sum + message.length, 0)
    const lanes = lanesFor(bytes)
    if (lanes !== undefined && bytes > jobs[0]!.message.length * LANES_COST) lanes(jobs)
    else for (const { message, target, targetAt } of jobs) write(md5(message, 'binary'), target, targetAt)
  }
}

function jobOf(envelope: Uint8Array): DigestJob {
  const targetAt = envelope.length - DIGEST_BYTES
  return { message: envelope.subarray(MAGIC_BYTES, targetAt), target: envelope, targetAt }
}

function lanesFor(bytes: number): HashLanes | undefined {
  hashedBytes += bytes
  if (!isCompiled && hashedBytes >= COMPILE_AFTER_BYTES) {
    isCompiled = true
    hashLanes = compileLanes()
  }
  return hashLanes
}

function write(digest: string, target: Uint8Array, targetAt: number): void {
  for (let i = 0; i < DIGEST_BYTES; i++) target[targetAt + i] = digest.charCodeAt(i)
}
