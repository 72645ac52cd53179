/** What an editor shows for names of the built package: the answers of TypeScript's own language service. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import ts from 'typescript-5.9'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { OPTIONS, type OptionEntry } from '../../src/model/options.ts'
import { optionFacts } from '../docs/option-text.ts'
import { type PackedPackage, packPackage } from '../support/packed-package.ts'

const entries = Object.entries<OptionEntry>(OPTIONS)

/** A program as users write it; the editor's pointer is on a name that `at` finds. */
const PROGRAM = `import { KinesisProducer, type LogEvents, OptionsError, type RecordFailedError } from 'kinesis-producer'
import type { RequestEvent } from 'kinesis-producer/metrics'

export const producer = new KinesisProducer({
${entries.map(([name]) => `  ${name}: undefined`).join(',\n')}
})
const { streams, bufferedBytes } = producer.stats()
export const seen = [bufferedBytes, streams['orders']?.isBreakerOpen, streams['orders']?.putToAck.p99Ms]
export const told = (error: RecordFailedError, event: RequestEvent) => [error.code, error.persisted, event.failedRecords]
export const stop = () => producer.close({ timeoutMs: 5_000 })
export const put = () => producer.putMany([], { whenFull: 'wait' })
export const line = (fields: LogEvents['breaker opened']) => fields.failedRequests
export const isOurs = (error: unknown) => error instanceof OptionsError && error.faults
`

let packed: PackedPackage
let service: ts.LanguageService
let file = ''

beforeAll(async () => {
  packed = await packPackage()
  const at = packed.project('hover')
  file = join(at, 'program.ts')
  writeFileSync(file, PROGRAM)
  service = serviceOf(at, file)
})

afterAll(() => packed.remove())

test('the program compiles, so what is shown is shown for names that are there', () => {
  const faults = [...service.getSyntacticDiagnostics(file), ...service.getSemanticDiagnostics(file)]

  expect(faults.map(({ messageText }) => messageText)).toEqual([])
})

test.each(entries)('the option %s shows its sentence, default, bounds, unit and KPL name', (name, entry) => {
  const shown = shownAt(`  ${name}: undefined`)

  expect(shown.text).toBe([entry.doc, ...optionFacts(entry)].join(' '))
  expect(shown.signature).toContain(`(property) ProducerOptions.${name}?: `)
})

describe('names of other kinds show their sentences', () => {
  test.each([
    ['a number of stats()', 'bufferedBytes,', 'as the option `bufferMaxBytes` counts them'],
    ['a gauge of a stream', 'isBreakerOpen', 'requests of the stream are held back'],
    ['a percentile', 'p99Ms', '99 % of the samples'],
    ['the codes of an error', 'code,', '- `KPL_ERR_EXPIRED`: The record was not acknowledged within `recordTtlMs`.'],
    ['a field of an error', 'persisted,', "`'no'`: the record is in no shard."],
    ['a field of an event', 'failedRecords]', 'Kinesis records that were not acknowledged'],
    ['a field of a log message', 'failedRequests', 'Requests that failed in a row until now.'],
    ['the field of a call', 'timeoutMs: 5', 'Longest time until every record has settled.'],
    ['an option of putMany', 'whenFull', 'while the buffer has no room'],
    ['the faults of an OptionsError', 'faults', 'One sentence for each fault.']
  ])('%s', (_, at, sentence) => {
    expect(shownAt(at).text).toContain(sentence)
  })

  test('a method shows its example', () => {
    const shown = shownAt('putMany')

    expect(shown.example).toContain('await producer.putMany(records)')
  })
})

interface Shown {
  readonly signature: string
  /** The comment with single spaces. */
  readonly text: string
  readonly example: string
}

/** Returns what the editor shows with its pointer on the last name of the program that `at` begins with. */
function shownAt(at: string): Shown {
  const position = PROGRAM.lastIndexOf(at) + at.length - at.trimStart().length
  const info = service.getQuickInfoAtPosition(file, position)
  const text = ts.displayPartsToString(info?.documentation).replace(/\s+/g, ' ')
  const example = info?.tags?.find(({ name }) => name === 'example')
  return {
    signature: ts.displayPartsToString(info?.displayParts),
    text,
    example: ts.displayPartsToString(example?.text)
  }
}

function serviceOf(folder: string, program: string): ts.LanguageService {
  const options: ts.CompilerOptions = {
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.NodeNext,
    lib: ['lib.es2023.d.ts', 'lib.esnext.disposable.d.ts'],
    types: ['node'],
    strict: true,
    skipLibCheck: true,
    noEmit: true
  }
  return ts.createLanguageService({
    getCompilationSettings: () => options,
    getScriptFileNames: () => [program],
    getScriptVersion: () => '1',
    getScriptSnapshot: name =>
      ts.sys.fileExists(name) ? ts.ScriptSnapshot.fromString(readFileSync(name, 'utf8')) : undefined,
    getCurrentDirectory: () => folder,
    getDefaultLibFileName: ts.getDefaultLibFilePath,
    fileExists: ts.sys.fileExists,
    readFile: ts.sys.readFile,
    readDirectory: ts.sys.readDirectory,
    directoryExists: ts.sys.directoryExists,
    getDirectories: ts.sys.getDirectories,
    realpath: name => ts.sys.realpath?.(name) ?? name
  })
}
