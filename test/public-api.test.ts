import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'

const PROJECT = fileURLToPath(new URL('..', import.meta.url))
const SNAPSHOT = fileURLToPath(new URL('public-api.txt', import.meta.url))
const isUpdating = process.env['UPDATE_DOCS'] === '1'
const { name, exports: targets } = JSON.parse(readFileSync(join(PROJECT, 'package.json'), 'utf8'))
const entryPoints = Object.entries<string | { default: { types: string } }>(targets).flatMap(([path, target]) =>
  typeof target === 'string' ? [] : [{ name: join(name, path), types: target.default.types.replace(/^\.\/dist\//, '') }]
)

/** The declarations as the package has them. */
const folder = mkdtempSync(join(tmpdir(), 'public-api-'))

beforeAll(() => {
  const tsc = join(PROJECT, 'node_modules/typescript/bin/tsc')
  const options = ['--outDir', folder, '--emitDeclarationOnly', '--noCheck']
  execFileSync(process.execPath, [tsc, '-p', 'tsconfig.build.json', ...options], { cwd: PROJECT, stdio: 'inherit' })
})

afterAll(() => rmSync(folder, { recursive: true, force: true }))

test('the public API is the one of public-api.txt; UPDATE_DOCS=1 writes it anew', () => {
  const present = entryPoints.map(entry => `${entry.name}\n${apiOf(entry.types)}`).join('\n')
  if (isUpdating) writeFileSync(SNAPSHOT, present)

  const snapshot = existsSync(SNAPSHOT) ? readFileSync(SNAPSHOT, 'utf8') : ''
  expect(present).toBe(snapshot)
})

test('every value that an entry point declares is there at run time, and nothing else is', async () => {
  const declared = entryPoints.map(entry => ({ name: entry.name, values: valuesOf(entry.types) }))

  const loaded = await Promise.all(
    entryPoints.map(async entry => {
      const module: object = await import(join(PROJECT, 'src', entry.types.replace(/\.d\.ts$/, '.ts')))
      return { name: entry.name, values: Object.keys(module).sort() }
    })
  )

  expect(loaded).toEqual(declared)
})

function apiOf(types: string): string {
  return sorted(exportedBy(types))
    .map(([, text]) => text.replaceAll(/^/gm, '  '))
    .join('\n')
    .concat('\n')
}

function valuesOf(types: string): string[] {
  return sorted(exportedBy(types))
    .filter(([, text]) => /^(class|const|function) /.test(text))
    .map(([exported]) => exported)
}

function sorted(map: ReadonlyMap<string, string>): [string, string][] {
  return [...map].sort(([left], [right]) => (left < right ? -1 : 1))
}

/** All that a declaration file exports, by name, without comments: its own declarations and those it hands on. */
function exportedBy(types: string): Map<string, string> {
  const code = readFileSync(join(folder, types), 'utf8').replace(/^\s*\/\*\*[\s\S]*?\*\/\n/gm, '')
  const found = declaredIn(code)
  for (const [, list, from] of code.matchAll(/^export (?:type )?\{([^}]*)\} from '([^']+)';$/gm)) {
    const target = exportedBy(join(dirname(types), from!.replace(/\.ts$/, '.d.ts')))
    for (const item of list!.split(',')) {
      const [local, exported = local] = item
        .replace(/\btype\b/, '')
        .trim()
        .split(' as ')
      const text = target.get(local!)
      if (text === undefined) throw new Error(`${types} exports ${local}, which ${from} does not`)
      found.set(exported!, text)
    }
  }
  return found
}

/** What a file itself declares and exports; each declaration goes on to the line before the next statement. */
function declaredIn(code: string): Map<string, string> {
  const found = new Map<string, string>()
  for (const statement of code.split(/^(?=(?:import|export|declare|interface|type)\b)/m)) {
    const head = /^export (?:declare )?(?:abstract )?(?=(class|const|function|interface|type) (\w+))/.exec(statement)
    if (head === null) continue
    const [prefix, kind, exported] = head
    const whole = statement.slice(prefix.length).trimEnd()
    const text = kind === 'const' ? keysOf(whole) : whole.replace(/^ +#private;\n/m, '')
    // Overloads are several declarations of one name.
    const before = found.get(exported!)
    found.set(exported!, before === undefined ? text : `${before}\n${text}`)
  }
  return found
}

/** A table with its first level of names only; what they mean is shown by the types made of it, and in the README. */
function keysOf(table: string): string {
  const [first = '', ...rest] = table.split('\n')
  const keys = rest.flatMap(line => /^ {4}(readonly \w+)/.exec(line)?.[1] ?? [])
  return keys.length === 0 ? table : [first, ...keys.map(key => `    ${key}`), '}'].join('\n')
}
