import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { pathToFileURL } from 'node:url'
import { gzipSync } from 'node:zlib'
import { rolldown } from 'rolldown'
import { afterAll, describe, expect, test } from 'vitest'
import { wrap } from '../../wire/vectors.ts'

const SOURCE = new URL('../../../src', import.meta.url).pathname
const DEAGGREGATE = new URL('../../../src/consumer/deaggregate.ts', import.meta.url).pathname
const DEDUPE = new URL('../../../src/consumer/dedupe.ts', import.meta.url).pathname
const LAMBDA = new URL('../../../src/consumer/lambda.ts', import.meta.url).pathname

/** Bundles what `names` need of an entry point, or all of it, minified. */
async function bundle(entry: string, names = '*'): Promise<{ code: string; imports: string[]; folders: Set<string> }> {
  const start = '\0start'
  const source =
    names === '*' ? `export * from ${JSON.stringify(entry)}` : `export { ${names} } from ${JSON.stringify(entry)}`
  const build = await rolldown({
    input: start,
    external: [/^node:/],
    plugins: [
      {
        name: 'start',
        resolveId: id => (id === start ? id : null),
        load: id => (id === start ? source : null)
      }
    ]
  })
  const { output } = await build.generate({ format: 'esm', minify: true })
  const [chunk] = output
  const files = Object.keys(chunk.modules).filter(id => id !== start)
  const folders = new Set(files.map(file => relative(SOURCE, dirname(file))))
  return { code: chunk.code, imports: [...chunk.imports, ...chunk.dynamicImports], folders }
}

const folder = mkdtempSync(join(tmpdir(), 'bundle-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe('the bundle of an entry point', () => {
  // A third of it is for input that is none: what is checked, and the messages that name it.
  // For comparison: aws-kinesis-agg 4.2.8 takes 105 kB, for it brings protobufjs and async along.
  test.each([
    // Who reads lists gets the lanes in which their digests are checked, 7.5 kB; who reads record by record does not.
    ['./deaggregate, reading record by record', DEAGGREGATE, 'deaggregate, isAggregated', 12_200, 5150],
    ['./deaggregate, reading lists', DEAGGREGATE, 'deaggregate, deaggregateAll, isAggregated', 19_700, 7850],
    ['./deaggregate, all of it', DEAGGREGATE, '*', 26_850, 10_220],
    ['./lambda', LAMBDA, '*', 25_300, 9970]
  ])('of %s stays small and needs node:crypto only', async (_, entry, names, maxBytes, maxGzipBytes) => {
    const { code, imports } = await bundle(entry, names)

    const sizes = { bytes: code.length, gzipBytes: gzipSync(code).length }
    expect(imports).toEqual(['node:crypto'])
    expect(sizes.bytes, JSON.stringify(sizes)).toBeLessThanOrEqual(maxBytes)
    expect(sizes.gzipBytes, JSON.stringify(sizes)).toBeLessThanOrEqual(maxGzipBytes)
  })

  test('of ./dedupe is a few lines and the check of its options', async () => {
    const { code, imports, folders } = await bundle(DEDUPE)

    expect({ imports, folders }).toEqual({ imports: [], folders: new Set(['consumer', 'consumer/deaggregate']) })
    expect(code.length).toBeLessThanOrEqual(2800)
  })

  test('is made of the codec, the de-aggregation and, for ./lambda, the adapter: of no other part of the library', async () => {
    const folders = [(await bundle(DEAGGREGATE)).folders, (await bundle(LAMBDA)).folders]

    const own = ['consumer', 'consumer/deaggregate', 'wire']
    expect(folders).toEqual([new Set(own), new Set([...own, 'consumer/lambda'])])
  })

  test('runs as a plain ES module with nothing installed beside it', async () => {
    const { code } = await bundle(DEAGGREGATE)
    const file = join(folder, 'deaggregate.mjs')
    writeFileSync(file, code)

    const { deaggregate } = await import(pathToFileURL(file).href)
    const records = [...deaggregate(wrap(Buffer.from('0a01611a0508001a0178', 'hex')))]

    expect(records).toEqual([
      {
        partitionKey: 'a',
        data: Uint8Array.of(0x78),
        sequenceNumber: '',
        subSequenceNumber: 0,
        aggregated: true
      }
    ])
  })
})
