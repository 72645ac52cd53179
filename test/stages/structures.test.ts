import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Members } from '../../src/model/kinesis-record.ts'
import { FlushLedger } from '../../src/pipeline/flush-ledger.ts'
import { DeadlineHeap, type HeapItem } from '../../src/stages/deadline-heap.ts'
import { KeyCache } from '../../src/stages/key-cache.ts'
import { RecordQueue } from '../../src/stages/record-queue.ts'
import { ShardMap } from '../../src/stages/shard-map.ts'
import { HASH_KEY_WORDS, MAX_HASH_KEY, readHashKey, writeHashKey } from '../../src/wire/hash-key.ts'
import { md5OfShortText } from '../../src/wire/md5.ts'
import { accepted, sealed } from '../support/accepted.ts'

test('DeadlineHeap gives what a sorted list gives, after any moves and removals', () => {
  const step = fc.record({
    item: fc.integer({ min: 0, max: 15 }),
    atMs: fc.integer({ min: 0, max: 50 }),
    action: fc.constantFrom('set', 'set', 'remove', 'pop')
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120 }), steps => {
      const heap = new DeadlineHeap<HeapItem & { id: number }>()
      const items = Array.from({ length: 16 }, (_, id) => ({ id, wakeMs: 0, heapIndex: -1 }))
      const twin = new Map<number, number>()
      for (const { item, atMs, action } of steps) {
        if (action === 'set') {
          heap.set(items[item]!, atMs)
          twin.set(item, atMs)
        } else if (action === 'remove') {
          heap.remove(items[item]!)
          twin.delete(item)
        } else {
          const nearest = Math.min(...twin.values())
          const popped = heap.popDue(atMs)
          expect(popped?.wakeMs).toBe(nearest <= atMs ? nearest : undefined)
          if (popped !== undefined) twin.delete(popped.id)
        }
        expect([heap.size, heap.nearestMs]).toEqual([twin.size, Math.min(...twin.values())])
      }
    }),
    { numRuns: 300 }
  )
})

test('RecordQueue gives records back in the order of their numbers, wherever they are put in', () => {
  fc.assert(
    fc.property(
      fc.array(fc.option(fc.integer({ min: 0, max: 1000 }), { nil: undefined }), { maxLength: 200 }),
      steps => {
        const queue = new RecordQueue()
        const twin: number[] = []
        for (const number of steps) {
          if (number === undefined) {
            expect(queue.shift()?.members.numbers[0]).toBe(twin.shift())
          } else {
            const members = new Members()
            members.push(accepted('k', 'd', { number }))
            queue.insert(sealed({ members }))
            twin.push(number)
            twin.sort((left, right) => left - right)
          }
          expect(queue.count).toBe(twin.length)
        }
        expect(queue.takeAll().map(record => record.members.numbers[0])).toEqual(twin)
      }
    ),
    { numRuns: 300 }
  )
})

test('FlushLedger resolves each flush exactly when the last record before it has settled', () => {
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom('put', 'put', 'settle', 'flush'), { maxLength: 150 }),
      fc.infiniteStream(fc.nat()),
      (steps, choice) => {
        const ledger = new FlushLedger()
        const open: number[] = []
        const flushes: { mark: number; isDone: boolean }[] = []
        let next = 0
        for (const step of steps) {
          if (step === 'put') {
            ledger.accepted()
            open.push(next++)
          } else if (step === 'flush') {
            const flush = { mark: next, isDone: false }
            flushes.push(flush)
            ledger.flush(next, () => {
              flush.isDone = true
            })
          } else if (open.length > 0) {
            const [number] = open.splice(choice.next().value % open.length, 1)
            ledger.settled(number!)
          }
          expect(flushes.map(({ isDone }) => isDone)).toEqual(
            flushes.map(({ mark }) => open.every(number => number >= mark))
          )
          expect(ledger.outstanding).toBe(open.length)
        }
      }
    ),
    { numRuns: 500 }
  )
})

describe('hash keys', () => {
  const md5 = (text: string) => BigInt(`0x${createHash('md5').update(text).digest('hex')}`)

  test('md5OfShortText equals node:crypto for every ASCII text of one block, and refuses the rest', () => {
    const words = new Uint32Array(HASH_KEY_WORDS)
    for (let length = 0; length <= 55; length++) {
      const text = Array.from({ length }, (_, i) => String.fromCharCode((i * 37 + length) % 128)).join('')
      expect([md5OfShortText(text, words, 0), readHashKey(words)]).toEqual([true, md5(text)])
    }

    expect([md5OfShortText('x'.repeat(56), words, 0), md5OfShortText('é', words, 0)]).toEqual([false, false])
  })

  test('KeyCache knows every well-formed key, also when nearly every key is new', () => {
    const cache = new KeyCache()
    for (let i = 0; i < 40_000; i++) {
      const text = i % 3 === 0 ? `é-${i}-${'x'.repeat(i % 80)}` : `key-${i % 7 === 0 ? i % 50 : i}`
      const key = cache.get(text)
      if (i % 97 === 0)
        expect([key?.utf8Bytes, readHashKey(key!.words, key!.at)]).toEqual([Buffer.byteLength(text), md5(text)])
    }

    expect(cache.get('a\udc00')).toBeUndefined()
  })

  test('ShardMap finds the shard that a search one by one finds', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.bigInt(0n, MAX_HASH_KEY - 1n), { maxLength: 60 }),
        fc.bigInt(0n, MAX_HASH_KEY),
        (cuts, hashKey) => {
          const ends = [...cuts.sort((left, right) => (left < right ? -1 : 1)), MAX_HASH_KEY]
          const listing = ends.map((end, i) => ({
            shardId: `shardId-${i}`,
            startingHashKey: String(i === 0 ? 0n : ends[i - 1]! + 1n),
            endingHashKey: String(end)
          }))
          const words = new Uint32Array(HASH_KEY_WORDS)
          const map = new ShardMap(listing.reverse())
          for (const key of [hashKey, ...ends]) {
            writeHashKey(key, words)
            expect(map.predict(words, 0)).toBe(`shardId-${ends.findIndex(end => key <= end)}`)
          }
        }
      ),
      { numRuns: 200 }
    )
  })
})
