/** The budgets of a light start that no machine changes: what an entry point loads, and how large the package is. */
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { build } from 'esbuild'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { entryPoints, manifest, type PackedPackage, packPackage, run } from '../support/packed-package.ts'

/** 514 kB now: 164 of library, 142 of command line, 70 of declarations, 109 of docs, 29 of other texts. */
const MAX_PACKED_BYTES = 525_000

let packed: PackedPackage
let at = ''
let dist = ''

beforeAll(async () => {
  packed = await packPackage()
  at = packed.project('light')
  dist = join(at, 'node_modules', manifest.name, 'dist')
})

afterAll(() => packed.remove())

interface Loaded {
  readonly files: readonly string[]
  readonly packages: readonly string[]
}

/** What a process loads of the package with `entry`, a file of dist: its files, and the packages that they import. */
function loadedBy(entry: string): Loaded {
  const files = new Set<string>()
  const packages = new Set<string>()
  const visit = (file: string): void => {
    if (files.has(file)) return
    files.add(file)
    for (const [, module] of readFileSync(join(dist, file), 'utf8').matchAll(
      /^(?:import|export)\b[^;]*?"([^"]+)";$/gm
    )) {
      if (module!.startsWith('.')) visit(join(dirname(file), module!))
      else if (!module!.startsWith('node:')) packages.add(module!)
    }
  }
  visit(entry)
  return { files: [...files].sort(), packages: [...packages].sort() }
}

const fileOf = (name: string) =>
  entryPoints.find(entry => entry.name === name)!.source.replace(/^src\/(.*)\.ts$/, '$1.js')

const CODEC = ['chunks/codec.js', 'chunks/consumer.js']
const ALL = [...CODEC, 'chunks/shared.js']
const SDK = '@aws-sdk/client-kinesis'

describe('an import of', () => {
  test.each([
    ['kinesis-producer', ALL, [SDK, '@aws-sdk/core/protocols', '@smithy/node-http-handler']],
    ['kinesis-producer/deaggregate', CODEC, []],
    ['kinesis-producer/dedupe', ['chunks/consumer.js'], []],
    ['kinesis-producer/lambda', CODEC, []],
    ['kinesis-producer/reader', ALL, [SDK]],
    ['kinesis-producer/glue', ['chunks/consumer.js', 'chunks/shared.js'], []],
    ['kinesis-producer/testing', ALL, []],
    ['kinesis-producer/metrics', ['chunks/consumer.js', 'chunks/metrics.js', 'chunks/shared.js'], []],
    ['kinesis-producer/cloudwatch', ['chunks/consumer.js', 'chunks/metrics.js', 'chunks/shared.js'], []],
    ['kinesis-producer/prometheus', ['chunks/consumer.js', 'chunks/metrics.js', 'chunks/shared.js'], []],
    ['kinesis-producer/otel', ['chunks/consumer.js', 'chunks/metrics.js', 'chunks/shared.js'], ['@opentelemetry/api']]
  ])('%s reads its own file and few others', (name, chunks, packages) => {
    const loaded = loadedBy(fileOf(name))

    expect(loaded).toEqual({ files: [...chunks, fileOf(name)].sort(), packages })
  })

  test('every entry point is held to that', () => {
    const names = entryPoints.map(({ name }) => name).sort()

    expect(names).toEqual(
      [
        '',
        '/deaggregate',
        '/dedupe',
        '/lambda',
        '/reader',
        '/glue',
        '/testing',
        '/metrics',
        '/cloudwatch',
        '/prometheus',
        '/otel'
      ]
        .map(path => `kinesis-producer${path}`)
        .sort()
    )
  })

  // CommonJS modules stand in the cache of `require`, however they were loaded.
  test('the producer loads nothing but the SDK, and no codec of the histogram', async () => {
    writeFileSync(
      join(at, 'loaded.mjs'),
      `import { createRequire } from 'node:module'
       const load = async name => {
         await import(name)
         return Object.keys(createRequire(import.meta.url).cache)
       }
       const ofSdk = new Set(await load('@aws-sdk/client-kinesis'))
       console.log(JSON.stringify((await load('kinesis-producer')).filter(path => !ofSdk.has(path))))`
    )

    const { stdout } = await run(process.execPath, ['loaded.mjs'], at)

    const beside: string[] = JSON.parse(stdout)
    expect(beside.map(path => relative(at, path))).toEqual([])
  })
})

describe('the packed package', () => {
  test('is not larger than it has to be', () => {
    const bytes = statSync(packed.tarball).size

    expect(bytes).toBeLessThanOrEqual(MAX_PACKED_BYTES)
  })

  // The same as bundles of the sources, in test/consumer/deaggregate/bundle.test.ts: chunks leave a bundler what it needs to drop the rest.
  test.each([
    ['kinesis-producer/deaggregate', 'deaggregate, isAggregated', 12_500],
    ['kinesis-producer/lambda', 'kinesisHandler', 26_000],
    ['kinesis-producer/dedupe', 'DedupeWindow', 2_500]
  ])('lets a bundler take what a program needs of %s', async (name, names, maxBytes) => {
    const { outputFiles, warnings } = await build({
      stdin: { contents: `export { ${names} } from '${name}'`, resolveDir: at },
      bundle: true,
      minify: true,
      write: false,
      format: 'esm',
      platform: 'node',
      logLevel: 'silent'
    })

    const sizes = outputFiles.map(({ contents }) => contents.length)
    expect({ warnings, files: sizes.length }).toEqual({ warnings: [], files: 1 })
    expect(sizes[0]).toBeLessThanOrEqual(maxBytes)
  })
})
