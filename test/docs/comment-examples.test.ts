/** Every example of a public name compiles and runs: against the fake, in memory or on the loopback. */
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, expect, test, vi } from 'vitest'
import { compileBlocks, entrySources, scratchFolder } from './compile-blocks.ts'
import { pathOf } from './documents.ts'
import { exampleModule, HEADER_LINES } from './example-module.ts'
import { type Example, publicSurface } from './public-surface.ts'
import { leave, SURROUNDING_NAMES } from './surroundings.ts'

const SURROUNDINGS = '../../../test/docs/surroundings.ts'

const surface = publicSurface()
/** Each once, though several entry points may have it. */
const examples = [
  ...new Map(
    surface.flatMap(member => member.examples).map(example => [`${example.file}:${example.line}`, example] as const)
  ).values()
]
const scratch = scratchFolder()
let nextNumber = 0

afterEach(() => {
  vi.restoreAllMocks()
})
afterAll(() => rmSync(scratch, { recursive: true, force: true }))

test('every example compiles', () => {
  expect(faultsOf(examples)).toEqual([])
})

test('an example with an unknown name, an unknown option and a wrong type is found', () => {
  const faults = faultsOf([
    exampleOf('producer.put(nobody)'),
    exampleOf('producer.put(record)\nnew KinesisProducer({ recordTtl: 5 })'),
    exampleOf('producer.close(5)')
  ])

  expect(faults.map(fault => fault.replace(/: error (TS\d+).*/, ' $1'))).toEqual([
    'x.ts:7 TS2304',
    'x.ts:8 TS2561',
    'x.ts:7 TS2559'
  ])
})

test.each(examples.map(example => [`${example.owner} (${example.file}:${example.line})`, example] as const))(
  'the example of %s runs',
  async (_, example) => {
    for (const method of ['log', 'error'] as const) vi.spyOn(console, method).mockImplementation(() => {})

    const { checked, checkCount } = await run(example)

    expect(checked).toEqual(Array.from({ length: checkCount }, (_, id) => id))
  }
)

test('a value that is not the one of the example is found, and a line that is not reached', async () => {
  const wrong = await run(exampleOf('producer.stats().delivered // => 1')).catch((error: unknown) => String(error))
  await leave()
  const unreached = await run(exampleOf('if (records.length === 0) {\n  records.length // => 0\n}'))

  expect(wrong).toContain('expected +0 to deeply equal 1')
  expect(unreached).toEqual({ checked: [], checkCount: 1 })
})

function exampleOf(text: string): Example {
  return { entry: 'kinesis-producer', owner: 'x', file: 'x.ts', line: 7, text }
}

function faultsOf(checked: readonly Example[]): string[] {
  const blocks = checked.map(example => ({
    file: example.file,
    line: example.line - HEADER_LINES,
    text: exampleModule(example, surface, SURROUNDING_NAMES, SURROUNDINGS).text
  }))
  return compileBlocks(scratch, blocks).map(({ text }) => text)
}

/** Runs an example as a module, with the entry points led to the sources. */
async function run(example: Example): Promise<{ readonly checked: readonly number[]; readonly checkCount: number }> {
  const { text, checkCount } = exampleModule(example, surface, SURROUNDING_NAMES, pathOf('test/docs/surroundings.ts'))
  const sources = entrySources()
  const resolved = text.replace(/(?<= from ')kinesis-producer[^']*(?=')/g, name => sources.get(name) ?? name)
  const file = join(scratch, `example-${nextNumber++}.ts`)
  writeFileSync(file, resolved)
  await import(/* @vite-ignore */ file)
  return { checked: await leave(), checkCount }
}
