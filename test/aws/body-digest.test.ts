import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { bodyDigest, SLICE_BYTES } from '../../src/aws/body-digest.ts'

const LENGTHS = [0, 1, SLICE_BYTES, SLICE_BYTES + 1, 2 * SLICE_BYTES, 7_000_000]

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

  await bodyDigest(Buffer.alloc(5 * SLICE_BYTES))
  clearImmediate(immediate)

  expect(turns).toBe(5)
})
