/**
 * The checks of `doctor` for the state directory: whether it can be written and synced, what it lies on, and who holds it.
 * Invariant: leaves nothing behind; a folder that is not there is not made.
 */
import { closeSync, existsSync, fsyncSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { holderNow } from '../agent/lock.ts'
import { nodeLockDirectory, nodeProcesses } from '../agent/node-lock.ts'
import { readState } from '../agent/saved-state.ts'
import { placeWarning } from '../agent/state-place.ts'
import type { Session } from '../session.ts'
import { type Check, nameOf } from './check.ts'

const ID = 'state'
const PROBE = 'doctor-probe'
const LEAST_FREE_BYTES = 100 * 1024 * 1024
const SLOW_SYNC_MS = 1000

export async function stateChecks({ host }: Session, folder: string): Promise<readonly Check[]> {
  const isThere = existsSync(folder)
  const checks: Check[] = []
  const place = isThere ? folder : nearestFolder(folder)
  const fromMs = host.clock.nowMs()
  const fault = probe(place)
  const syncMs = Math.round(host.clock.nowMs() - fromMs)
  if (fault !== undefined) {
    const message = `${place} cannot be written: ${fault}`
    checks.push({
      id: ID,
      status: 'fail',
      message,
      fix: 'give this user the right to write it, or name another one with --state'
    })
    return checks
  }
  const what = isThere ? folder : `${folder} is not there yet, and can be made`
  const isSlow = syncMs > SLOW_SYNC_MS
  checks.push({
    id: ID,
    status: isSlow ? 'warn' : 'pass',
    message: `${what}; a sync took ${syncMs} ms`,
    fix: isSlow ? 'choose a faster disk: the state is synced each second' : undefined
  })
  const warning = placeWarning(isThere ? folder : place)
  if (warning !== undefined)
    checks.push({ id: ID, status: 'warn', message: warning, fix: 'name a folder on a local disk' })
  const { bavail, bsize } = statfsSync(place)
  const freeBytes = bavail * bsize
  const free = `${Math.round(freeBytes / 1_048_576)} MiB are free`
  if (freeBytes < LEAST_FREE_BYTES) checks.push({ id: ID, status: 'warn', message: free, fix: 'give the disk room' })
  else checks.push({ id: ID, status: 'pass', message: free })
  if (!isThere) return checks
  checks.push(await contentCheck(folder))
  const holder = await holderNow({ directory: nodeLockDirectory(folder), processes: nodeProcesses(host) })
  const message =
    holder === undefined ? 'nobody holds the lock' : `process ${holder.pid} of ${holder.host} holds the lock`
  checks.push({ id: 'lock', status: 'pass', message })
  return checks
}

async function contentCheck(folder: string): Promise<Check> {
  try {
    const { files, flows } = await readState(folder)
    return { id: ID, status: 'pass', message: `${flows.size} flows and ${files.size} files are known` }
  } catch (error) {
    const message = error instanceof Error ? error.message : 'unknown'
    return { id: ID, status: 'fail', message, fix: 'start once with --reset start or --reset end' }
  }
}

/** Returns why a file cannot be written and synced; undefined when it can. */
function probe(folder: string): string | undefined {
  const path = join(folder, PROBE)
  try {
    const file = openSync(path, 'w')
    try {
      writeSync(file, 'x')
      fsyncSync(file)
    } finally {
      closeSync(file)
      rmSync(path, { force: true })
    }
    return undefined
  } catch (error) {
    return error instanceof Error && 'code' in error ? String(error.code) : nameOf(error)
  }
}

function nearestFolder(folder: string): string {
  let at = folder
  while (!existsSync(at) && dirname(at) !== at) at = dirname(at)
  return at
}
