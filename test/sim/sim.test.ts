/**
 * The first ring: 16,000 seeds of every mode over the synchronous core, and the seeds that once broke something.
 * `SEEDS=n` runs n seeds of every mode; `npm run sim` has more to choose from.
 */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { MUTANTS, patternOf } from './mutants.ts'
import { runSeed } from './sim.ts'
import { MODES, type Mode } from './swarm.ts'
import type { Tally } from './tally.ts'

const ROOT = new URL('../../', import.meta.url).pathname
const SEEDS = process.env['SEEDS'] ?? '16000'
const TIME_LIMIT_MS = 15 * 60_000

test('no seed of any mode breaks an invariant', { timeout: TIME_LIMIT_MS }, () => {
  const tsc = `${ROOT}node_modules/typescript/bin/tsc`
  execFileSync(process.execPath, [tsc, '-p', 'tsconfig.dev.json'], { cwd: ROOT })
  const options = ['--seeds', SEEDS, '--json', '--quiet']

  const printed = execFileSync(process.execPath, ['build/test/sim/main.js', ...options], {
    cwd: ROOT,
    encoding: 'utf8',
    maxBuffer: 1 << 28
  })

  const tallies = JSON.parse(printed) as [Mode, Tally][]
  const outcome = tallies.map(([mode, { seedCount, lostCount, broken }]) => ({ mode, seedCount, lostCount, broken }))
  const replay = ({ seed, mode }: { seed: number; mode: Mode }) => `npm run sim -- --mode ${mode} --seed ${seed}`
  const replays = outcome.flatMap(({ broken }) => broken.map(replay))
  expect(replays).toEqual([])
  expect(outcome).toEqual(MODES.map(mode => ({ mode, seedCount: Number(SEEDS), lostCount: 0, broken: [] })))
})

const kept = readFileSync(new URL('./seeds.txt', import.meta.url), 'utf8')
  .split('\n')
  .filter(line => line.length > 0 && !line.startsWith('#'))
  .map(line => line.split(' '))

test.each(kept)('%s/%s breaks nothing any more', (mode, seed) => {
  expect(runSeed(Number(seed), mode as Mode).violations).toEqual([])
})

test.each(MODES)('the same seed gives the same events in the same order (%s)', mode => {
  const hashes = [1, 2, 3, 1, 2, 3].map(seed => runSeed(seed, mode).hash)

  expect(hashes.slice(3)).toEqual(hashes.slice(0, 3))
  expect(new Set(hashes).size).toBe(3)
})

test.each(MUTANTS)('the mutant still applies: $name', ({ edits }) => {
  const counts = edits.map(({ file, find }) => {
    const text = readFileSync(new URL(`../../src/${file}.ts`, import.meta.url), 'utf8')
    return text.split(patternOf(find)).length - 1
  })

  expect(counts).toEqual(edits.map(() => 1))
})
