/**
 * The examples as a user has them: they import the package by its name, and it is installed from its tarball.
 * Invariant: an import of a file that is no entry point of the package throws, so no example reaches into the library.
 */
import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { compile, entryPoints, MODULES, type PackedPackage, PROJECT, packPackage } from './packed-package.ts'

const EXAMPLES = join(PROJECT, 'examples')

/** Returns a source of the folder `examples` with the names of the package in place of the paths of its sources. */
export function asUsed(source: string): string {
  return source.replaceAll(/'\.\.\/\.\.\/(src\/[^']+)'/g, (_, path: string) => {
    const entry = entryPoints.find(each => each.source === path)
    if (entry === undefined) throw new Error(`${path} is no entry point of the package`)
    return `'${entry.name}'`
  })
}

/** The example as a program to read: without its header comment. */
export function programOf(example: string): string {
  return asUsed(readFileSync(join(EXAMPLES, example), 'utf8')).replace(/^\/\*\*[\s\S]*?\*\/\n/, '')
}

export interface InstalledExamples {
  /** The compiled examples, each in its own folder. */
  readonly folder: string
  /** `Module` is `typeof import('../examples/that.ts')`; `file` is the compiled one. A query makes a new instance. */
  load<Module>(file: string, query?: string): Promise<Module>
  remove(): void
}

/** Packs the package, installs it, and compiles every example against what was installed. Throws what the compiler says. */
export async function installExamples(): Promise<InstalledExamples> {
  const packed = await packPackage()
  const at = writeProject(packed)
  await compile(at)
  const load = (file: string, query = '') => import(`${pathToFileURL(join(at, file))}${query}`)
  return { folder: at, load, remove: () => packed.remove() }
}

function writeProject(packed: PackedPackage): string {
  const names = sourcesIn(EXAMPLES)
  const texts = names.map(name => asUsed(readFileSync(join(EXAMPLES, name), 'utf8')))
  const at = packed.project('examples', '@types/aws-lambda', ...packagesOf(texts))
  cpSync(EXAMPLES, at, { recursive: true, filter: path => !path.endsWith('README.md') })
  for (const [i, name] of names.entries()) writeFileSync(join(at, name), texts[i]!)
  const compilerOptions = { noEmit: false, rootDir: at, typeRoots: [join(MODULES, '@types')] }
  writeFileSync(
    join(at, 'tsconfig.json'),
    JSON.stringify({ extends: join(PROJECT, 'tsconfig.json'), compilerOptions, include: ['*/*.ts'] })
  )
  return at
}

function sourcesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(name => name.endsWith('.ts'))
}

/** The packages that the examples import beside ours and Node's. */
function packagesOf(texts: readonly string[]): string[] {
  const imported = texts.flatMap(text => [...text.matchAll(/^(?:import|\}) .*from '((?:@[\w-]+\/)?[\w-]+)/gm)])
  const names = new Set(imported.map(([, name]) => name!))
  return [...names].filter(name => name !== 'kinesis-producer' && name !== 'node' && name !== 'aws-lambda')
}
