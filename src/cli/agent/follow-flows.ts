/**
 * Follows the flows of a config until a signal comes, a record fails, or with `once` until all is read.
 * Data flow: a config enters; an exit code and counts leave. It never touches a file's bytes: the follower does.
 * Invariant: nothing is read before the lock is held and the first offsets are saved; the lock is given back when the last offsets are saved.
 */
import type { Outcome } from '../command.ts'
import { CliError } from '../errors.ts'
import { type ExitCode, worstOf } from '../exit-codes.ts'
import { Follower, type FollowResult } from '../follow/follower.ts'
import { realFiles } from '../follow/real-files.ts'
import { StateStore } from '../follow/state-store.ts'
import type { Json } from '../output/json.ts'
import { grouped } from '../output/progress.ts'
import type { Session } from '../session.ts'
import type { AgentConfig } from './config.ts'
import { FlowSet } from './flow-set.ts'
import { StateLock } from './lock.ts'
import { nodeLockDirectory, nodeProcesses } from './node-lock.ts'
import { nodeStateDirectory } from './node-state-directory.ts'
import { damagedState } from './saved-state.ts'
import { setAside } from './set-aside.ts'
import { makeStatePlace, placeWarning } from './state-place.ts'

export interface FollowOrder {
  readonly config: AgentConfig
  /** The state directory. */
  readonly folder: string
  readonly once: boolean
  readonly reset: 'start' | 'end' | undefined
  /** Reads the config again at SIGHUP; undefined: there is no file to read. */
  readonly reread: (() => AgentConfig) | undefined
}

export async function followFlows(session: Session, order: FollowOrder): Promise<Outcome> {
  const { host } = session
  const { folder } = order
  const set = new FlowSet(session)
  try {
    const config = order.reset === undefined ? order.config : startingAt(order.config, order.reset)
    await set.replace(config)
    makeStatePlace(folder)
    const warning = placeWarning(folder)
    if (warning !== undefined) session.errors.warn('CLI_WARN_STATE', warning)
    const ports = { directory: nodeLockDirectory(folder), processes: nodeProcesses(host), clock: host.clock }
    const lock = await StateLock.take(ports, folder)
    try {
      if (order.reset !== undefined) await setAside(folder)
      const store = await openStore(folder)
      await noteFirstRuns(session, config, store, folder)
      return await run(session, { ...order, config }, set, store, lock)
    } finally {
      await lock.release()
    }
  } finally {
    await set.close()
  }
}

async function run(
  session: Session,
  order: FollowOrder,
  set: FlowSet,
  store: StateStore,
  lock: StateLock
): Promise<Outcome> {
  const { host } = session
  const follower = new Follower(
    set.flows,
    {
      files: realFiles,
      store,
      clock: host.clock,
      wallMs: () => host.wallMs(),
      random: host.random,
      warn: (code, message) => session.errors.warn(code, message)
    },
    { once: order.once, drainMs: session.flags.drain }
  )
  session.countUnsettled(() => set.counts.openCount)
  session.progress.start(() => {
    const { records, bytes, openCount } = set.counts
    return { records, bytes, figures: figuresOf(follower, set.totals.throttled, openCount) }
  })
  // One after the other: what the first one leaves unused may be in use until the second one is through.
  let replacing = Promise.resolve()
  const removers = [
    host.onSignal('SIGHUP', () => {
      replacing = replacing.then(() => replaceFlows(session, order, set, store, follower))
    }),
    host.onSignal('SIGUSR2', () => dump(session, follower))
  ]
  try {
    const result = await follower.run(AbortSignal.any([session.stop, lock.lost]))
    return outcomeOf(session, order, set, lock, result)
  } finally {
    for (const remove of removers) remove()
  }
}

/** An invalid config is reported, and the flows do not change. */
async function replaceFlows(
  session: Session,
  order: FollowOrder,
  set: FlowSet,
  store: StateStore,
  follower: Follower
): Promise<void> {
  if (order.reread === undefined) return
  try {
    const config = order.reread()
    const flows = await set.replace(config)
    await noteFirstRuns(session, config, store, order.folder)
    await follower.replaceFlows(flows)
    await session.note(`the config was read again: ${flows.length} flows`)
  } catch (error) {
    if (!(error instanceof Error)) throw error
    const code = error instanceof CliError ? error.code : error.name
    session.errors.tell(
      code,
      `the config was read again and will not do, so the flows stay as they are: ${error.message}`
    )
  } finally {
    await set.closeUnused()
  }
}

