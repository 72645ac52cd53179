import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { bodyDigest, OFF_THREAD_BYTES } from '../../src/aws/body-digest.ts'

const LENGTHS = [0, 1, OFF_THREAD_BYTES - 1, OFF_THREAD_BYTES, 7_000_000]

test.each(LENGTHS)('the digest of a body of %i bytes is its SHA-256 in hex', async length => {
  const body = Buffer.alloc(length, 'some body')

  expect(await bodyDigest(body)).toBe(createHash('sha256').update(body).digest('hex'))
})

test('a body that changes while it is hashed has the digest that it had', async () => {
  const body = Buffer.alloc(7_000_000, 'before')
  const before = createHash('sha256').update(body).digest('hex')

  const digest = bodyDigest(body)
  body.fill('after')

  expect(await digest).toBe(before)
})
