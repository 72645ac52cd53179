import { expect, test } from 'vitest'
import { BENCHES } from '../../bench/benches.ts'
import { PUBLISHED } from '../../bench/publish.ts'
import { cpuPlot, MEASURED_NAMES, performanceSection } from '../../docs/plots/performance.ts'
import { generated, generatedFile, read } from './documents.ts'

test.each(MEASURED_NAMES)('docs/performance.md has the measured tables of %s', name => {
  const { is, shouldBe } = generated('docs/performance.md', name, performanceSection(name))

  expect(is).toBe(shouldBe)
})

test('the plot of the README is drawn from what was measured', () => {
  const { is, shouldBe } = generatedFile('docs/plots/cpu.svg', cpuPlot())

  expect(is).toBe(shouldBe)
})

test('what was measured is what is published, by benches that there are', () => {
  expect({ measured: MEASURED_NAMES, isKnown: PUBLISHED.every(name => Object.hasOwn(BENCHES, name)) }).toEqual({
    measured: [...PUBLISHED],
    isKnown: true
  })
})

test('docs/performance.md names benches that there are, and every one of them', () => {
  const named = new Set(
    [...read('docs/performance.md').matchAll(/`npm run bench -- ([\w-]+)/g)].map(([, name]) => name!)
  )
  const commands = ['record', 'plot', 'compare', 'profile', 'NAME']

  expect({
    unknown: [...named].filter(name => !Object.hasOwn(BENCHES, name) && !commands.includes(name)),
    missing: Object.keys(BENCHES).filter(name => !named.has(name))
  }).toEqual({ unknown: [], missing: [] })
})
