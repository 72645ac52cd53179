/**
 * Compiles code of the documentation against the library: blocks of the pages, and examples of comments.
 * Invariant: the project's own settings; the package's entry points are led to the sources. A fault is named by its document.
 */
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type CodeBlock, pathOf, read } from './documents.ts'

/** A block, and the line of its document on which its first line is. */
export type Compiled = Omit<CodeBlock, 'language'>

/** One fault of the compiler. */
export interface Fault {
  readonly code: number
  readonly message: string
  /** `docs/x.md:12: error TS2304: ...` */
  readonly text: string
}

/** Compiles blocks, each as a module of its own in a new folder below `scratch`, and returns what is wrong with them. */
export function compileBlocks(scratch: string, blocks: readonly Compiled[]): Fault[] {
  const folder = mkdtempSync(join(scratch, 'run-'))
  for (const [index, { text }] of blocks.entries()) {
    // An ellipsis stands for code of the reader's.
    writeFileSync(join(folder, `block-${index}.ts`), `${text.replaceAll('\u2026', 'void 0')}\nexport {}\n`)
  }
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config()))
  return compile(folder)
    .split('\n')
    .flatMap(line => {
      const found = /^.*block-(\d+)\.ts\((\d+),\d+\): error TS(\d+): (.*)$/.exec(line)
      if (found === null) return line.startsWith('error TS') ? [{ code: 0, message: line, text: line }] : []
      const [, index, row, code, message = ''] = found
      const block = blocks[Number(index)]!
      const text = `${block.file}:${block.line + Number(row) - 1}: error TS${code}: ${message}`
      return [{ code: Number(code), message, text }]
    })
}

/** Returns a new folder below `build`, so that packages are found as the project's own code finds them. */
export function scratchFolder(): string {
  const build = pathOf('build')
  mkdirSync(build, { recursive: true })
  return mkdtempSync(join(build, 'docs-'))
}

/** The entry points of the package by name, with the source file of each. */
export function entrySources(): ReadonlyMap<string, string> {
  const { exports } = JSON.parse(read('package.json')) as {
    exports: Readonly<Record<string, string | { default: { types: string } }>>
  }
  return new Map(
    Object.entries(exports).flatMap(([entry, target]) =>
      typeof target === 'string'
        ? []
        : [[entry.replace('.', 'kinesis-producer'), pathOf(sourceOf(target.default.types))] as const]
    )
  )
}

function sourceOf(types: string): string {
  return types.replace('./dist/', 'src/').replace('.d.ts', '.ts')
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

function config(): object {
  return {
    extends: pathOf('tsconfig.json'),
    compilerOptions: {
      noUnusedLocals: false,
      noUnusedParameters: false,
      noImplicitAny: false,
      typeRoots: [pathOf('node_modules/@types')],
      paths: Object.fromEntries([...entrySources()].map(([name, file]) => [name, [file]]))
    },
    include: ['*.ts']
  }
}
