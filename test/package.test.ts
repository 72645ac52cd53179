import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { publint } from 'publint'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { deaggregateAll } from '../src/consumer/deaggregate.ts'
import { startFakeKinesisServer } from '../src/testing/index.ts'
import {
  compile,
  type Ended,
  entryPoints,
  filesIn,
  MODULES,
  manifest,
  type PackedPackage,
  PROJECT,
  packPackage,
  run
} from './support/packed-package.ts'

const readme = readFileSync(join(PROJECT, 'README.md'), 'utf8')
let packed: PackedPackage
let consumer = ''
let installed = ''

beforeAll(async () => {
  packed = await packPackage()
  consumer = packed.project('consumer')
  installed = join(consumer, 'node_modules', manifest.name)
})

afterAll(() => packed.remove())

describe('the packed package', () => {
  test('holds each entry point, the code that they share, the declarations that they name, and a few texts', () => {
    const files = filesIn(installed)

    const isCli = (name: string) => name.startsWith(join('dist', 'cli'))
    const ofEntryPoints = entryPoints.flatMap(({ source }) => {
      const stem = source.replace(/^src\/(.*)\.ts$/, 'dist/$1')
      return ['js', 'cjs', 'd.ts', 'd.cts'].map(extension => `${stem}.${extension}`)
    })
    const chunks = ['codec', 'consumer', 'metrics', 'shared'].map(name => join('dist', 'chunks', `${name}.js`))
    const texts = [
      'LICENSE',
      'README.md',
      'SECURITY.md',
      'dist/NOTICES.txt',
      'package.json',
      'proto/aggregated-record.proto',
      'schema/agent.schema.json'
    ]
    const isDocument = (name: string) => /^(?:[\w-]+\.md|plots[/\\][\w-]+\.svg)$/.test(name) && name !== 'DESIGN.md'
    const documents = filesIn(join(PROJECT, 'docs')).filter(isDocument)
    const expected = [...ofEntryPoints, ...chunks, ...texts, ...documents.map(name => join('docs', name))]
    const isDeclaration = (name: string) => name.endsWith('.d.ts') && !expected.includes(name)
    expect(files.filter(name => !isCli(name) && !isDeclaration(name))).toEqual(expected.sort())
    // A declaration that an entry point names comes from a source file; whether one is missing, the compilers say.
    const declared = files.filter(isDeclaration).map(name => name.replace(/^dist(.*)\.d\.ts$/, 'src$1.ts'))
    expect(declared.filter(name => !existsSync(join(PROJECT, name)))).toEqual([])
    // The command line is one bundle: the program, that of a thread of gen, a chunk for each command, and the licences of its packages.
    const ofCli = files.filter(isCli).filter(name => !/-[A-Z0-9]{8}\.js$/.test(name))
    expect(ofCli).toEqual(['NOTICES.txt', 'gen-slice.js', 'main.js'].map(name => join('dist', 'cli', name)))
  })

  test('holds the licence of every package whose code is in it', () => {
    const notices = readFileSync(join(installed, 'dist/NOTICES.txt'), 'utf8')

    expect(packagesIn(notices)).toEqual(['hdr-histogram-js', 'is-network-error', 'p-retry'])
  })

  test('has every file that its pages link to', () => {
    const pages = filesIn(installed).filter(name => name.endsWith('.md') && !name.startsWith('dist'))
    const links = pages.flatMap(page =>
      [...readFileSync(join(installed, page), 'utf8').matchAll(/\]\(([^)\s#]+)[^)\s]*\)/g)]
        .map(([, target]) => target!)
        .filter(target => !target.startsWith('https:'))
        .map(target => ({ page, target }))
    )

    const broken = links.filter(({ page, target }) => !existsSync(join(installed, dirname(page), target)))

    expect({ broken, isMany: links.length > 100 }).toEqual({ broken: [], isMany: true })
  })

  test('satisfies publint, down to its suggestions', async () => {
    const { messages } = await publint({ pkgDir: installed, pack: false, strict: true })

    expect(messages).toEqual([])
  })

  test('has types that resolve at every entry point in every way that TypeScript knows', async () => {
    const attw = join(MODULES, '@arethetypeswrong/cli/dist/index.js')

    const { stdout } = await run(
      process.execPath,
      [attw, packed.tarball, '--profile', 'strict', '--format', 'json'],
      packed.stage
    )

    // It ended with 0, so it found nothing.
    const { analysis } = JSON.parse(stdout)
    expect({ areTypesFound: analysis.types !== false, entryPoints: Object.keys(analysis.entrypoints) }).toEqual({
      areTypesFound: true,
      entryPoints: Object.keys(manifest.exports)
    })
  })
})

describe('a program that has the package installed', () => {
  test('gets the same module of every entry point by import and by require', async () => {
    writeFileSync(
      join(consumer, 'load.cjs'),
      `const load = async name => {
         const required = require(name)
         const imported = await import(name)
         const names = Object.keys(imported)
         return { name, isNotEmpty: names.length > 0, isSame: names.every(key => required[key] === imported[key]) }
       }
       Promise.all(${JSON.stringify(entryPoints.map(({ name }) => name))}.map(load))
         .then(loaded => console.log(JSON.stringify(loaded)))`
    )

    const { stdout } = await run(process.execPath, ['load.cjs'], consumer)

    expect(JSON.parse(stdout)).toEqual(entryPoints.map(({ name }) => ({ name, isNotEmpty: true, isSame: true })))
  })

  test('has the command line, whose bundle holds no copy of the library', async () => {
    const main = join(installed, 'dist/cli/main.js')
    writeFileSync(join(consumer, 'lines.txt'), 'a\nb\n')
    const notices = readFileSync(join(installed, 'dist/cli/NOTICES.txt'), 'utf8')
    const texts = filesIn(join(installed, 'dist/cli')).map(name =>
      readFileSync(join(installed, 'dist/cli', name), 'utf8')
    )

    const { stored, stdout } = await runAgainstFake(main, 'put', 'orders', 'lines.txt', '--key-const', 'k', '--json')

    expect([JSON.parse(stdout).delivered, stored]).toEqual([2, ['k: a', 'k: b']])
    expect(packagesIn(notices)).toEqual(['commander', 'csv-parse', 'fdir', 'jsonc-parser', 'picomatch', 'tinyglobby'])
    const ofLibrary = 'The records of a PutRecords request were replaced on the way.'
    const library = readFileSync(join(installed, 'dist/index.js'), 'utf8')
    expect([...texts, library].map(text => text.includes(ofLibrary))).toEqual([...texts.map(() => false), true])
  })

  test('loads neither the library nor the work of a command for its help', () => {
    const folder = join(installed, 'dist/cli')
    const loaded = new Set<string>()
    const visit = (name: string) => {
      if (loaded.has(name)) return
      loaded.add(name)
      if (name.startsWith('./')) {
        const text = readFileSync(join(folder, name), 'utf8')
        for (const [, target] of text.matchAll(/\b(?:import|export)(?:[\w\s{},*$]*from)?\s*"([^"]+)"/g)) visit(target!)
      }
    }
    visit('./main.js')
    for (const name of filesIn(folder))
      if (/^(?:put|gen|tail|shards|command)-[A-Z0-9]+\.js$/.test(name)) visit(`./${name}`)

    const strange = [...loaded].filter(
      name => name.startsWith('../') || name.startsWith('@aws-sdk') || name.includes('run-')
    )
    expect([strange, loaded.size > 5]).toEqual([[], true])
  })

  test('produces from CommonJS', async () => {
    writeFileSync(
      join(consumer, 'produce.cjs'),
      `const { KinesisProducer } = require('kinesis-producer')
       const producer = new KinesisProducer({ streamName: 'orders' })
       producer.put({ partitionKey: 'k', data: 'from CommonJS' })
         .then(({ shardId }) => console.log(shardId))
         .finally(() => producer.close())`
    )

    const { stdout, stored } = await runAgainstFake('produce.cjs')

    expect([stdout, stored]).toEqual(['shardId-000000000000\n', ['k: from CommonJS']])
  })
})

/** The names of the packages whose licences a NOTICES.txt has. */
function packagesIn(notices: string): string[] {
  return [...notices.matchAll(/^([\w-]+) \d+\.\d+\.\d+ \(/gm)].map(([, name]) => name!)
}

/** Runs a file of the consumer with a stream `orders` where the SDK's environment says. */
async function runAgainstFake(
  file: string,
  ...args: readonly string[]
): Promise<Ended & { readonly stored: string[] }> {
  const server = await startFakeKinesisServer()
  try {
    server.kinesis.createStream({ StreamName: 'orders', ShardCount: 1 })
    const ended = await run(process.execPath, [file, ...args], consumer, {
      AWS_ENDPOINT_URL_KINESIS: server.endpoint,
      AWS_REGION: 'us-east-1',
      AWS_ACCESS_KEY_ID: 'any',
      AWS_SECRET_ACCESS_KEY: 'any'
    })
    const records = server.kinesis.storedRecords('orders').map(({ data, partitionKey = '', sequenceNumber }) => ({
      Data: data,
      PartitionKey: partitionKey,
      SequenceNumber: sequenceNumber
    }))
    const stored = [...deaggregateAll(records)].map(
      ({ partitionKey, data }) => `${partitionKey}: ${Buffer.from(data).toString()}`
    )
    return { ...ended, stored }
  } finally {
    await server.close()
  }
}

/**
 * Each TypeScript block of the README, the lines before and after it, the code that stands for its ellipsis, and its effect.
 * A line that the block has itself is not added before it.
 */
const EXAMPLES = [
  {
    has: 'const { shardId, sequenceNumber }',
    before: [],
    after: '',
    prints: '',
    stores: ['customer-42: {"total":17.5}']
  },
  {
    has: 'producer.putMany(orders)',
    before: [
      "import { KinesisProducer } from 'kinesis-producer'",
      "const producer = new KinesisProducer({ streamName: 'orders' })",
      "const orders = ['a', '', 'b'].map((partitionKey, index) => ({ partitionKey, data: String(index) }))"
    ],
    after: 'await producer.close()',
    prints: "[ 'partitionKey must have 1 to 256 characters, got 0' ]\n",
    stores: ['a: 0', 'b: 2']
  },
  {
    has: 'producer.putAll(source)',
    before: [
      "import { KinesisProducer } from 'kinesis-producer'",
      "const producer = new KinesisProducer({ streamName: 'orders' })",
      "const source = ['a', '', 'b'].map((partitionKey, index) => ({ partitionKey, data: String(index) }))"
    ],
    after: 'await producer.close()',
    prints: ' KPL_ERR_INVALID_RECORD partitionKey must have 1 to 256 characters, got 0\n',
    stores: ['a: 0', 'b: 2']
  },
  {
    has: 'createServer(',
    before: ["import { once } from 'node:events'"],
    after: `await once(server, 'listening')
      const { port } = server.address() as { port: number }
      const answer = await fetch(\`http://127.0.0.1:\${port}\`, { method: 'POST', body: 'order' })
      console.log(answer.status)
      process.kill(process.pid, 'SIGTERM')`,
    prints: '201\n',
    stores: ['customer-42: order']
  },
  {
    has: 'export async function handler',
    before: [],
    after: "await handler({ orders: [{ id: '1' }, { id: '2' }] })\nawait producer.close()",
    prints: '',
    stores: ['1: {"id":"1"}', '2: {"id":"2"}']
  },
  {
    has: 'of deaggregate(kinesisRecord)',
    before: [
      "import { aggregate } from 'kinesis-producer/deaggregate'",
      "const records = [{ partitionKey: 'a', data: '1' }, { partitionKey: 'b', data: '2' }]",
      'const kinesisRecord = [...aggregate(records)][0]!.data'
    ],
    elided: 'console.log(partitionKey, Buffer.from(data).toString())',
    after: '',
    prints: 'a 1\nb 2\n',
    stores: []
  },
  {
    has: 'startFakeKinesisServer()',
    before: ["import { KinesisProducer } from 'kinesis-producer'"],
    after: '',
    prints: '[ true ]\n',
    stores: []
  }
]

describe('the README', () => {
  const blocks = [...readme.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, code = '']) => code)

  test('has no example that is not run here', () => {
    const unknown = blocks.filter(block => EXAMPLES.filter(({ has }) => block.includes(has)).length !== 1)

    expect({ unknown, count: blocks.length }).toEqual({ unknown: [], count: EXAMPLES.length })
  })

  test('has examples that compile, with strict types and all declarations checked', async () => {
    for (const [index, { has, before, elided = '', after }] of EXAMPLES.entries()) {
      const block = blocks.find(code => code.includes(has)) ?? ''
      const missing = before.filter(line => !block.includes(line)).join('\n')
      const code = `${missing}\n${block.replace('\u2026', elided).replace('.listen(3000)', '.listen(0)')}\n${after}\nexport {}\n`
      writeFileSync(join(consumer, `readme-${index}.ts`), code)
    }
    const { compilerOptions } = JSON.parse(readFileSync(join(PROJECT, 'tsconfig.json'), 'utf8'))
    const everyEntryPoint = entryPoints.map(({ name }, index) => `import * as entry${index} from '${name}'`).join('\n')
    const everyName = `export const all = [${entryPoints.map((_, index) => `entry${index}`).join(', ')}]`
    writeFileSync(join(consumer, 'entries.ts'), `${everyEntryPoint}\n${everyName}\n`)
    const options = { ...compilerOptions, skipLibCheck: false, noUnusedLocals: false, noEmit: false, outDir: 'out' }
    writeFileSync(join(consumer, 'tsconfig.json'), JSON.stringify({ compilerOptions: options, include: ['*.ts'] }))

    const { stdout } = await compile(consumer)

    expect(stdout).toBe('')
  })

  test.each(EXAMPLES.map((example, index) => ({ ...example, index })))(
    'has an example "$has" that does what it says',
    async ({ index, prints, stores }) => {
      const { stdout, stderr, stored } = await runAgainstFake(`out/readme-${index}.js`)

      expect({ printed: stdout + stderr, stored }).toEqual({ printed: prints, stored: stores })
    }
  )
})
