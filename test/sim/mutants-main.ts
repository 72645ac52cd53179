/**
 * `npm run mutants`: builds the producer with each mutant in turn, runs the simulation over it and prints the table.
 * Invariant: the build that the other tools use is never touched; exits with 1 if a mutant survives.
 */
import { spawnSync } from 'node:child_process'
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { type Edit, MUTANTS, type Mutant, patternOf } from './mutants.ts'
import { MODES, type Mode } from './swarm.ts'
import type { Tally } from './tally.ts'

const { values } = parseArgs({
  options: {
    /** Seeds of every mode that each mutant gets; more only while none of them found it. */
    seeds: { type: 'string', default: '100' },
    max: { type: 'string', default: '2000' },
    only: { type: 'string', default: '' },
    /** Mutants to pass over, from the first on. */
    skip: { type: 'string', default: '0' }
  }
})
const BUILD = new URL('../../', import.meta.url)
const WORK = new URL('mutants/', BUILD)
/** A mutant that loops without end is caught by the time that a run may take: a start, and twenty times what a seed takes. */
const START_MS = 60_000
const SEED_MS = 200
const HANGS: Findings = {
  seedCount: 1,
  brokenCount: 1,
  lostCount: 0,
  firstSeed: 1,
  firstMode: undefined,
  invariants: ['hangs']
}

const rows = MUTANTS.slice(Number(values.skip))
  .filter(({ name }) => name.includes(values.only))
  .map(tryOut)
const survivors = rows.filter(({ found }) => found === undefined)
console.log(`${rows.length} mutants, ${rows.length - survivors.length} caught`)
process.exitCode = survivors.length > 0 ? 1 : 0

interface Row {
  readonly found: string | undefined
}

function tryOut(mutant: Mutant): Row {
  rmSync(WORK, { recursive: true, force: true })
  for (const folder of ['src', 'test']) cpSync(new URL(folder, BUILD), new URL(folder, WORK), { recursive: true })
  for (const edit of mutant.edits) apply(edit)
  const first = run(1, Number(values.seeds), Number.POSITIVE_INFINITY)
  const more = first.brokenCount > 0 ? first : run(Number(values.seeds) + 1, Number(values.max), 1)
  const found =
    more.brokenCount > 0
      ? more.firstMode === undefined
        ? 'it hangs'
        : `seed ${more.firstSeed} (${more.firstMode})`
      : undefined
  const share = `${((100 * first.brokenCount) / Math.max(1, first.seedCount)).toFixed(1)} %`
  const lost = first.lostCount > 0 ? `, ${first.lostCount} records acknowledged and lost` : ''
  console.log(`| ${mutant.name} | ${found ?? 'SURVIVES'} | ${share} | ${more.invariants.join(' ')}${lost} |`)
  return { found }
}

function apply({ file, find, replace }: Edit): void {
  const url = new URL(`src/${file}.js`, WORK)
  const text = readFileSync(url, 'utf8')
  const parts = text.split(patternOf(find))
  if (parts.length !== 2) throw new Error(`${file}: '${find}' occurs ${parts.length - 1} times`)
  writeFileSync(url, parts.join(replace))
}

interface Findings {
  readonly seedCount: number
  readonly brokenCount: number
  readonly lostCount: number
  readonly firstSeed: number
  readonly firstMode: Mode | undefined
  readonly invariants: readonly string[]
}

function run(from: number, seedCount: number, stopAfter: number): Findings {
  const main = fileURLToPath(new URL('test/sim/main.js', WORK))
  const options = ['--seeds', seedCount, '--from', from, '--stop-after', stopAfter, '--workers', availableParallelism()]
  const child = spawnSync(process.execPath, [main, ...options.map(String), '--quiet', '--json'], {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    timeout: START_MS + seedCount * MODES.length * SEED_MS
  })
  if (child.error !== undefined) return HANGS
  if (child.status !== 0) return crashed(child.stderr)
  const tallies = JSON.parse(child.stdout) as [Mode, Tally][]
  const broken = tallies.flatMap(([, tally]) => tally.broken).sort((left, right) => left.seed - right.seed)
  return {
    seedCount: tallies.reduce((sum, [, tally]) => sum + tally.seedCount, 0),
    brokenCount: broken.length,
    lostCount: tallies.reduce((sum, [, tally]) => sum + tally.lostCount, 0),
    firstSeed: broken[0]?.seed ?? 0,
    firstMode: broken[0]?.mode,
    invariants: [...new Set(broken.flatMap(({ violations }) => violations.map(({ invariant }) => invariant)))].sort()
  }
}

function crashed(stderr: string): Findings {
  throw new Error(`the simulation did not run: ${stderr.slice(0, 2_000)}`)
}
