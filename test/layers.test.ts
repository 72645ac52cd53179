import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const SOURCE = fileURLToPath(new URL('../src', import.meta.url))
const files = readdirSync(SOURCE, { recursive: true, encoding: 'utf8' })
  .filter(name => name.endsWith('.ts'))
  .map(name => ({ name, text: readFileSync(join(SOURCE, name), 'utf8') }))

/** Data structures that stages are built on; any other import between stages is a fault. */
const STRUCTURES = ['token-bucket', 'deadline-heap', 'fifo', 'record-queue', 'record-heap', 'shard-map', 'lane'].map(
  name => `stages/${name}.ts`
)
const SHELL = [
  'producer.ts',
  'requests.ts',
  'abort-watch.ts',
  'room.ts',
  'guarded-logger.ts',
  'spell-log.ts',
  'put-all.ts',
  'record-writable.ts',
  'system.ts'
]

/** What each part of the tree may import, besides itself: folders, files, packages. */
const RULES: readonly { readonly part: RegExp; readonly may: readonly (string | RegExp)[] }[] = [
  { part: /^wire\//, may: [/^wire\//, 'node:crypto'] },
  // kinesis-record.ts names the writer's key slot; nothing of wire runs in model.
  // options.ts names the SDK's types; nothing of the SDK runs in model.
  { part: /^model\//, may: [/^model\//, /^type wire\//, /^type @aws-sdk\/client-kinesis$/] },
  { part: /^stages\//, may: [/^model\//, /^wire\//, ...STRUCTURES] },
  { part: /^pipeline\/latency\.ts$/, may: ['hdr-histogram-js'] },
  { part: /^pipeline\/diagnostics\.ts$/, may: [/^(model|stages|pipeline)\//, 'node:diagnostics_channel'] },
  { part: /^pipeline\//, may: [/^(model|wire|stages|pipeline)\//] },
  {
    part: /^aws\/(read-stream|reader-answers|reader-options|shard-reads|shard-tree|stream-calls)\.ts$/,
    may: [
      /^(aws|model|wire)\//,
      'deaggregate.ts',
      'stages/fifo.ts',
      'system.ts',
      /^@aws-sdk\/|^@smithy\/|^p-retry$|^node:/
    ]
  },
  { part: /^aws\//, may: [/^(aws|model|wire)\//, /^@aws-sdk\/|^@smithy\/|^p-retry$|^node:/] },
  { part: /^system\.ts$/, may: [/^type model\//] },
  {
    part: /^(producer|requests|put-all|record-writable|abort-watch|room|guarded-logger|spell-log)\.ts$/,
    may: [/^(model|pipeline)\//, 'stages/fifo.ts', 'aws/transport.ts', 'node:events', 'node:stream', ...SHELL]
  },
  { part: /^index\.ts$/, may: [/^(model|pipeline)\//, ...SHELL] },
  { part: /^deaggregate(\.ts|\/)/, may: [/^wire\//, /^deaggregate\//, 'node:crypto'] },
  { part: /^dedupe\.ts$/, may: [] },
  { part: /^lambda(\.ts|\/)/, may: ['deaggregate.ts', /^deaggregate\//, /^lambda\//, /^type lambda\.ts$/] },
  // Exporters read what stats() and the channels say; only tables of names of the pipeline run in them.
  {
    part: /^metrics\//,
    may: [
      /^metrics\//,
      /^type (model|pipeline)\//,
      /^pipeline\/(statistics|latency|diagnostics)\.ts$/,
      'model/errors.ts',
      'model/object-first-logger.ts',
      'guarded-logger.ts',
      'system.ts',
      /^p-retry$|^@opentelemetry\/api$|^node:diagnostics_channel$/
    ]
  },
  { part: /^testing\//, may: [/^(testing|model|wire)\//, 'deaggregate.ts', /^node:/] }
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
 * depends on how long that takes; `arrival-time.ts` reads a time that a record carries, and asks for none.
 */
const MAY_TOUCH_TIME = [
  'system.ts',
  'testing/real-time.ts',
  'aws/shard-tree.ts',
  'metrics/wall-clock.ts',
  'aws/body-digest.ts',
  'deaggregate/arrival-time.ts'
]
/** ports.ts has the edge's own types, options.ts that of a client. */
const DOORS = ['model/ports.ts', 'model/options.ts']
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

test.each(files.filter(({ name }) => /^(wire|model|stages|pipeline)\//.test(name)))(
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
  'pipeline/pipeline.ts': 'the wiring of one stream names every station once',
  'pipeline/pipeline-set.ts': 'every event of a producer enters here, and each is a few lines',
  'producer.ts': 'the public class, of which a third is documentation'
}
const MAX_LINES_OF_ONE = 360

test.each(files)('$name lists its exports and stays readable', ({ name, text }) => {
  const code = withoutTextAndComments(text)

  expect({
    exportsAll: /export \*/.test(code),
    hasDefault: /export default/.test(code),
    isTooLong: text.trimEnd().split('\n').length > (name in ONE_THING ? MAX_LINES_OF_ONE : MAX_LINES),
    hasHeader: text.startsWith('/**')
  }).toEqual({ exportsAll: false, hasDefault: false, isTooLong: false, hasHeader: true })
})

test('no file imports itself through others', () => {
  const graph = new Map(
    files.map(({ name, text }) => [name, importsOf(name, text).filter(imported => !imported.startsWith('type '))])
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

test('the rules can fail', () => {
  const text =
    "import { a } from '../pipeline/pipeline.ts'\nconst at = Date.now() // Date\nexport default async () => 'await'"

  expect(importsOf('wire/x.ts', text)).toEqual(['pipeline/pipeline.ts'])
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
