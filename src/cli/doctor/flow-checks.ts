/**
 * The checks of `doctor` for the flows of a config file: what each pattern finds, and whether it can be read and cut into records.
 * Invariant: reads the first bytes of the newest file of a flow and nothing else; no message holds them.
 */
import { accessSync, closeSync, constants, openSync, readFileSync, readSync, statSync } from 'node:fs'
import type { AgentFlow } from '../agent/config.ts'
import { realFiles } from '../follow/real-files.ts'
import { grouped } from '../output/progress.ts'
import type { Check } from './check.ts'

const COMPRESSED = /\.(?:gz|bz2|zip|xz|zst)$/
const SAMPLE_BYTES = 65_536
const SAMPLE_LINES = 100
/** The follower keeps at most so many files open, and the rest of the process needs some. */
const MOST_OPEN = 1000
const OTHERS_OPEN = 100
const MAX_NAMED = 3

/** Returns the checks of one flow, and how many files it matches. */
export async function flowChecks(
  { settings }: AgentFlow,
  wallMs: number
): Promise<{ readonly checks: readonly Check[]; readonly count: number }> {
  const id = `flow ${settings.id}`
  const found = await realFiles.list(settings.files, settings.exclude)
  const files = found.flatMap(path => {
    const stat = statSync(path, { throwIfNoEntry: false })
    return stat?.isFile() === true ? [{ path, size: stat.size, mtimeMs: stat.mtimeMs }] : []
  })
  if (files.length === 0) {
    const fix = 'check the pattern, and that this user may search the folders; files that come later are found'
    return { checks: [{ id, status: 'warn', message: `no file matches ${settings.files.join(', ')}`, fix }], count: 0 }
  }
  const newest = files.reduce((best, file) => (file.mtimeMs > best.mtimeMs ? file : best))
  const ageS = Math.max(0, Math.round((wallMs - newest.mtimeMs) / 1000))
  const checks: Check[] = [
    { id, status: 'pass', message: `${grouped(files.length)} files; the newest was changed ${grouped(ageS)} s ago` }
  ]
  const unreadable = files.filter(({ path }) => !isReadable(path)).map(({ path }) => path)
  if (unreadable.length > 0) {
    const message = `${grouped(unreadable.length)} files cannot be read: ${namesOf(unreadable)}`
    checks.push({
      id,
      status: 'fail',
      message,
      fix: 'give this user the right to read them, for instance by their group'
    })
  }
  const compressed = files.filter(({ path }) => COMPRESSED.test(path)).map(({ path }) => path)
  if (compressed.length > 0 && settings.compressed === 'skip') {
    const message = `${grouped(compressed.length)} files are compressed and are not read: ${namesOf(compressed)}`
    checks.push({ id, status: 'warn', message, fix: 'exclude them, or set "compressed": "read"' })
  }
  const sample = unreadable.includes(newest.path) || COMPRESSED.test(newest.path) ? undefined : sampleOf(newest.path)
  if (sample !== undefined) checks.push(...contentChecks(id, newest.path, sample, settings.framing.multiline?.start))
  return { checks, count: files.length }
}

/** Warns when the system lets a process open fewer files than the follower would like. */
export function descriptorCheck(fileCount: number): Check | undefined {
  const most = openLimit()
  if (most === undefined) return undefined
  const needed = Math.min(fileCount, MOST_OPEN) + OTHERS_OPEN
  const message = `${grouped(most)} files may be open, ${grouped(needed)} are needed at most`
  if (most >= needed) return { id: 'descriptors', status: 'pass', message }
  return { id: 'descriptors', status: 'warn', message, fix: 'raise ulimit -n, or LimitNOFILE of the service' }
}

function contentChecks(id: string, path: string, sample: Buffer, start: RegExp | undefined): readonly Check[] {
  const checks: Check[] = []
  if (sample.includes(0)) {
    checks.push({ id, status: 'warn', message: `${path} looks binary`, fix: 'follow text files; records are lines' })
  }
  if (start === undefined) return checks
  const lines = sample.toString().split('\n').slice(0, SAMPLE_LINES)
  const hits = lines.filter(line => start.test(line)).length
  const message = `multiline.start matches ${hits} of the first ${lines.length} lines of ${path}`
  if (hits > 0) checks.push({ id, status: 'pass', message })
  else checks.push({ id, status: 'warn', message, fix: 'then many lines become one record; correct the expression' })
  return checks
}

function sampleOf(path: string): Buffer {
  const bytes = Buffer.alloc(SAMPLE_BYTES)
  const descriptor = openSync(path, 'r')
  try {
    return bytes.subarray(0, readSync(descriptor, bytes, 0, bytes.length, 0))
  } finally {
    closeSync(descriptor)
  }
}

function isReadable(path: string): boolean {
  try {
    accessSync(path, constants.R_OK)
    return true
  } catch (error) {
    if (error instanceof Error && 'code' in error) return false
    throw error
  }
}

/** Linux tells; elsewhere nothing is known. */
function openLimit(): number | undefined {
  try {
    const [, soft] = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8')) ?? []
    return soft === undefined ? undefined : Number(soft)
  } catch (error) {
    if (error instanceof Error && 'code' in error) return undefined
    throw error
  }
}

function namesOf(paths: readonly string[]): string {
  return `${paths.slice(0, MAX_NAMED).join(', ')}${paths.length > MAX_NAMED ? ', ...' : ''}`
}
