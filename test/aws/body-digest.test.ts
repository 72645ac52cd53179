import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { bodyDigest } from '../../src/aws/body-digest.ts'
import { BODY_BYTES_PER_TURN } from '../../src/model/limits.ts'

const LENGTHS = [0, 1, BODY_BYTES_PER_TURN, BODY_BYTES_PER_TURN + 1, 2 * BODY_BYTES_PER_TURN, 7_000_000]

test.each(LENGTHS)('the digest of a body of %i bytes is its SHA-256 in hex', async length => {
  const body = Buffer.alloc(length, 'some body')

  expect(await bodyDigest(body)).toBe(createHash('sha256').update(body).digest('hex'))
})

test('the event loop turns after every slice of a long body', async () => {
  let turns = 0
  const count = (): void => {
    turns++
    immediate = setImmediate(count)
  }
  let immediate = setImmediate(count)

  await bodyDigest(Buffer.alloc(5 * BODY_BYTES_PER_TURN))
  clearImmediate(immediate)

  expect(turns).toBe(5)
})
