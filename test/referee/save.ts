/**
 * What a run without a difference leaves behind: its rows in `results.json`, and the bytes of the other program in `recorded`.
 * Invariant: nothing is kept of a run with a difference; a run replaces only what is of its own name.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Outcome, RECORDED_FOLDER, RESULTS_FILE, type RefereeResult } from './outcome.ts'
import type { Recording } from './recording.ts'
import { REFEREES } from './roster.ts'
import { PROJECT } from './toolchain.ts'

/** Returns the files that it wrote. */
export function record(name: string, { toolchain, comparisons, recordings = {} }: Outcome): string[] {
  const date = new Date().toISOString().slice(0, 10)
  const result: RefereeResult = { name, date, toolchain, comparisons }
  const others = existsSync(join(PROJECT, RESULTS_FILE)) ? readResults() : []
  const results = Object.keys(REFEREES).flatMap(each =>
    each === name ? [result] : others.filter(other => other.name === each)
  )
  writeFileSync(join(PROJECT, RESULTS_FILE), `${JSON.stringify(results, undefined, 1)}\n`)
  const files = Object.entries(recordings).map(([file, bytes]) => {
    const path = `${RECORDED_FOLDER}/${file}.json`
    const recording: Recording = { ...bytes, date, command: `npm run referee -- ${name} --record` }
    writeFileSync(join(PROJECT, path), formatRecording(recording))
    return path
  })
  return [RESULTS_FILE, ...files]
}

function readResults(): RefereeResult[] {
  return JSON.parse(readFileSync(join(PROJECT, RESULTS_FILE), 'utf8'))
}

/** A line for each aggregate and each record, so that a change is readable. */
function formatRecording({ program, date, command, aggregates, given, stored }: Recording): string {
  const list = (items: readonly object[]) => `[\n${items.map(item => `  ${JSON.stringify(item)}`).join(',\n')}\n ]`
  const members = [
    ...Object.entries({ program, date, command }).map(([key, text]) => [key, JSON.stringify(text)]),
    ...Object.entries({ aggregates, given, stored }).flatMap(([key, items]) => (items ? [[key, list(items)]] : []))
  ]
  return `{\n${members.map(([key, text]) => ` "${key}": ${text}`).join(',\n')}\n}\n`
}
