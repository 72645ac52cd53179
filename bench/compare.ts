/**
 * One bench on two builds of the library, in turns, and the ratio of their medians.
 * Invariant: both sides run the bench code of this working tree; only `src` differs. The order within a pair alternates,
 * so that what disturbs the machine disturbs both. The repository is only read: the base is unpacked below /tmp.
 */
import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { PROJECT } from './harness/places.ts'
import { type Cell, isLessBetter, type Metric, type Unit } from './harness/report.ts'
import { type Result, readResult } from './harness/save.ts'
import { isQuick } from './harness/settings.ts'
import { bootstrapRatio, MIN_PAIRS, median, type RatioInterval } from './harness/statistics.ts'
import { reportText } from './harness/table.ts'
import { formatValue } from './harness/units.ts'

/** Pairs of runs; COMPARE_PAIRS sets it. */
const PAIRS = Number(process.env['COMPARE_PAIRS']) || (isQuick ? 2 : 7)
const ROUNDS_PER_RUN = '2'

/** Made from other figures of the same row. */
const RESTATED: readonly Unit[] = ['bytes/s', 'bytes/CPU s', 'times']

interface Measured {
  /** The table's title, the names of the row, the column: together they are found again in another run. */
  readonly labels: readonly string[]
  readonly metric: Metric
}

/** Runs the comparison and returns its table as text. `base` is a build folder, or a commit to build. */
export function compare(name: string, base: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'kinesis-producer-base-'))
  try {
    const isBuild = existsSync(join(base, 'bench', 'run-one.js'))
    const baseBuild = isBuild ? resolve(base) : buildOf(base, folder)
    const builds = { base: baseBuild, branch: join(PROJECT, 'build') }
    const results = { base: [] as Result[], branch: [] as Result[] }
    for (let pair = 0; pair < PAIRS; pair++) {
      const order = pair % 2 === 0 ? (['base', 'branch'] as const) : (['branch', 'base'] as const)
      for (const side of order) results[side].push(runOnce(builds[side], name, join(folder, 'result.json')))
    }
    return tableOf(name, base, results.base, results.branch)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** The commit's `src` with our `bench`, compiled with the commit's compiler options. Types need not agree. */
function buildOf(commit: string, folder: string): string {
  const tree = join(folder, 'tree')
  mkdirSync(tree)
  const archive = execFileSync('git', ['-C', PROJECT, 'archive', commit], { maxBuffer: 1 << 30 })
  execFileSync('tar', ['-x', '-C', tree], { input: archive })
  rmSync(join(tree, 'bench'), { recursive: true, force: true })
  cpSync(join(PROJECT, 'bench'), join(tree, 'bench'), {
    recursive: true,
    filter: path => !/[\\/](node_modules|results)$/.test(path)
  })
  symlinkSync(join(PROJECT, 'node_modules'), join(tree, 'node_modules'))
  const peers = join(PROJECT, 'bench', 'peers', 'node_modules')
  if (existsSync(peers)) symlinkSync(peers, join(tree, 'bench', 'peers', 'node_modules'))
  try {
    execFileSync(process.execPath, [join(tree, 'node_modules/typescript/bin/tsc'), '-p', 'tsconfig.dev.json'], {
      cwd: tree,
      stdio: 'ignore'
    })
  } catch {
    // A type error of our bench against their source; what matters is whether it runs, and that shows.
  }
  return join(tree, 'build')
}

function runOnce(build: string, name: string, file: string): Result {
  const script = join(build, 'bench', 'run-one.js')
  execFileSync(process.execPath, ['--expose-gc', '--no-warnings', script, name, file], {
    env: { BENCH_ROUNDS: ROUNDS_PER_RUN, ...process.env },
    stdio: ['ignore', 'ignore', 'inherit']
  })
  if (!existsSync(file)) throw new Error(`${name} cannot run here: npm run bench -- ${name} says why`)
  return readResult(file)
}

function tableOf(name: string, base: string, baseRuns: readonly Result[], branchRuns: readonly Result[]): string {
  const rows = measured(branchRuns[0]!).flatMap(({ labels, metric }): Cell[][] => {
    const [before, after] = [mediansOf(baseRuns, labels), mediansOf(branchRuns, labels)]
    // The base may not have what the branch has.
    if (before.length < PAIRS || after.length < PAIRS) return []
    const interval = bootstrapRatio(before, after)
    const format = (samples: readonly number[]) => formatValue(median(samples), metric.unit)
    const [, ...shown] = labels
    return [
      [
        shown.join(', '),
        format(before),
        format(after),
        `${interval.ratio.toFixed(3)}x`,
        `${interval.low.toFixed(3)} to ${interval.high.toFixed(3)}`,
        verdictOf(interval, isLessBetter(metric.unit))
      ]
    ]
  })
  const title = `${name}: this tree against ${base}, ${PAIRS} pairs of runs in turns`
  const columns = ['figure', 'base', 'branch', 'ratio', '95 % interval', 'verdict']
  return reportText({ title, tables: [{ title, columns, rows }] })
}

/** One median a run, of the figure with these labels. */
function mediansOf(runs: readonly Result[], labels: readonly string[]): number[] {
  const key = labels.join()
  return runs.flatMap(run => {
    const found = measured(run).find(one => one.labels.join() === key)
    return found === undefined ? [] : [median(found.metric.samples)]
  })
}

function verdictOf({ low, high }: RatioInterval, isLess: boolean): string {
  if (PAIRS < MIN_PAIRS) return `needs ${MIN_PAIRS} pairs`
  if (isLess ? high < 1 : low > 1) return 'better'
  return (isLess ? low > 1 : high < 1) ? 'WORSE' : 'no difference shown'
}

/** The measured cells of a result, without those that only restate another. */
function measured({ tables }: Result): Measured[] {
  return tables.flatMap(({ title, columns, rows }) =>
    rows.flatMap(row => {
      const names = row.slice(
        0,
        row.findIndex(cell => typeof cell !== 'string')
      ) as string[]
      return row.flatMap((cell, column) =>
        typeof cell === 'string' || RESTATED.includes(cell.unit)
          ? []
          : [{ labels: [title, ...names, columns[column]!], metric: cell }]
      )
    })
  )
}
