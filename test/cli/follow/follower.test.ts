/** The numbered cases of following files, on a model file system under a virtual clock: small files, appends, rotation by rename. */
import { expect, test } from 'vitest'
import { Harness, tags } from './harness.ts'

const { lines } = Harness

test('T1: a file that is empty at first: its first line is sent', async () => {
  const h = new Harness()
  h.files.create('/logs/a.log')
  await h.start()
  await h.advance(5_000)

  h.files.append('/logs/a.log', 'a:0\n')
  await h.advance(2_000)

  expect(h.delivered).toEqual(['a:0'])
})
