import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const SOURCE = fileURLToPath(new URL('../src', import.meta.url))
const MANIFEST = JSON.parse(readFileSync(fileURLToPath(new URL('../package.json', import.meta.url)), 'utf8'))
const files = readdirSync(SOURCE, { recursive: true, encoding: 'utf8' })
  .filter(name => name.endsWith('.ts'))
  .map(name => ({ name, text: readFileSync(join(SOURCE, name), 'utf8') }))

/** What each part of the tree may import, besides itself: folders, files, packages. Lower parts come first. */
const RULES: readonly { readonly part: RegExp; readonly may: readonly (string | RegExp)[] }[] = [
  { part: /^wire\//, may: [/^wire\//, 'node:crypto'] },
  // kinesis-record.ts names the writer's key slot; nothing of wire runs in model.
  // object-options.ts names the SDK's types; nothing of the SDK runs in model.
  { part: /^model\//, may: [/^model\//, /^type wire\//, /^type @aws-sdk\/client-kinesis$/] },
  // What is counted and told knows what is counted, and not who does the work.
  { part: /^stats\/latency\.ts$/, may: ['stats/latency-bounds.ts', 'hdr-histogram-js'] },
  { part: /^stats\/diagnostics\.ts$/, may: [/^(model|stats)\//, 'node:diagnostics_channel'] },
  { part: /^stats\//, may: [/^(model|stats)\//] },
  { part: /^lanes\//, may: [/^(model|wire|lanes)\//] },
  { part: /^core\//, may: [/^(model|wire|stats|lanes|core)\//] },
  {
    part: /^aws\/kinesis-client\.ts$/,
    may: ['system.ts', /^(aws|model)\//, /^@aws-sdk\/|^@smithy\/|^node:/]
  },
  { part: /^aws\//, may: [/^(aws|model|wire)\//, /^@aws-sdk\/|^@smithy\/|^p-retry$|^node:/] },
  { part: /^system\.ts$/, may: [/^type model\//, 'node:crypto'] },
  {
    part: /^producer\//,
    may: [
      /^(producer|core|stats|model)\//,
      'lanes/fifo.ts',
      'aws/transport.ts',
      'system.ts',
      'node:events',
      'node:stream'
    ]
  },
  { part: /^index\.ts$/, may: [/^(producer|stats|model)\//] },
  { part: /^consumer\/dedupe\.ts$/, may: [/^consumer\/deaggregate\/(consumer-error|given-options)\.ts$/] },
  { part: /^consumer\/deaggregate(\.ts|\/)/, may: [/^wire\//, /^consumer\/deaggregate\//, 'node:crypto'] },
  { part: /^consumer\/lambda(\.ts|\/)/, may: [/^consumer\/(deaggregate\.ts|deaggregate\/|lambda\/)/] },
  {
    part: /^reader\//,
    may: [
      /^(reader|model|wire)\//,
      /^consumer\/deaggregate(\.ts$|\/(given-options|rules)\.ts$)/,
      /^aws\/(answers|classify-failure|deadline)\.ts$/,
      'lanes/fifo.ts',
      'system.ts',
      /^@aws-sdk\/|^node:/
    ]
  },
  // Schemas come before the first put and after the last member: the registry needs nothing of the producer.
  {
    part: /^glue\//,
    may: [
      /^(glue|model)\//,
      'consumer/deaggregate/consumer-error.ts',
      'consumer/deaggregate/given-options.ts',
      'system.ts',
      'wire/bytes.ts',
      'producer/guarded-logger.ts',
      /^type @aws-sdk\/client-glue$/,
      /^p-retry$|^node:(?:crypto|zlib)$/
    ]
  },
  // Exporters read what stats() and the channels say; only tables of names run in them.
  {
    part: /^metrics\//,
    may: [
      /^metrics\//,
      /^type (model|stats)\//,
      /^stats\/(statistics|latency-bounds|diagnostics)\.ts$/,
      'consumer/deaggregate/given-options.ts',
      'model/errors.ts',
      'model/records.ts',
      'model/object-first-logger.ts',
      'producer/guarded-logger.ts',
      'system.ts',
      /^p-retry$|^@opentelemetry\/api$|^node:diagnostics_channel$/
    ]
  },
  // The command line is a user of the library like any other: public entry points, and packages that only it loads. The table
  // of options is the one exception: it describes them for the command line, and users are not to depend on its shape.
  { part: /^cli\/(?:main|process-host)\.ts$/, may: [/^cli\//, /^type index\.ts$/, 'node:fs', 'node:worker_threads'] },
  {
    part: /^cli\//,
    may: [
      /^cli\//,
      'index.ts',
      'model/options.ts',
      'reader/read-stream.ts',
      /^consumer\/(?:deaggregate|dedupe|lambda)\.ts$/,
      'testing/index.ts',
      'glue/index.ts',
      /^metrics\/(?:index|cloudwatch)\.ts$/,
      /^(?:commander|csv-parse(?:\/sync)?|jsonc-parser|tinyglobby)$/,
      /^type @faker-js\/faker$/,
      /^type @aws-sdk\/client-(?:kinesis|glue)$/,
      /^node:/
    ]
  },
  {
    part: /^testing\//,
    may: [
      /^(testing|model|wire)\//,
      /^consumer\/deaggregate(\.ts$|\/(consumer-error|given-data|given-options)\.ts$)/,
      /^node:/
    ]
  }
]

const BANNED = [
  /\bDate\b/,
  /\bperformance\b/,
  /\bsetTimeout\b/,
  /\bsetInterval\b/,
  /\bsetImmediate\b/,
  /\bqueueMicrotask\b/,
  /process\.hrtime/,
  /process\.env/,
  /Math\.random/,
  /randomUUID/
]
/**
 * `real-time.ts` is the fake server's own system.ts; `shard-tree.ts` hands the SDK the `Date` that its API asks for;
 * `wall-clock.ts` says the time of day that a CloudWatch log line needs; `body-digest.ts` lets the event loop turn, and nothing
 * depends on how long that takes; `arrival-time.ts` reads a time that a record carries, and asks for none; `cli/process-host.ts` is the command line's own system.ts, and
 * `cli/arguments/units.ts` and `cli/gen/dates.ts` read and write dates that they are given.
 */
const MAY_TOUCH_TIME = [
  'system.ts',
  'testing/real-time.ts',
  'reader/shard-tree.ts',
  'metrics/wall-clock.ts',
  'aws/body-digest.ts',
  'cli/process-host.ts',
  'cli/arguments/units.ts',
  'cli/gen/dates.ts',
  'cli/gen/faker.ts',
  'consumer/deaggregate/arrival-time.ts'
]
/** ports.ts has the edge's own types, object-options.ts that of a client. */
const DOORS = ['model/ports.ts', 'model/object-options.ts']
const MAX_LINES = 300

test.each(files)('$name imports only what its layer may', ({ name, text }) => {
  const rule = RULES.find(({ part }) => part.test(name))

  const faults = importsOf(name, text).filter(imported => !rule?.may.some(allowed => isAllowed(imported, allowed)))

  expect(faults).toEqual([])
})

test.each(files.filter(({ name }) => !MAY_TOUCH_TIME.includes(name)))(
  '$name takes time and randomness as parameters',
  ({ text }) => {
    const code = withoutTextAndComments(text)

    expect(BANNED.filter(banned => banned.test(code)).map(String)).toEqual([])
  }
)

test.each(files.filter(({ name }) => /^(wire|model|stats|lanes|core)\//.test(name)))(
  '$name is synchronous',
  ({ name, text }) => {
    // They describe the edge, where promises are.
    const code = DOORS.includes(name) ? '' : withoutTextAndComments(text)

    expect(/\basync\b|\bawait\b|\bPromise\b/.test(code)).toBe(false)
  }
)

/** Files that are one thing and longer than others, each with the reason; none is longer than `MAX_LINES_OF_ONE`. */
const ONE_THING: Readonly<Record<string, string>> = {
  'model/options.ts': 'one table',
  'model/producer-options.ts': 'generated from the table of options, one field for each',
  'testing/fake-glue.ts': 'the public class, of which a third is documentation',
  'testing/fake-kinesis.ts': 'the public class, of which a third is documentation',
  'model/errors.ts': 'one table, and the classes that carry its codes',
  'core/core.ts': 'every event of a producer enters here, and each is a few lines',
  'core/stream.ts': 'every event of a stream enters here, and the one backward edge is here',
  'lanes/limiter.ts': 'one thing',
  'producer/kinesis-producer.ts': 'the public class, of which a third is documentation'
}
const MAX_LINES_OF_ONE = 480

test.each(files)('$name lists its exports and stays readable', ({ name, text }) => {
  const code = withoutTextAndComments(text)

  expect({
    exportsAll: /export \*/.test(code),
    hasDefault: /export default/.test(code),
    isTooLong: text.trimEnd().split('\n').length > (name in ONE_THING ? MAX_LINES_OF_ONE : MAX_LINES),
    hasHeader: text.startsWith('/**')
  }).toEqual({ exportsAll: false, hasDefault: false, isTooLong: false, hasHeader: true })
})

test.each(files.filter(({ name }) => name.startsWith('cli/')))('$name reaches the process through the host', file => {
  const isDoor = /^cli\/(?:main|process-host)\.ts$/.test(file.name)
  const code = withoutTextAndComments(file.text)

  expect(isDoor || !/\bprocess\.|\bconsole\./.test(code)).toBe(true)
})

test('no file imports itself through others, not even a type', () => {
  const graph = new Map(
    files.map(({ name, text }) => [name, importsOf(name, text).map(imported => imported.replace(/^type /, ''))])
  )
  const done = new Set<string>()
  const cycles: string[] = []
  const visit = (name: string, path: readonly string[]) => {
    if (path.includes(name)) cycles.push([...path.slice(path.indexOf(name)), name].join(' -> '))
    if (done.has(name) || path.includes(name)) return
    for (const imported of graph.get(name) ?? []) visit(imported, [...path, name])
    done.add(name)
  }

  for (const { name } of files) visit(name, [])

  expect(cycles).toEqual([])
})

test('nobody who imports the library loads the command line or its packages', () => {
  const entries = Object.values<string | { readonly default: { readonly default: string } }>(MANIFEST.exports).flatMap(
    target => (typeof target === 'string' ? [] : [target.default.default.replace(/^\.\/dist\/(.*)\.js$/, '$1.ts')])
  )
  const closure = new Set<string>()
  const visit = (name: string) => {
    if (closure.has(name)) return
    closure.add(name)
    const text = files.find(file => file.name === name)?.text ?? ''
    const later = [...text.matchAll(/\bimport\(\s*['\x60]([^'\x60]+)/g)].map(([, module]) => `later ${module}`)
    for (const imported of [...importsOf(name, text), ...later]) visit(imported.replace(/^(?:type|later) /, ''))
  }

  for (const entry of entries) visit(entry)

  const strange = [...closure].filter(name =>
    /^cli\/|^(?:commander|csv-parse|jsonc-parser|tinyglobby|@faker-js)/.test(name)
  )
  expect([strange, closure.size > 100]).toEqual([[], true])
})

test('the rules can fail', () => {
  const text =
    "import { a } from '../core/stream.ts'\nconst at = Date.now() // Date\nexport default async () => 'await'"

  expect(importsOf('wire/x.ts', text)).toEqual(['core/stream.ts'])
  expect(withoutTextAndComments(text)).toBe(
    "import { a } from ''\nconst at = Date.now() \nexport default async () => ''"
  )
})

/** Imported modules as paths below src, or package names; `type ` before those that vanish when compiled. */
function importsOf(name: string, text: string): string[] {
  const pattern = /^(?:import|export)\s+(type\s)?([^'"]*?from\s*)?'([^']+)'/gm
  return [...text.matchAll(pattern)].map(([, type, , module]) => {
    const target = module!.startsWith('.') ? relative(SOURCE, join(SOURCE, dirname(name), module!)) : module!
    return type === undefined ? target : `type ${target}`
  })
}

function isAllowed(imported: string, allowed: string | RegExp): boolean {
  const bare = imported.replace(/^type /, '')
  if (typeof allowed === 'string') return bare === allowed
  return allowed.test(imported) || allowed.test(bare)
}

function withoutTextAndComments(text: string): string {
  return text
    .replace(/\/\*[\s\S]*?\*\//g, '')
    .replace(/'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"/g, "''")
    .replace(/\/\/[^\n]*/g, '')
}
