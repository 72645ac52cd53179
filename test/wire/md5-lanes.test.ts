import { hash } from 'node:crypto'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import fc from 'fast-check'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { compileLanes } from '../../src/wire/md5-lanes.ts'
import { CHUNK_BYTES, LANE_COUNT, md5Module } from '../../src/wire/md5-module.ts'

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void
const lanes = compileLanes()!
afterEach(() => vi.unstubAllGlobals())

/** Of the host's WebAssembly what the types of Node.js lack. */
declare const WebAssembly: {
  readonly Module: { new (bytes: Uint8Array): object; imports(module: object): unknown[] }
  readonly Instance: new (
    module: object
  ) => {
    readonly exports: { readonly memory: { readonly buffer: ArrayBuffer; grow(pages: number): void } }
  }
}

const TEN_MEBIBYTES = 10 * 1024 * 1024
const source = Uint8Array.from({ length: TEN_MEBIBYTES + 1000 }, (_, i) => (i * 31 + (i >> 8) * 7) & 0xff)

describe('MD5 in lanes', () => {
  test('equals that of node:crypto for every length from 0 to 1,000, alone', () => {
    const lengths = Array.from({ length: 1001 }, (_, length) => length)

    const wrong = lengths.filter(length => wrongOf([length]).length > 0)

    expect(wrong).toEqual([])
  })

  test('equals it for every length from 0 to 1,000, all in one list', () => {
    expect(wrongOf(Array.from({ length: 1001 }, (_, length) => length))).toEqual([])
  })

  test('equals it around every border of blocks and chunks, in lists of every length up to three rounds of lanes', () => {
    const borders = [64, 128, CHUNK_BYTES, 2 * CHUNK_BYTES, 16_384, 32_768, 65_536]
    const lengths = borders.flatMap(border => Array.from({ length: 23 }, (_, i) => border - 14 + i))

    const wrong = Array.from({ length: 3 * LANE_COUNT }, (_, count) =>
      wrongOf(lengths.slice(count * 6, count * 6 + count + 1))
    )

    expect([...wrong.flat(), ...wrongOf(lengths)]).toEqual([])
  })

  test('equals it for 10 MiB beside short ones', () => {
    expect(wrongOf([TEN_MEBIBYTES, 3, TEN_MEBIBYTES - 1, 0, 51_200, TEN_MEBIBYTES + 1])).toEqual([])
  })

  test('equals it for any bytes of any lengths, in any order', () => {
    const piece = fc.uint8Array({ maxLength: 40_000, size: 'max' })
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 3 * LANE_COUNT }), fc.integer(), (pieces, seed) => {
        const order = pieces.map((_, index) => index).sort((one, other) => ((one ^ seed) % 7) - ((other ^ seed) % 7))

        expect(digestsOf(pieces, order)).toEqual(pieces.map(bytes => hash('md5', bytes)))
      }),
      { numRuns: 60 }
    )
  })

  test('leaves no trace of one call in the next', () => {
    wrongOf(Array.from({ length: LANE_COUNT }, () => 3 * CHUNK_BYTES))

    expect(digestsOf([Buffer.from('a'), Buffer.alloc(0)])).toEqual([hash('md5', 'a'), hash('md5', '')])
  })

  test('writes the digests that are asked for and nothing else', () => {
    const digests = Buffer.alloc(64, 0xaa)

    lanes.digest([Buffer.from('a'), Buffer.from('b'), Buffer.from('c')], [2, 0], digests)

    const untouched = 'aa'.repeat(16)
    expect(digests.toString('hex')).toBe(`${hash('md5', 'a')}${untouched}${hash('md5', 'c')}${untouched}`)
  })

  test('takes memory that another thread may read, and memory in the middle of a larger one', () => {
    const shared = new Uint8Array(new SharedArrayBuffer(30_000), 7, 20_001).fill(5)
    const pieces = [shared, source.subarray(3, 9_003), shared.subarray(1), source.subarray(1, 1)]

    expect(digestsOf(pieces)).toEqual(pieces.map(bytes => hash('md5', bytes)))
  })

  test('is right again after a call with memory that is gone', () => {
    const gone = new Uint8Array(1000)
    structuredClone(gone.buffer, { transfer: [gone.buffer] })
    expect(() => digestsOf([source.subarray(0, 50_000), gone])).toThrow(TypeError)

    expect(wrongOf([1, 2, 3, 70_000])).toEqual([])
  })

  test('lets go of the bytes that it was given', async () => {
    const given = new WeakRef(new Uint8Array(10_000))
    digestsOf([given.deref()!, given.deref()!.subarray(1), source])

    // A WeakRef holds on to what it refers to until the turn is over.
    await new Promise(resolve => setImmediate(resolve))
    collectGarbage()

    expect(given.deref()).toBeUndefined()
  })
})

test('the module is small, imports nothing and has one page of memory for good', () => {
  const bytes = md5Module()

  const module = new WebAssembly.Module(bytes)
  const { memory } = new WebAssembly.Instance(module).exports
  expect(bytes.length).toBeLessThan(16_384)
  expect(WebAssembly.Module.imports(module)).toEqual([])
  expect(memory.buffer.byteLength).toBe(65_536)
  expect(() => memory.grow(1)).toThrow(RangeError)
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

/** The lengths whose digest is wrong when all are in one call. */
function wrongOf(lengths: readonly number[]): number[] {
  const pieces = lengths.map((length, i) => source.subarray(i % 900, (i % 900) + length))
  const digests = digestsOf(pieces)
  return lengths.filter((_, i) => digests[i] !== hash('md5', pieces[i]!))
}

function digestsOf(pieces: readonly Uint8Array[], order: readonly number[] = [...pieces.keys()]): string[] {
  const digests = Buffer.alloc(pieces.length * 16)
  lanes.digest(pieces, order, digests)
  return pieces.map((_, i) => digests.toString('hex', i * 16, i * 16 + 16))
}
