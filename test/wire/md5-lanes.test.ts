import { hash } from 'node:crypto'
import fc from 'fast-check'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { seededRandom } from '../../src/testing/index.ts'
import { compileLanes, type DigestJob, LANES } from '../../src/wire/md5-lanes.ts'

const hashLanes = compileLanes()!
afterEach(() => vi.unstubAllGlobals())

const CHUNK = 16_384
const TEN_MEBIBYTES = 10_485_760

describe('MD5 in lanes', () => {
  test('equals that of node:crypto for every length from 0 to 1,000', () => {
    const lengths = Array.from({ length: 1001 }, (_, length) => length)

    expect(wrongOf(lengths)).toEqual([])
  })

  test('equals it around every border of blocks and chunks', () => {
    const borders = [64, 128, CHUNK - 64, CHUNK, CHUNK + 64, 2 * CHUNK, 3 * CHUNK]
    const lengths = borders.flatMap(border => Array.from({ length: 23 }, (_, i) => border - 14 + i))

    expect(wrongOf(lengths)).toEqual([])
  })

  test('equals it for messages of 10 MiB beside short ones', () => {
    expect(wrongOf([TEN_MEBIBYTES, 3, TEN_MEBIBYTES - 1, 0])).toEqual([])
  })

  test('equals it for any messages of any lengths together', () => {
    const message = fc.uint8Array({ maxLength: 40_000, size: 'max' })
    fc.assert(
      fc.property(fc.array(message, { minLength: 1, maxLength: LANES }), messages => {
        expect(digestsOf(messages)).toEqual(messages.map(bytes => hash('md5', bytes)))
      }),
      { numRuns: 60 }
    )
  })

  test('leaves no trace of one call in the next', () => {
    const long = Buffer.alloc(CHUNK * 3, 7)
    digestsOf([long, long, long, long])

    expect(digestsOf([Buffer.from('a'), Buffer.alloc(0)])).toEqual([hash('md5', 'a'), hash('md5', '')])
  })

  test('writes 16 bytes at the place that was asked for, and nothing else', () => {
    const target = Buffer.alloc(20, 0xaa)

    hashLanes([{ message: Buffer.from('abc'), target, targetAt: 2 }])

    expect(target.toString('hex')).toBe(`aaaa${hash('md5', 'abc')}aaaa`)
  })
})

test.each([
  ['without WebAssembly', undefined],
  ['that has no SIMD', { Module: refuses, Instance: refuses }]
])('a host %s has no lanes', (_, host) => {
  vi.stubGlobal('WebAssembly', host)

  expect(compileLanes()).toBeUndefined()
})

function refuses(): never {
  throw new Error('invalid SIMD opcode')
}

function wrongOf(lengths: readonly number[]): number[] {
  const random = seededRandom('md5')
  const wrong: number[] = []
  for (let at = 0; at < lengths.length; at += LANES) {
    const group = lengths.slice(at, at + LANES)
    const messages = group.map(length => Buffer.alloc(length, `${random()} ${random()} ${random()}`))
    const digests = digestsOf(messages)
    wrong.push(...group.filter((_, i) => digests[i] !== hash('md5', messages[i]!)))
  }
  return wrong
}

function digestsOf(messages: readonly Uint8Array[]): string[] {
  const jobs: DigestJob[] = messages.map(message => ({ message, target: Buffer.alloc(16), targetAt: 0 }))
  hashLanes(jobs)
  return jobs.map(({ target }) => Buffer.from(target).toString('hex'))
}
