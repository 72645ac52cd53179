/**
 * Results on disk: one JSON file a bench, and one page of all of them.
 * Invariant: a result says on what machine, with what Node.js, of what commit and when it was made.
 */
import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { availableParallelism, cpus, loadavg, totalmem } from 'node:os'
import { join } from 'node:path'
import { pageOf } from './page.ts'
import { PROJECT, RESULTS } from './places.ts'
import type { Report } from './report.ts'
import { isQuick, ROUNDS } from './settings.ts'

export interface Circumstances {
  readonly node: string
  readonly cpu: string
  readonly cores: number
  readonly memoryBytes: number
  /** Of the minute before; what else the machine was doing. */
  readonly load: number
  readonly commit: string
  readonly date: string
  readonly rounds: number
  readonly isQuick: boolean
  readonly seconds: number
}

export interface Result extends Report {
  readonly name: string
  readonly circumstances: Circumstances
}

export function saveResult(file: string, result: Result): void {
  writeFileSync(file, `${JSON.stringify(result, undefined, 2)}\n`)
}

export function readResult(file: string): Result {
  return JSON.parse(readFileSync(file, 'utf8'))
}

/** The file of a bench's last result. */
export function resultFile(name: string): string {
  mkdirSync(RESULTS, { recursive: true })
  return join(RESULTS, `${name}.json`)
}

/** Writes the page of all results there are, in the order of `names`; returns its path. */
export function writePage(names: readonly string[]): string {
  const present = new Set(readdirSync(RESULTS))
  const results = names.filter(name => present.has(`${name}.json`)).map(name => readResult(resultFile(name)))
  const file = join(RESULTS, 'report.html')
  writeFileSync(file, pageOf(results))
  return file
}

export function circumstances(seconds: number): Circumstances {
  return {
    node: process.version,
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: availableParallelism(),
    memoryBytes: totalmem(),
    load: loadavg()[0]!,
    commit: commit(),
    date: new Date().toISOString(),
    rounds: ROUNDS,
    isQuick,
    seconds: Math.round(seconds)
  }
}

/** With a `+` when files differ from it; a copy without git says `unknown`. */
function commit(): string {
  const git = (...args: string[]) =>
    execFileSync('git', ['-C', PROJECT, ...args], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim()
  try {
    const isChanged = git('--no-optional-locks', 'status', '--porcelain', '--', 'src', 'bench') !== ''
    return git('rev-parse', '--short', 'HEAD') + (isChanged ? '+' : '')
  } catch {
    // No git, or no repository: the figures are as good without.
    return 'unknown'
  }
}
