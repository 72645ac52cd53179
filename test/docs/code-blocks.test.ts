import { rmSync } from 'node:fs'
import { afterAll, expect, test } from 'vitest'
import { compileBlocks, scratchFolder } from './compile-blocks.ts'
import { type CodeBlock, codeBlocks, DOCUMENTS } from './documents.ts'

/**
 * What an excerpt may leave out, as codes of the compiler: names declared elsewhere (2304, 2552, 2503, 18004), packages
 * that only the reader has (2307), and types that a reader's own code would give (7006, 7031, 7034, 7005).
 */
const MAY_BE_LEFT_OUT = new Set([2304, 2503, 2552, 18004, 2307, 7006, 7031, 7034, 7005])
const OWN_MODULE = /'kinesis-producer/

const blocks = DOCUMENTS.flatMap(codeBlocks)
const typescript = blocks.filter(({ language }) => language === 'ts')

const scratch = scratchFolder()
afterAll(() => rmSync(scratch, { recursive: true, force: true }))

test('every TypeScript block of the documentation compiles against the library, but for names from around it', () => {
  expect(faultsOf(typescript)).toEqual([])
})

test('an unknown option, method or entry point is found, a name from around the block is not', () => {
  const imported = "import { KinesisProducer } from 'kinesis-producer'\n"

  const faults = faultsOf([
    blockOf(`${imported}new KinesisProducer({ recordTtl: 5 })`),
    blockOf(`${imported}new KinesisProducer({}).putt(record)`),
    blockOf("import { gone } from 'kinesis-producer/gone'"),
    blockOf(`${imported}await new KinesisProducer(options).put(record)`)
  ])

  expect(faults.map(withoutText)).toEqual(['x.md:8 TS2561', 'x.md:8 TS2551', 'x.md:7 TS2307'])
})

test('a line that does not parse is found', () => {
  expect(faultsOf([blockOf('const x = ;')]).map(withoutText)).toEqual(['x.md:7 TS1109'])
})

test('every JSON block parses', () => {
  const isBroken = ({ text }: CodeBlock) => {
    try {
      JSON.parse(text)
      return false
    } catch {
      // Not swallowed: the block is named below.
      return true
    }
  }

  const broken = blocks.filter(block => block.language === 'json' && isBroken(block))

  expect(broken.map(({ file, line }) => `${file}:${line}`)).toEqual([])
})

test('every block says what language it is in', () => {
  const nameless = blocks.filter(({ file, language }) => language === '' && file !== 'docs/DESIGN.md')

  expect(nameless.map(({ file, line }) => `${file}:${line}`)).toEqual([])
})

function blockOf(text: string): CodeBlock {
  return { file: 'x.md', line: 7, language: 'ts', text }
}

function withoutText(fault: string): string {
  return fault.replace(/: error (TS\d+).*/, ' $1')
}

/** Returns what is wrong with blocks, except what an excerpt may leave out. */
function faultsOf(checked: readonly CodeBlock[]): string[] {
  return compileBlocks(scratch, checked)
    .filter(({ code, message }) => !MAY_BE_LEFT_OUT.has(code) || OWN_MODULE.test(message))
    .map(({ text }) => text)
}
