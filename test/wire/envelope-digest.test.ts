import { hash } from 'node:crypto'
import { afterEach, expect, test, vi } from 'vitest'
import { seededRandom } from '../../src/testing/index.ts'

afterEach(() => {
  vi.unstubAllGlobals()
  vi.doUnmock('node:crypto')
  vi.resetModules()
})

test.each<[string, () => void]>([
  ['with the lanes', () => {}],
  ['on a host without WebAssembly', () => void vi.stubGlobal('WebAssembly', undefined)],
  ['on a host that refuses MD5', refuseMd5],
  [
    'on a host that refuses both',
    () => {
      refuseMd5()
      vi.stubGlobal('WebAssembly', undefined)
    }
  ]
])('%s every envelope of any list gets the MD5 of its body', async (_, prepare) => {
  prepare()
  vi.resetModules()
  const { writeDigests } = await import('../../src/wire/envelope-digest.ts')
  const random = seededRandom('digests')
  const wrong: number[] = []

  // Beyond what is hashed before the lanes are compiled, in lists of every length.
  for (let count = 0; count < 30; count++) {
    const envelopes = Array.from({ length: count }, () => envelope(Math.floor(random() ** 3 * 30_000), random))
    writeDigests(envelopes)
    wrong.push(...envelopes.flatMap((bytes, i) => (isRight(bytes) ? [] : [i])))
  }

  expect(wrong).toEqual([])
})

test('the lanes are not compiled for the first few envelopes', async () => {
  vi.resetModules()
  const { writeDigests } = await import('../../src/wire/envelope-digest.ts')
  const Module = vi.fn()
  vi.stubGlobal('WebAssembly', { Module, Instance: Module })

  writeDigests(Array.from({ length: 16 }, () => envelope(51_000, () => 0.5)))

  expect(Module).not.toHaveBeenCalled()
})

function envelope(bodyBytes: number, random: () => number): Buffer {
  const bytes = Buffer.alloc(4 + bodyBytes + 16, `${random()}${random()}`)
  return bytes
}

function isRight(bytes: Buffer): boolean {
  const end = bytes.length - 16
  return bytes.subarray(end).toString('hex') === hash('md5', bytes.subarray(4, end))
}

/** As OpenSSL in FIPS mode does. */
function refuseMd5(): void {
  const refuse = (): never => {
    throw new Error('digital envelope routines::unsupported')
  }
  vi.doMock('node:crypto', async original => ({ ...(await original<object>()), hash: refuse }))
}
