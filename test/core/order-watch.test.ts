import { expect, test } from 'vitest'
import { OrderWatch } from '../../src/core/order-watch.ts'

test('numbers of a shard have to ascend, as numbers and not as text', () => {
  const watch = new OrderWatch()

  const answers = ['99', '100', '100', '98', '101'].map(number => watch.isInOrder('a', number))

  expect(answers).toEqual([true, true, false, false, true])
})

test('shards have nothing to do with one another', () => {
  const watch = new OrderWatch()

  expect([watch.isInOrder('a', '7'), watch.isInOrder('b', '3'), watch.isInOrder('a', '6')]).toEqual([true, true, false])
})

test('a stream that is made anew begins anew', () => {
  const watch = new OrderWatch()
  watch.isInOrder('a', '7')

  watch.forget()

  expect(watch.isInOrder('a', '1')).toBe(true)
})