/** One line for each file, behind the figures that the session writes. */
function dump(session: Session, follower: Follower): void {
  const { files } = follower.status()
  void session.host.stderr.write(files.map(file => `${JSON.stringify({ type: 'file', ...file })}\n`).join(''))
}

function figuresOf(follower: Follower, throttled: number, waiting: number): Readonly<Record<string, Json>> {
  const { files, bytesBehind, unreadable } = follower.status()
  let furthest: { readonly path: string; readonly bytesBehind: number } | undefined
  for (const file of files) if (file.bytesBehind > (furthest?.bytesBehind ?? 0)) furthest = file
  const counts = { throttled, unreadable, waiting }
  return {
    files: files.length,
    'bytes behind': bytesBehind,
    ...Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0)),
    ...(furthest === undefined ? undefined : { 'is furthest behind': furthest.path })
  }
}

function outcomeOf(session: Session, order: FollowOrder, set: FlowSet, lock: StateLock, result: FollowResult): Outcome {
  const { counts, totals } = set
  const { failure, unacknowledgedRecords: unacknowledged, unsentBytes, truncatedLost, unreadable } = result
  const exits: ExitCode[] = [0]
  if (lock.lost.aborted) {
    session.errors.tell('CLI_ERR_STATE', `another process took the lock of ${order.folder}`)
    exits.push(4)
  }
  if (result.reason === 'state' || !result.isSaved) {
    session.errors.tell('CLI_ERR_STATE', `the state in ${order.folder} cannot be saved`, 'give the disk room')
    exits.push(4)
  }
  if (failure !== undefined) exits.push(exitOf(session, set, failure))
  const isCut = result.reason === 'stopped' && unacknowledged > 0
  if (isCut && session.stopExit !== undefined) {
    session.errors.tell(
      'KPL_ERR_CLOSE_TIMEOUT',
      `${grouped(unacknowledged)} records were not acknowledged within --drain; the next start sends them again`
    )
    exits.push(session.stopExit)
  }
  if (order.once) {
    for (const path of unreadable) session.errors.tell('CLI_ERR_INPUT', `${path} cannot be read`)
    if (unreadable.length > 0) exits.push(4)
    // They were reported when they were found.
    if (unsentBytes > 0 || truncatedLost > 0) exits.push(1)
  }
  const { openCount: _, ...sent } = counts
  const summary = { ...sent, ...totals, unacknowledged, unreadable: unreadable.length, unsentBytes, truncatedLost }
  const text =
    `${grouped(counts.records)} records: ${grouped(counts.delivered)} acknowledged, ` +
    `${grouped(counts.failed)} failed, ${grouped(counts.skipped + counts.deadLettered)} skipped or in the dead letter file`
  return { exit: worstOf(exits), summary, text }
}

const FIX_OF_RECORD = 'give the flow a deadLetter, or onFailure skip; the next start goes on at this place'
const FIX_OF_SERVICE = 'run kinesis-producer doctor STREAM; the next start goes on at this place'

function exitOf(session: Session, set: FlowSet, failure: NonNullable<FollowResult['failure']>): ExitCode {
  const { code, message, path, offset, isPoison } = failure
  if (set.fault !== undefined) throw set.fault
  const { refusal } = set
  const isOfRecord = isPoison || refusal === undefined
  session.errors.tell(code, `${message} (${path}, offset ${offset})`, isOfRecord ? FIX_OF_RECORD : FIX_OF_SERVICE)
  // The record was found first, and the service is what ends the command with 3.
  if (isOfRecord && refusal !== undefined) session.errors.tell(refusal.code, refusal.message, FIX_OF_SERVICE)
  if (code === 'CLI_ERR_INPUT') return 4
  return refusal === undefined ? 1 : 3
}

async function openStore(folder: string): Promise<StateStore> {
  try {
    return await StateStore.open(nodeStateDirectory(folder))
  } catch (error) {
    throw error instanceof CliError ? damagedState(folder, error) : error
  }
}

/** The state being new is normal once, and a loss when it was deleted: so it is said. */
async function noteFirstRuns(
  session: Session,
  { flows }: AgentConfig,
  store: StateStore,
  folder: string
): Promise<void> {
  for (const { settings } of flows) {
    if (store.flows.has(settings.id)) continue
    const place = settings.from === 'end' ? 'at the end of the files that are there now' : 'at the start of all files'
    await session.note(`flow ${settings.id} starts for the first time in ${folder}: ${place}`)
  }
}

function startingAt(config: AgentConfig, from: 'start' | 'end'): AgentConfig {
  return { ...config, flows: config.flows.map(flow => ({ ...flow, settings: { ...flow.settings, from } })) }
}
