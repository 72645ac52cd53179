import { expect, test } from 'vitest'
import { seededRandom } from '../src/testing/index.ts'
import { Harness, STREAM } from './support/harness.ts'

/** First stored copy of every record, in the order a reader sees that finishes parents before children. */
function firstCopies(harness: Harness): Map<string, number[]> {
  const seen = new Set<string>()
  const byKey = new Map<string, number[]>()
  const inOrder = [...harness.stored()].sort((left, right) => {
    const difference = BigInt(left.sequenceNumber) - BigInt(right.sequenceNumber)
    return difference === 0n ? left.subSequenceNumber - right.subSequenceNumber : difference < 0n ? -1 : 1
  })
  for (const { partitionKey, data } of inOrder) {
    if (seen.has(data)) continue
    seen.add(data)
    const numbers = byKey.get(partitionKey) ?? []
    numbers.push(Number(data))
    byKey.set(partitionKey, numbers)
  }
  return byKey
}

test.each([1, 2, 3, 4, 5, 6])(
  'keeps the order of every key through reshards, throttles and lost answers (seed %i)',
  async seed => {
    const random = seededRandom(seed)
    const harness = new Harness({
      shardCount: 2,
      ordering: 'key',
      throughputLimits: false,
      seed,
      recordMaxBufferedTimeMs: 50
    })
    const lost = { kind: 'reset', isApplied: true } as const
    harness.faults.add({ match: { operation: 'PutRecords', probability: 0.1 }, action: lost })
    harness.faults.add({
      match: { operation: 'PutRecords', probability: 0.1 },
      action: { kind: 'reset', isApplied: false }
    })
    harness.faults.add({
      match: { operation: 'PutRecords', probability: 0.2 },
      action: { kind: 'failRecords', errorCode: 'InternalFailure', isStored: true, records: { probability: 0.3 } }
    })
    const slots = []

    for (let i = 0; i < 3000; i++) {
      slots.push(harness.put(`key-${Math.floor(random() * 40)}`, String(i)))
      if (i % 20 === 0) await harness.pass(15)
      if (i % 500 === 250) harness.kinesis.reshard(STREAM, 1 + Math.floor(random() * 6))
    }
    await harness.settle(harness.producer.flush())

    expect(slots.filter(slot => slot.settled?.result === undefined)).toEqual([])
    for (const numbers of firstCopies(harness).values()) {
      expect(numbers).toEqual([...numbers].sort((left, right) => left - right))
    }
  }
)
