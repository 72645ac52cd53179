import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { gzipSync } from 'node:zlib'
import { rolldown } from 'rolldown'
import { afterAll, describe, expect, test } from 'vitest'
import { wrap } from '../wire/vectors.ts'

const DEAGGREGATE = new URL('../../src/deaggregate.ts', import.meta.url).pathname
const LAMBDA = new URL('../../src/lambda.ts', import.meta.url).pathname

/** Bundles what `names` need of an entry point, or all of it, minified. */
async function bundle(entry: string, names = '*'): Promise<{ code: string; imports: string[] }> {
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
  return { code: chunk.code, imports: [...chunk.imports, ...chunk.dynamicImports] }
}

const folder = mkdtempSync(join(tmpdir(), 'bundle-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe('the bundle of an entry point', () => {
  // For comparison: aws-kinesis-agg 4.2.8 takes 105 kB, for it brings protobufjs and async along.
  test.each([
    ['./deaggregate, reading only', DEAGGREGATE, 'deaggregate, deaggregateAll, isAggregated', 6400, 2800],
    ['./deaggregate, all of it', DEAGGREGATE, '*', 12_288, 4800],
    ['./lambda', LAMBDA, '*', 9000, 3700]
  ])('of %s stays small and needs node:crypto only', async (_, entry, names, maxBytes, maxGzipBytes) => {
    const { code, imports } = await bundle(entry, names)

    const sizes = { bytes: code.length, gzipBytes: gzipSync(code).length }
    expect(imports).toEqual(['node:crypto'])
    expect(sizes.bytes, JSON.stringify(sizes)).toBeLessThanOrEqual(maxBytes)
    expect(sizes.gzipBytes, JSON.stringify(sizes)).toBeLessThanOrEqual(maxGzipBytes)
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
