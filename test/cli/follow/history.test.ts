/** What is held of the bytes that were read. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { History, KEPT_BYTES } from '../../../src/cli/follow/history.ts'

test('gives the bytes before any offset that is not released, however they were cut', () => {
  const all = Buffer.from(Array.from({ length: 5_000 }, (_, i) => i % 251))
  const cuts = fc.array(fc.integer({ min: 1, max: 700 }), { minLength: 1, maxLength: 12 })

  fc.assert(
    fc.property(cuts, fc.integer({ min: 0, max: 999 }), (lengths, releasedPermille) => {
      const history = new History(100, all.subarray(40, 100))
      let end = 100
      for (const length of lengths) {
        if (end + length > all.length) break
        history.append(all.subarray(end, end + length))
        end += length
      }
      const released = 100 + Math.floor(((end - 100) * releasedPermille) / 1_000)
      history.release(released)
      for (const offset of [released, Math.floor((released + end) / 2), end]) {
        const least = Math.max(40, offset - KEPT_BYTES)
        expect(Buffer.from(history.before(offset, KEPT_BYTES))).toEqual(all.subarray(least, offset))
      }
    })
  )
})

test('holds little of what is acknowledged, and of a line whose end is not known', () => {
  const chunk = Buffer.alloc(100_000, 97)
  const done = new History(0, new Uint8Array(0))
  done.append(chunk)
  done.release(100_000)
  const open = new History(0, new Uint8Array(0))
  for (let i = 0; i < 100; i++) {
    open.append(chunk)
    open.forget(50_000)
  }

  expect([
    done.heldBytes,
    open.heldBytes,
    open.before(10_000_000, 300).length,
    open.before(50_000, 300).length
  ]).toEqual([KEPT_BYTES, 100_000 + KEPT_BYTES, KEPT_BYTES, 300])
})
