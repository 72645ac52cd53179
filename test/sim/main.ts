/**
 * `npm run sim`: many seeds on every core, or one seed with its story.
 * Invariant: exits with 1 if any seed broke an invariant, and prints the line that replays it.
 *
 *   npm run sim -- --seeds 20000 --from 1 --mode all --workers 2
 *   npm run sim -- --seed 38 --mode unordered
 */
import { execFileSync } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { runMany } from './run-many.ts'
import { runSeed } from './sim.ts'
import { MODES, type Mode } from './swarm.ts'
import type { BrokenSeed, Tally } from './tally.ts'

const MAX_BROKEN_SHOWN = 20

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '1000' },
    from: { type: 'string', default: '1' },
    mode: { type: 'string', default: 'all' },
    workers: { type: 'string', default: String(availableParallelism()) },
    seed: { type: 'string' },
    'stop-after': { type: 'string', default: 'Infinity' },
    json: { type: 'boolean', default: false },
    quiet: { type: 'boolean', default: false }
  }
})
const modes = values.mode === 'all' ? MODES : MODES.filter(mode => mode === values.mode)
if (modes.length === 0) throw new Error(`--mode must be all or one of ${MODES.join(', ')}`)
process.exitCode = values.seed === undefined ? await many() : one(Number(values.seed))

async function many(): Promise<number> {
  const startMs = performance.now()
  const from = Number(values.from)
  const seeds = Array.from({ length: Number(values.seeds) }, (_, i) => from + i)
  const total = seeds.length * modes.length
  const onProgress = (doneCount: number, brokenCount: number): void => {
    if (values.quiet || doneCount % 10_000 !== 0) return
    process.stderr.write(`${doneCount} of ${total} seeds, ${brokenCount} broke an invariant\n`)
  }
  const workerCount = Number(values.workers)
  let shownCount = 0
  const onBroken = (seed: BrokenSeed): void => {
    shownCount++
    if (!values.json && shownCount <= MAX_BROKEN_SHOWN) printBroken(seed)
  }
  const stopAfter = Number(values['stop-after'])
  const tallies = await runMany({ modes, seeds, workerCount, stopAfter, onProgress, onBroken })
  if (values.json) {
    console.log(JSON.stringify([...tallies]))
    return 0
  }
  const seconds = (performance.now() - startMs) / 1000
  for (const [mode, tally] of tallies) printTally(mode, tally)
  console.log(
    `${total} seeds in ${seconds.toFixed(0)} s, ${(total / seconds / workerCount).toFixed(0)} a second and thread`
  )
  const brokenCount = [...tallies.values()].reduce((count, tally) => count + tally.broken.length, 0)
  console.log(`${brokenCount} seeds broke an invariant`)
  return brokenCount > 0 ? 1 : 0
}

function one(seed: number): number {
  let brokenCount = 0
  for (const mode of modes) {
    const report = runSeed(seed, mode, { isVerbose: !values.quiet })
    if (!values.quiet) console.log(JSON.stringify(report.config))
    for (const line of report.lines ?? []) console.log(line)
    const { hash, putCount, deliveredCount, storedCount, duplicateCount, violations } = report
    console.log(`${mode}/${seed} hash ${hash}: ${putCount} put, ${deliveredCount} delivered, ${storedCount} stored`)
    console.log(`${duplicateCount} duplicates, ${violations.length} violations`)
    for (const { invariant, message, atMs } of violations) console.log(`${atMs.toFixed(1)} ${invariant} ${message}`)
    brokenCount += Number(violations.length > 0)
  }
  return brokenCount > 0 ? 1 : 0
}

function printTally(mode: Mode, tally: Tally): void {
  const {
    seedCount,
    putCount,
    deliveredCount,
    requestCount,
    duplicateCount,
    droppedCount,
    lostCount,
    unknowableCount
  } = tally
  console.log(
    [
      `${mode}: ${seedCount} seeds, ${putCount} records put, ${deliveredCount} acknowledged, ${requestCount} requests,`,
      `${tally.faultCount} faults, ${duplicateCount} duplicates, ${droppedCount} copies dropped by the KCL-like reader;`,
      `acknowledged and lost ${lostCount}, unknowable ${unknowableCount}; ${(tally.virtualMs / 3_600_000).toFixed(0)} virtual hours; events ${tally.events}`
    ].join(' ')
  )
}

function printBroken({ seed, mode, violations }: BrokenSeed): void {
  console.log(`seed ${seed} mode ${mode} commit ${commit()}: replay with npm run sim -- --mode ${mode} --seed ${seed}`)
  for (const { invariant, message } of violations.slice(0, 2)) console.log(`  ${invariant} ${message.slice(0, 400)}`)
}

function commit(): string {
  try {
    return execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim()
  } catch {
    return 'unknown'
  }
}
