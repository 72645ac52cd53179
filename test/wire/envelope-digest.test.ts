import { execFileSync } from 'node:child_process'
import { hash } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { rolldown } from 'rolldown'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { seededRandom } from '../../src/testing/index.ts'

const MEBIBYTE = 1024 * 1024
/** Enough for the lanes to be compiled. */
const WARM_UP = Array.from({ length: 10 }, () => MEBIBYTE)

/** `SEED=7 npx vitest run test/wire/envelope-digest.test.ts` replays one seed. */
const seeds = process.env['SEED'] === undefined ? [1, 2, 3] : [Number(process.env['SEED'])]

afterEach(() => {
  vi.restoreAllMocks()
  vi.unstubAllGlobals()
  vi.doUnmock('node:crypto')
  vi.resetModules()
})

/** What a host lacks, and whether the lanes run there. */
const HOSTS: [string, boolean, () => void][] = [
  ['on a usual host', true, () => {}],
  ['on a host without WebAssembly', false, () => void vi.stubGlobal('WebAssembly', undefined)],
  ['on a host that refuses MD5', true, refuseMd5],
  [
    'on a host that refuses MD5 and has no WebAssembly',
    false,
    () => {
      refuseMd5()
      vi.stubGlobal('WebAssembly', undefined)
    }
  ]
]

describe.each(HOSTS)('%s', (_, hasLanes, prepare) => {
  test.each(seeds)(
    'every envelope of any list gets the MD5 of its body, and is told from a wrong one (SEED=%i)',
    async seed => {
      prepare()
      const { writeDigests, haveRightDigests, digestInLanes } = await loaded()
      const random = seededRandom(seed)
      writeDigests(WARM_UP.map(length => envelope(hasLanes ? length : 10, random)))

      const envelopes = Array.from({ length: 30 }, (_, count) =>
        Array.from({ length: count }, () => envelope(Math.floor(random() ** 3 * 30_000), random))
      )
      for (const list of envelopes) writeDigests(list)
      const wrong = envelopes.flat().filter(bytes => !isRight(bytes))
      const damaged = envelopes.map(list => list.map(bytes => damagedOrNot(bytes, random)))

      expect(wrong).toEqual([])
      expect(damaged.map(haveRightDigests)).toEqual(damaged.map(list => list.map(isRight)))
      expect(digestInLanes.mock.calls.length > 0).toBe(hasLanes)
    }
  )
})

describe('the lanes', () => {
  test('are not compiled for the first megabytes, as those of a Lambda function are', async () => {
    const { writeDigests, compileLanes } = await loaded()

    writeDigests(Array.from({ length: 16 }, () => envelope(51_000, () => 0.5)))

    expect(compileLanes).not.toHaveBeenCalled()
  })

  test('are compiled once, and are not asked for again where there are none', async () => {
    vi.stubGlobal('WebAssembly', undefined)
    const { writeDigests, compileLanes } = await loaded()

    for (let i = 0; i < 3; i++) writeDigests(WARM_UP.map(length => envelope(length, () => 0.5)))

    expect(compileLanes).toHaveBeenCalledTimes(1)
  })

  test.each<[string, number[], number[]]>([
    ['one', [50_000], []],
    ['two', [50_000, 50_000], []],
    ['three', [50_000, 50_000, 50_000], [0, 1, 2]],
    [
      'one that is longer than half of the others together',
      [50, 99_000, 30_000, 30_000, 30_000, 30_000],
      [0, 2, 3, 4, 5]
    ],
    ['only two that are not tiny', [50_000, 10, 50_000, 10], []],
    ['nothing', [], []]
  ])('get of %s what is not faster by itself', async (_, lengths, inLanes) => {
    const { writeDigests, digestInLanes } = await loaded()
    writeDigests(WARM_UP.map(length => envelope(length, () => 0.5)))
    digestInLanes.mockClear()

    writeDigests(lengths.map(length => envelope(length, () => 0.5)))

    const order = digestInLanes.mock.calls.flatMap(([, indexes]) => [...indexes])
    expect(order.sort((one, other) => one - other)).toEqual(inLanes)
  })
})

describe('a process of Node.js', () => {
  let folder = ''
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'lanes-'))
    const input = new URL('lanes-child.ts', import.meta.url).pathname
    const built = await rolldown({ input, external: [/^node:/] })
    const { output } = await built.generate({ format: 'esm' })
    writeFileSync(join(folder, 'child.mjs'), output[0].code)
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  const PROCESSES: [string, string[], boolean][] = [
    ['as it is', [], true],
    ['with --jitless, which has no WebAssembly,', ['--jitless'], false]
  ]
  // Without these instructions V8 has no vectors for WebAssembly.
  if (process.arch === 'x64') PROCESSES.push(['without SSE 4.1', ['--no-enable-sse4-1'], false])

  test.each(PROCESSES)('%s writes the same digests', (_, flags, hasLanes) => {
    const text = execFileSync(process.execPath, [...flags, join(folder, 'child.mjs')], {
      encoding: 'utf8',
      stdio: 'pipe'
    })

    expect(JSON.parse(text)).toEqual({ hasLanes, wrong: [] })
  })
})

/** The module loaded anew, with its lanes watched. */
async function loaded() {
  vi.doUnmock('../../src/wire/md5-lanes.ts')
  vi.resetModules()
  const module = await import('../../src/wire/md5-lanes.ts')
  const compileLanes = vi.spyOn({ compileLanes: module.compileLanes }, 'compileLanes')
  vi.doMock('../../src/wire/md5-lanes.ts', () => ({ ...module, compileLanes }))
  const digestInLanes = vi.spyOn(module.Md5Lanes.prototype, 'digest')
  const { writeDigests, haveRightDigests } = await import('../../src/wire/envelope-digest.ts')
  return { writeDigests, haveRightDigests, compileLanes, digestInLanes }
}

function envelope(bodyBytes: number, random: () => number): Buffer {
  return Buffer.alloc(4 + bodyBytes + 16, `${random()}${random()}`)
}

function damagedOrNot(bytes: Buffer, random: () => number): Buffer {
  const damaged = Buffer.from(bytes)
  const at = 4 + Math.floor(random() * (bytes.length - 4))
  if (random() < 0.5) damaged[at]! ^= 1 << Math.floor(random() * 8)
  return damaged
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
