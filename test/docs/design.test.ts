import { expect, test } from 'vitest'
import { read, SOURCES } from './documents.ts'

test('every class member that docs/DESIGN.md names is one of the source', () => {
  const named = [...read('docs/DESIGN.md').matchAll(/`([A-Z]\w+)?(#|\.)(\w+)(?:\(\))?`/g)]

  const missing = named
    .filter(([, owner, mark, member]) => !hasMember(owner, mark === '#' ? `#${member}` : member!))
    .map(([text]) => text)

  expect({ missing, count: named.length > 5 }).toEqual({ missing: [], count: true })
})

test('a member that its class does not have is found', () => {
  const names = ['Repack.takeApart', 'Router.takeApart', 'Nobody.takeApart'].map(name => name.split('.'))

  expect(names.map(([owner, member]) => hasMember(owner, member!))).toEqual([true, false, false])
})

/** Whether a class or interface, or without one any of the files, declares the member at the start of a line. */
function hasMember(owner: string | undefined, member: string): boolean {
  const declaration = new RegExp(`^  (?:get |readonly |async |static )*${member}\\b\\??[(<:;= ]`, 'm')
  return SOURCES.some(({ text }) => {
    if (owner === undefined) return declaration.test(text)
    const body = text.split(new RegExp(`^export (?:class|interface) ${owner}\\b`, 'm'))[1]?.split(/^\}$/m)[0]
    return body !== undefined && declaration.test(body)
  })
}
