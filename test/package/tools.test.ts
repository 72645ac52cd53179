/** The recipes of docs/testing.md and docs/lambda.md, carried out with the real tools. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'esbuild'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Ended, MODULES, type PackedPackage, PROJECT, packPackage, run } from '../support/packed-package.ts'

const NODE_TEST = "import { test } from 'node:test'\n"

let packed: PackedPackage

beforeAll(async () => {
  packed = await packPackage()
})

afterAll(() => packed.remove())

/** The block of a document in this language that has `text` in it. */
function block(document: string, language: string, text: string): string {
  const blocks = [...readFileSync(join(PROJECT, document), 'utf8').matchAll(/```(\w+)\n([\s\S]*?)```/g)]
  const found = blocks.filter(([, of, code]) => of === language && code!.includes(text))
  if (found.length !== 1) throw new Error(`${document} has ${found.length} blocks with ${text}`)
  return found[0]![2]!
}

/** A project with these files. */
function projectOf(name: string, files: Readonly<Record<string, string>>, ...packages: readonly string[]): string {
  const at = packed.project(name, ...packages)
  for (const [file, text] of Object.entries(files)) writeFileSync(join(at, file), text)
  return at
}

const COMMON_JS = '{"type":"commonjs"}'
/** What the runner prints when it is not a terminal, and how much of it must pass: all three. */
const jest = (at: string, ...flags: readonly string[]): Promise<Ended> =>
  run(process.execPath, [...flags, join(MODULES, 'jest/bin/jest.js'), '--no-cache', '--runInBand'], at)

describe('a consumer, as docs/testing.md has it,', () => {
  test('is tested under node --test', async () => {
    const at = projectOf('consumer', { 'consumer.test.mjs': block('docs/testing.md', 'ts', 'lambdaContext()') })

    const { stdout } = await run(process.execPath, ['--test', '--test-reporter=tap'], at)

    expect(stdout).toContain('# pass 3\n# fail 0')
  })

  test('reads from the fake server what a producer put', async () => {
    const at = projectOf('reader', { 'read.mjs': block('docs/testing.md', 'ts', 'readStream(client') })

    const { stdout, stderr } = await run(process.execPath, ['read.mjs'], at)

    expect([stdout.trim().split('\n').sort(), stderr]).toEqual([['customer-1 1', 'customer-2 2'], ''])
  })
})

describe('the test of docs/testing.md', () => {
  const text = block('docs/testing.md', 'ts', 'new InMemoryTransport({ kinesis, clock')
  const inJest = text.replace(NODE_TEST, '')
  const required = inJest.replace(/^import (.*) from (.*)$/gm, 'const $1 = require($2)')
  const babel = ['babel-jest', '@babel/plugin-transform-modules-commonjs']
  const config = block('docs/testing.md', 'js', 'transformIgnorePatterns')

  test('passes under node --test', async () => {
    const at = projectOf('node-test', { 'orders.test.mjs': text })

    const { stdout } = await run(process.execPath, ['--test', '--test-reporter=tap'], at)

    expect(stdout).toContain('# pass 3\n# fail 0')
  })

  test('passes under Vitest', async () => {
    const at = projectOf('vitest', { 'orders.test.mjs': text.replace("'node:test'", "'vitest'") }, 'vitest')

    const { stdout } = await run(process.execPath, [join(MODULES, 'vitest/vitest.mjs'), 'run', '--root', at], at)

    expect(stdout).toContain('3 passed')
  })

  test('passes under Jest as an ES module', async () => {
    const flag = '--experimental-vm-modules'
    const at = projectOf('jest-esm', { 'orders.test.mjs': inJest, 'package.json': COMMON_JS })

    const { stderr } = await jest(at, flag)

    expect(block('docs/testing.md', 'sh', 'npx jest')).toContain(flag)
    expect(stderr).toMatch(/^Tests: +3 passed, 3 total$/m)
  })

  test.each([
    ['import', inJest],
    ['require', required]
  ])('passes under Jest as CommonJS, with %s', async (kind, code) => {
    const files = { 'orders.test.js': code, 'jest.config.js': config, 'package.json': COMMON_JS }
    const at = projectOf(`jest-${kind}`, files, ...babel)

    const { stderr } = await jest(at)

    expect(stderr).toMatch(/^Tests: +3 passed, 3 total$/m)
  })

  test('fails under Jest as CommonJS without the recipe, with the words that the document has', async () => {
    const at = projectOf('jest-bare', { 'orders.test.js': required, 'package.json': COMMON_JS })

    await expect(jest(at)).rejects.toThrow('Must use import to load ES Module')
  })
})

describe('a bundle by esbuild', () => {
  const PRODUCE = `import { KinesisProducer } from 'kinesis-producer'
    import { startFakeKinesisServer } from 'kinesis-producer/testing'
    const main = async () => {
      const { kinesis, endpoint, close } = await startFakeKinesisServer()
      kinesis.createStream({ StreamName: 'orders', ShardCount: 1 })
      const credentials = { accessKeyId: 'any', secretAccessKey: 'any' }
      const producer = new KinesisProducer({ streamName: 'orders', region: 'us-east-1', endpoint, credentials })
      console.log((await producer.put({ partitionKey: 'k', data: 'd' })).shardId)
      await Promise.all([producer.close(), close()])
    }
    main()`
  /** The command of the document, its flags as esbuild's own program takes them. */
  const command = block('docs/lambda.md', 'sh', 'npx esbuild')
  const banner = /--banner:js="([^"]+)"/.exec(command)?.[1] ?? ''

  async function bundled(name: string, format: 'esm' | 'cjs', js: string): Promise<Ended> {
    const at = projectOf(name, { 'main.mjs': PRODUCE })
    const outfile = join(at, format === 'esm' ? 'out.mjs' : 'out.cjs')
    const input = { entryPoints: [join(at, 'main.mjs')], bundle: true, platform: 'node' as const, target: 'node20' }
    await build({ ...input, format, outfile, banner: { js }, logLevel: 'silent' })
    return run(process.execPath, [outfile], at)
  }

  test('as an ES module runs with the banner of docs/lambda.md', async () => {
    const { stdout, stderr } = await bundled('esbuild-esm', 'esm', banner)

    expect(command).toContain('--format=esm')
    expect([stdout, stderr]).toEqual(['shardId-000000000000\n', ''])
  })

  test('as an ES module does not load without it', async () => {
    await expect(bundled('esbuild-bare', 'esm', '')).rejects.toThrow(/Dynamic require of "[\w:]+" is not supported/)
  })

  test('as CommonJS runs as it is', async () => {
    const { stdout, stderr } = await bundled('esbuild-cjs', 'cjs', '')

    expect([stdout, stderr]).toEqual(['shardId-000000000000\n', ''])
  })
})
