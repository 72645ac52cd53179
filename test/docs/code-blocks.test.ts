import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { type CodeBlock, codeBlocks, DOCUMENTS, pathOf, read } from './documents.ts'

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

/** Compiles blocks, each as a module of its own, and returns what is wrong with them. */
function faultsOf(checked: readonly CodeBlock[]): string[] {
  const folder = mkdtempSync(join(scratch, 'run-'))
  for (const [index, { text }] of checked.entries()) {
    // An ellipsis stands for code of the reader's.
    writeFileSync(join(folder, `block-${index}.ts`), `${text.replaceAll('\u2026', 'void 0')}\nexport {}\n`)
  }
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config()))
  return compile(folder)
    .split('\n')
    .flatMap(line => {
      const found = /^.*block-(\d+)\.ts\((\d+),\d+\): error TS(\d+): (.*)$/.exec(line)
      if (found === null) return line.startsWith('error TS') ? [line] : []
      const [, index, row, code, message] = found
      const mayBe = MAY_BE_LEFT_OUT.has(Number(code)) && !OWN_MODULE.test(message!)
      const block = checked[Number(index)]!
      return mayBe ? [] : [`${block.file}:${block.line + Number(row) - 1}: error TS${code}: ${message}`]
    })
}

function compile(folder: string): string {
  try {
    const compiler = pathOf('node_modules/typescript/bin/tsc')
    execFileSync(process.execPath, [compiler, '--pretty', 'false', '-p', folder], { encoding: 'utf8', stdio: 'pipe' })
    return ''
  } catch (error) {
    return (error as { readonly stdout: string }).stdout
  }
}

/** The project's own settings, with the package's entry points led to the sources. */
function config(): object {
  const { exports } = JSON.parse(read('package.json')) as {
    exports: Readonly<Record<string, string | { default: { types: string } }>>
  }
  const entries = Object.entries(exports).flatMap(([entry, target]) =>
    typeof target === 'string' ? [] : [[entry, target.default.types] as const]
  )
  const paths = entries.map(([entry, types]) => {
    const source = types.replace('./dist/', 'src/').replace('.d.ts', '.ts')
    return [entry.replace('.', 'kinesis-producer'), [pathOf(source)]] as const
  })
  return {
    extends: pathOf('tsconfig.json'),
    compilerOptions: {
      noUnusedLocals: false,
      noUnusedParameters: false,
      noImplicitAny: false,
      typeRoots: [pathOf('node_modules/@types')],
      paths: Object.fromEntries(paths)
    },
    include: ['*.ts']
  }
}

/** Below `build`, so that packages are found as the project's own code finds them. */
function scratchFolder(): string {
  const build = pathOf('build')
  mkdirSync(build, { recursive: true })
  return mkdtempSync(join(build, 'docs-'))
}
