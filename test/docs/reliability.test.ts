import { existsSync } from 'node:fs'
import { expect, test } from 'vitest'
import { pathOf, read } from './documents.ts'

const FILE = 'docs/reliability.md'
const rows = [...read(FILE).matchAll(/^\| (F\d{2,3}) \| (.*) \| (.*) \| (.*) \|$/gm)].map(([, id, , , proof]) => ({
  id: id!,
  proofs: [...proof!.matchAll(/`([^`]+)`/g)].map(([, text]) => text!)
}))
const swarm = read('test/sim/swarm.ts')

test('has one row for each of the 108 kinds of faults, in the section that it belongs to', () => {
  const all = Array.from({ length: 108 }, (_, i) => `F${String(i + 1).padStart(2, '0')}`)

  expect(rows.map(({ id }) => id).sort()).toEqual(all.sort())
})

test.each(rows)('$id names a test or a knob that is there', ({ proofs }) => {
  expect(proofs).not.toEqual([])
  expect(proofs.filter(proof => !isThere(proof))).toEqual([])
})

test('has every invariant that the simulation checks, and no other', () => {
  const checkers = ['invariants', 'watchers', 'pace', 'world', 'sim', 'worker'].map(name => read(`test/sim/${name}.ts`))
  const checked = new Set(
    checkers
      .join('')
      .match(/'I\d+'/g)!
      .map(name => name.slice(1, -1))
  )
  const told = [...read(FILE).matchAll(/^\| (I\d+) \|/gm)].map(([, name]) => name!)

  expect([...checked].sort()).toEqual([...told].sort())
})

function isThere(proof: string): boolean {
  const [where, ...words] = proof.split(': ')
  if (where === 'sim') return new RegExp(`\\b${words[0]}\\b`).test(swarm)
  return words.length > 0 && existsSync(pathOf(where!)) && read(where!).includes(words.join(': '))
}
