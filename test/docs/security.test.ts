import { describe, expect, test } from 'vitest'
import { OPTIONS, type OptionEntry } from '../../src/model/options.ts'
import { read, SOURCES } from './documents.ts'

const FILE = 'SECURITY.md'

interface Package {
  readonly dependencies: Readonly<Record<string, string>>
}
interface Locked {
  readonly dev?: boolean
  readonly devOptional?: boolean
  readonly hasInstallScript?: boolean
  readonly integrity?: string
  readonly resolved?: string
}

const bounds = read(FILE)
  .split('\n')
  .filter(line => /^\|.*\| src\/\S+ \|$/.test(line))
  .map(line => line.split('|').map(cell => cell.trim()))
  .map(([, what, bound, name, file]) => ({
    what: what!,
    value: Number(bound!.replace(', an option', '').replaceAll(',', '')),
    name: name!.slice(1, -1),
    file: file!
  }))

describe('the bounds', () => {
  test.each(bounds)('$what: $name', ({ name, value, file }) => {
    expect(boundOf(name, file)).toBe(value)
  })

  test('are many', () => {
    expect(bounds.length).toBeGreaterThan(20)
  })
})

test('the direct dependencies are those of the package', () => {
  const { dependencies } = JSON.parse(read('package.json')) as Package
  const named = [...sectionOf('Supply chain').matchAll(/`((?:@[\w-]+\/)?[\w-]+)`/g)].map(([, name]) => name!)

  expect(Object.keys(dependencies).filter(name => !named.includes(name))).toEqual([])
  expect(sectionOf('Supply chain')).toContain(`${NUMBERS[Object.keys(dependencies).length]} direct dependencies`)
})

test('no package that users install has an install script, and every one has a hash', () => {
  const { packages } = JSON.parse(read('package-lock.json')) as { packages: Readonly<Record<string, Locked>> }
  const installed = Object.entries(packages).filter(([path, { dev }]) => path !== '' && dev !== true)

  const withScript = installed.filter(([, locked]) => locked.hasInstallScript === true && locked.devOptional !== true)
  const withoutHash = installed.filter(
    ([, { resolved, integrity }]) => resolved !== undefined && integrity === undefined
  )

  expect([withScript.map(([path]) => path), withoutHash.map(([path]) => path)]).toEqual([[], []])
})

const NUMBERS = ['No', 'One', 'Two', 'Three', 'Four', 'Five', 'Six', 'Seven', 'Eight']

/** The default of an option, or the literal of a constant in that file. */
function boundOf(name: string, file: string): number | undefined {
  const entry: OptionEntry | undefined = Object.hasOwn(OPTIONS, name)
    ? OPTIONS[name as keyof typeof OPTIONS]
    : undefined
  if (entry?.kind === 'integer') return entry.default
  const text = SOURCES.find(source => source.name === file)?.text ?? ''
  const literal = new RegExp(`const ${name}\\b[^=]*= ([\\d_]+)\\n`).exec(text)?.[1]
  return literal === undefined ? undefined : Number(literal.replaceAll('_', ''))
}

function sectionOf(heading: string): string {
  return read(FILE).split(`\n## ${heading}\n`)[1]?.split('\n## ')[0] ?? ''
}
