/** The supported releases of Node.js stand in several places, which nothing else compares. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { PROJECT } from '../support/packed-package.ts'

const read = (file: string) => readFileSync(join(PROJECT, file), 'utf8')

/** What follows `before` in a file, up to `after`. */
function between(file: string, before: string, after: string): string {
  const [, rest = ''] = read(file).split(before)
  return rest.split(after)[0]!
}

const versionsIn = (text: string) => [...text.matchAll(/\d\d(?:\.\d\d)?/g)].map(([version]) => version)

test('every supported line of Node.js is tested, from the first release that the manifest allows', () => {
  const { engines } = JSON.parse(read('package.json'))
  const inCi = between('.github/workflows/ci.yml', 'node: [', ']')
  const inSmoke = between('test/smoke/other-nodes.mjs', 'const SUPPORTED = [', ']')

  const lines = ['20.19', '22.12', '22', '24', '26']
  expect(engines.node).toBe('^20.19.0 || >=22.12.0')
  expect({ ci: versionsIn(inCi), smoke: versionsIn(inSmoke) }).toEqual({ ci: lines, smoke: lines })
})

test.each([
  ['README.md', 'The package runs on Node.js ', '.\n'],
  ['CONTRIBUTING.md', 'You need Node.js ', ' and npm'],
  ['docs/cli.md', 'runs on Node.js ', '. '],
  ['docs/performance.md', 'You need Node.js ', ' and a clone'],
  ['.ci/run', '# Needs Node.js ', ' and npm']
])('%s names both first releases', (file, before, after) => {
  const text = between(file, before, after)

  expect(versionsIn(text).slice(0, 2)).toEqual(['20.19', '22.12'])
})

test('this Node.js is a supported one', () => {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)

  expect((major === 20 && minor >= 19) || (major === 22 && minor >= 12) || major > 22).toBe(true)
})
