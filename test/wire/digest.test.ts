import { hash } from 'node:crypto'
import fc from 'fast-check'
import { afterAll, describe, expect, test, vi } from 'vitest'
import { md5, plainMd5 } from '../../src/wire/digest.ts'

afterAll(() => {
  vi.doUnmock('node:crypto')
})

describe('MD5 in plain JavaScript', () => {
  test('equals that of node:crypto for every length around the borders of blocks', () => {
    const bytes = Uint8Array.from({ length: 1000 }, (_, i) => (i * 31) % 251)

    const wrong = Array.from(bytes, (_, length) => length).filter(length => {
      const piece = bytes.subarray(0, length)
      return hexOf(plainMd5(piece)) !== hash('md5', piece)
    })

    expect(wrong).toEqual([])
  })

  test('equals that of node:crypto for any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 5000 }), bytes => {
        expect(hexOf(plainMd5(bytes))).toBe(hash('md5', bytes))
      })
    )
  })

  test('of a view counts the bytes of the view alone', () => {
    const view = new Uint8Array([1, 2, 3, 4, 5]).subarray(1, 4)

    expect(hexOf(plainMd5(view))).toBe(hash('md5', new Uint8Array([2, 3, 4])))
  })
})

test('text counts as its UTF-8 bytes, and both encodings name the same digest', () => {
  const digest = md5('schlüssel', 'hex')

  expect(digest).toBe(hash('md5', Buffer.from('schlüssel')))
  expect(Buffer.from(md5('schlüssel', 'binary'), 'latin1').toString('hex')).toBe(digest)
})

test('on a host that refuses MD5 everything has the same bytes and the same hash keys', async () => {
  const here = await outcome()
  vi.doMock('node:crypto', async original => ({ ...(await original<object>()), hash: refuseMd5 }))

  const there = await outcome()

  expect(there).toEqual(here)
  expect(here.kept).not.toEqual([])
})

/** As OpenSSL in FIPS mode does. */
function refuseMd5(): never {
  throw new Error('digital envelope routines::unsupported')
}

/** Aggregates and takes apart with modules that are loaded anew. */
async function outcome() {
  vi.resetModules()
  const { aggregate, deaggregate, aggregateInfo } = await import('../../src/consumer/deaggregate.ts')
  const { hashPartitionKey } = await import('../../src/wire/hash-key.ts')
  const keys = ['a', 'b', 'k'.repeat(60)]
  const [record] = aggregate(keys.map(partitionKey => ({ partitionKey, data: partitionKey })))
  const words = new Uint32Array(4)
  hashPartitionKey(keys[2]!, words)
  const shardRange = { startingHashKey: 0n, endingHashKey: 2n ** 127n }
  const kept = [...deaggregate(record!.data, { shardRange })].map(({ partitionKey }) => partitionKey)
  return { record, words, kept, info: aggregateInfo(record!.data) }
}

function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}
