import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, test } from 'vitest'
import { aggregateInfo, deaggregate } from '../../../src/consumer/deaggregate.ts'
import { wrap } from '../../wire/vectors.ts'

const MIB = 1024 * 1024
const RECORD_BYTES = 10 * MIB
const MEMBER_BYTES = 6
const FRAME_BYTES = 20

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

/** Live memory in bytes: what is left when all that can be freed has been, heap and buffers. */
function liveBytes(): number {
  collectGarbage()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}

/** A 10 MiB record of empty user records: 1.7 million of them. */
function bomb(): Uint8Array {
  const count = Math.floor((RECORD_BYTES - FRAME_BYTES - 3) / MEMBER_BYTES)
  const body = Buffer.alloc(3 + count * MEMBER_BYTES, Buffer.from('1a0408001a00', 'hex'))
  Buffer.from('0a0161', 'hex').copy(body.subarray(0, 3))
  body.fill(Buffer.from('1a0408001a00', 'hex'), 3)
  return wrap(body)
}

describe('deaggregate on hostile records', () => {
  const record = bomb()

  test('reads a 10 MiB record of 1.7 million user records in 2 MB of memory', () => {
    const before = liveBytes()
    const live: number[] = []
    let count = 0

    for (const { subSequenceNumber } of deaggregate(record)) {
      if (subSequenceNumber % 250_000 === 0) live.push(liveBytes() - before)
      count++
    }

    expect([count, live.length]).toEqual([1_747_622, 7])
    expect(Math.max(...live)).toBeLessThan(2 * MIB)
  })

  test('takes time in proportion to the bytes, far below what would block an event loop for a second', () => {
    let count = 0
    const startMs = performance.now()

    for (const _ of deaggregate(record)) count++

    // 18 ns a byte on a quiet machine (bench/deaggregate.bench.ts); the rest is for busy ones.
    const nsPerByte = ((performance.now() - startMs) * 1e6) / record.length
    expect(count).toBe(1_747_622)
    expect(nsPerByte).toBeLessThan(300)
  })

  test('decodes each key once, in whatever order the members ask, also when it is empty', () => {
    const count = 16_000
    const members = Array.from({ length: count }, (_, i) => {
      const index = count - 1 - i
      return [0x1a, 5, 8, (index & 0x7f) | 0x80, index >> 7, 0x1a, 0]
    })
    const bytes = wrap(
      Buffer.concat([Buffer.alloc(count * 2, Buffer.from('0a00', 'hex')), Buffer.from(members.flat())])
    )
    let keyCharacters = 0
    const start = process.cpuUsage()

    for (const { partitionKey } of deaggregate(bytes)) keyCharacters += partitionKey.length

    // Decoding again what was decoded takes 1,500 ns a byte, and 35 are enough. CPU, for others share the machine.
    const { user, system } = process.cpuUsage(start)
    const nsPerByte = ((user + system) * 1e3) / bytes.length
    expect(keyCharacters).toBe(0)
    expect(nsPerByte).toBeLessThan(700)
  })

  test('takes the bomb for corrupt when maxUserRecords says so, without making a user record', () => {
    const records = [...deaggregate(record, { maxUserRecords: 100_000, onCorrupt: 'skip' })]

    expect(records).toEqual([])
  })

  test('hashes each key once, however many members point to it', () => {
    // One key of 100 kB and 20,000 members: hashed per member it would be 2 GB of MD5.
    const key = Buffer.alloc(100_000, 'k')
    const body = Buffer.concat([Buffer.from('0aa08d06', 'hex'), key, Buffer.from('1a0408001a00'.repeat(20_000), 'hex')])
    const shardRange = { startingHashKey: 0n, endingHashKey: (1n << 128n) - 1n }

    const records = [...deaggregate(wrap(body), { shardRange, outOfRange: 'kcl' })]

    expect([records.length, new Set(records.map(record => record.partitionKey)).size]).toEqual([20_000, 1])
  })

  test('tells of a record of nothing but keys', () => {
    const body = Buffer.alloc(300_000, Buffer.from('0a0161', 'hex'))

    const info = aggregateInfo(wrap(body))

    expect([info.aggregated, info.userRecordCount, info.partitionKeys.length]).toEqual([true, 0, 100_000])
  })
})
