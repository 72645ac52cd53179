import { existsSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { expect, test } from 'vitest'
import { anchorsOf, DOCUMENTS, pathOf, prose } from './documents.ts'

/** `[text](target)` and `![text](target)`; a title after the target is not used here. */
const LINK = /\]\(([^)\s]+)\)/g

test.each(DOCUMENTS)('%s links to files and headings that exist', file => {
  const targets = [...prose(file).matchAll(LINK)].map(([, target]) => target!).filter(isRelative)

  expect(targets.filter(target => !resolves(file, target))).toEqual([])
})

test.each(DOCUMENTS)('%s links to other sites over https only', file => {
  const targets = [...prose(file).matchAll(LINK)].map(([, target]) => target!)

  expect(targets.filter(target => !isRelative(target) && !target.startsWith('https://'))).toEqual([])
})

test('a missing file, a missing heading and a heading that is there are told apart', () => {
  const targets = ['gone.md', 'errors.md#gone', 'errors.md#service-codes', '../README.md']

  expect(targets.map(target => resolves('docs/delivery.md', target))).toEqual([false, false, true, true])
})

function isRelative(target: string): boolean {
  return !/^[a-z][a-z+.-]*:/i.test(target)
}

function resolves(file: string, target: string): boolean {
  const [path = '', anchor] = target.split('#')
  const linked = path === '' ? file : normalize(join(dirname(file), path))
  if (!existsSync(pathOf(linked))) return false
  return anchor === undefined || anchorsOf(linked).has(anchor)
}
