import fc from 'fast-check'
import { expect, test } from 'vitest'
import { DeadlineHeap, type HeapItem } from '../../src/lanes/deadline-heap.ts'

interface Item extends HeapItem {
  readonly id: number
}

const ITEM_COUNT = 16
const itemIds = fc.nat({ max: ITEM_COUNT - 1 })
const times = fc.oneof(fc.integer({ min: -5, max: 40 }), fc.constant(Number.POSITIVE_INFINITY))
const steps = fc.array(
  fc.oneof(
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('set' as const), id: itemIds, atMs: times }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('remove' as const), id: itemIds, atMs: times }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('pop' as const), id: itemIds, atMs: times }) }
  ),
  { maxLength: 150 }
)

test('any sequence of sets, moves, removals and pops gives what a sorted array gives', () => {
  fc.assert(
    fc.property(steps, sequence => {
      const heap = new DeadlineHeap<Item>()
      const items = newItems()
      let twin: { id: number; atMs: number }[] = []
      for (const { kind, id, atMs } of sequence) {
        if (kind === 'pop') {
          const popped = heap.popDue(atMs)
          const nearest = twin[0]
          expect(popped?.wakeMs).toBe(nearest !== undefined && nearest.atMs <= atMs ? nearest.atMs : undefined)
          twin = twin.filter(entry => entry.id !== popped?.id)
        } else {
          twin = twin.filter(entry => entry.id !== id)
          if (kind === 'remove') heap.remove(items[id]!)
          else {
            heap.set(items[id]!, atMs)
            twin = [...twin, { id, atMs }].sort((left, right) => compareNumbers(left.atMs, right.atMs))
          }
        }

        expect([heap.size, heap.nearestMs]).toEqual([twin.length, twin[0]?.atMs ?? Number.POSITIVE_INFINITY])
        expect(items.filter(item => item.heapIndex >= 0).map(item => item.id)).toEqual(
          twin.map(entry => entry.id).sort((left, right) => left - right)
        )
        expect(new Set(items.map(item => item.heapIndex).filter(index => index >= 0)).size).toBe(twin.length)
      }

      expect(drain(heap)).toEqual(twin.map(entry => entry.atMs))
    }),
    { numRuns: 500 }
  )
})

test('an item that is not in the heap is removed without effect', () => {
  const heap = new DeadlineHeap<Item>()
  const [first, second] = newItems()
  heap.set(first!, 5)

  heap.remove(second!)
  heap.remove(second!)

  expect(heap.size).toBe(1)
  expect(heap.popDue(5)).toBe(first)
})

test('an item is due at its very moment and not before', () => {
  const heap = new DeadlineHeap<Item>()
  const [item] = newItems()
  heap.set(item!, 10)

  const tooEarly = heap.popDue(9.999)
  const inTime = heap.popDue(10)

  expect([tooEarly, inTime, heap.popDue(10)]).toEqual([undefined, item, undefined])
})

test('an item that left can come back at another time', () => {
  const heap = new DeadlineHeap<Item>()
  const [item] = newItems()
  heap.set(item!, 10)
  heap.popDue(10)

  heap.set(item!, 3)

  expect([heap.size, heap.nearestMs, item!.heapIndex]).toEqual([1, 3, 0])
})

function newItems(): Item[] {
  return Array.from({ length: ITEM_COUNT }, (_, id) => ({ id, wakeMs: 0, heapIndex: -1 }))
}

function drain(heap: DeadlineHeap<Item>): number[] {
  const popped: number[] = []
  for (let item = heap.popDue(Infinity); item !== undefined; item = heap.popDue(Infinity)) popped.push(item.wakeMs)
  return popped
}

function compareNumbers(left: number, right: number): number {
  if (left === right) return 0
  return left < right ? -1 : 1
}
