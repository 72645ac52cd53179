/**
 * One look at all files of a flow: which are new, which have grown, which were renamed, deleted or replaced.
 * Invariant: a path that cannot be looked at now says nothing; only a path that leads elsewhere, or to nothing, moves a file.
 */
import { codeOf, type FollowContext, warnOnce } from './context.ts'
import type { FlowState } from './flow-state.ts'
import { hasNameOf, PREFIX_BYTES } from './identity.ts'
import type { FileStat } from './ports.ts'
import { keyOf, type Tail } from './tail.ts'

/** Node.js has 4 threads for files and names: more at once would starve the rest. */
const STATS_AT_ONCE = 4
/** Stands for the bytes of a name that are no UTF-8. */
const NO_UTF8 = '\uFFFD'
const COMPRESSED = /\.(?:gz|bz2|zip|xz|zst)$/

interface Look {
  /** By key, each with all its paths. */
  readonly found: ReadonlyMap<string, { readonly stat: FileStat; readonly paths: readonly string[] }>
  /** Paths in an unknown state. */
  readonly unknown: ReadonlySet<string>
}

/** Returns false when the files could not be listed: nothing has changed then. */
export async function scan(context: FollowContext, flow: FlowState): Promise<boolean> {
  let paths: readonly string[]
  try {
    paths = await context.files.list(flow.settings.files, flow.settings.exclude)
  } catch (error) {
    context.warn('CLI_WARN_SCAN', `flow ${flow.settings.id}: the files cannot be listed: ${codeOf(error)}`)
    return false
  }
  flow.scanCount++
  const look = await lookAt(
    context,
    flow,
    [...new Set(paths)].filter(path => !isPassedOver(context, flow, path))
  )
  flow.present = new Set(look.found.keys())
  for (const tail of [...flow.tails]) {
    // The bytes of a lost one are not those of the file at its place.
    if (flow.byKey.get(tail.key) !== tail) continue
    const entry = look.found.get(tail.key)
    if (entry !== undefined) seen(context, flow, tail, entry)
    else if (!look.unknown.has(tail.path)) await miss(context, flow, tail)
  }
  discover(context, flow, look)
  return true
}

export async function statAll(
  context: FollowContext,
  paths: readonly string[],
  take: (path: string, stat: FileStat | undefined, error: unknown) => void
): Promise<void> {
  for (let at = 0; at < paths.length; at += STATS_AT_ONCE) {
    const some = paths.slice(at, at + STATS_AT_ONCE)
    const stats = await Promise.allSettled(some.map(path => context.files.stat(path)))
    stats.forEach((stat, i) => {
      if (stat.status === 'fulfilled') take(some[i]!, stat.value, undefined)
      else take(some[i]!, undefined, stat.reason)
    })
  }
}

async function lookAt(context: FollowContext, flow: FlowState, paths: readonly string[]): Promise<Look> {
  const found = new Map<string, { stat: FileStat; paths: string[] }>()
  const unknown = new Set<string>()
  await statAll(context, paths, (path, stat, error) => {
    if (error !== undefined) unknown.add(path)
    else if (stat === undefined && path.includes(NO_UTF8))
      warnOnce(context, flow, 'CLI_WARN_NOT_A_FILE', path, 'has a name that is not UTF-8, so it cannot be opened')
    else if (stat !== undefined && isFollowed(context, flow, path, stat)) {
      const entry = found.get(keyOf(path, stat))
      if (entry === undefined) found.set(keyOf(path, stat), { stat, paths: [path] })
      else entry.paths.push(path)
    }
  })
  return { found, unknown }
}

/** By its name: to look into it would mean to decode it. */
function isPassedOver(context: FollowContext, flow: FlowState, path: string): boolean {
  if (!isCompressed(flow, path)) return false
  // One for all of them: a folder of rotated files has hundreds.
  const isTold = flow.warned.has('CLI_WARN_COMPRESSED')
  flow.warned.add('CLI_WARN_COMPRESSED')
  if (!isTold)
    warnOnce(context, flow, 'CLI_WARN_COMPRESSED', path, 'is compressed, so it is not read, nor are others like it')
  return true
}

/** Whether the name says that the bytes of the file are no lines. */
export function isCompressed(flow: FlowState, path: string): boolean {
  return COMPRESSED.test(path) && !(flow.settings.compressed === 'read' && path.endsWith('.gz'))
}

function isFollowed(context: FollowContext, flow: FlowState, path: string, stat: FileStat): boolean {
  if (stat.kind !== 'file') {
    warnOnce(context, flow, 'CLI_WARN_NOT_A_FILE', path, 'is not a regular file, so it is not read')
    return false
  }
  return true
}

function seen(
  context: FollowContext,
  flow: FlowState,
  tail: Tail,
  { stat, paths }: { readonly stat: FileStat; readonly paths: readonly string[] }
): void {
  const path = paths.includes(tail.path) ? tail.path : paths[0]!
  tail.isBeingWritten = stat.isBeingWritten === true
  // Nothing was held open meanwhile, so the inode may be a new file's.
  const isShort = tail.file === undefined && tail.readOffset < PREFIX_BYTES
  if (isShort && path !== tail.path && !hasNameOf(tail.path, path)) {
    lose(context, flow, tail, false)
    return
  }
  if (path !== tail.path) move(context, flow, tail, path)
  const isSilent = stat.size === tail.readOffset && stat.mtimeMs === tail.mtimeMs
  if (isSilent) return
  if (stat.size > tail.size) tail.size = stat.size
  if (tail.phase === 'drained') {
    tail.wasDrained = true
    tail.enter('following', context.clock.nowMs())
  }
  flow.active.add(tail)
}

/** The file has another name now. */
function move(context: FollowContext, flow: FlowState, tail: Tail, path: string): void {
  flow.rekey(tail, path, tail)
  leave(context, flow, tail, 'rotated')
  if (tail.id !== '') context.touch(tail)
}

function leave(context: FollowContext, flow: FlowState, tail: Tail, place: 'rotated' | 'deleted'): void {
  if (tail.place === place) return
  if (tail.place === 'here') tail.placeAtMs = context.clock.nowMs()
  tail.place = place
  if (tail.phase === 'drained') return
  flow.hot.add(tail)
  flow.active.add(tail)
}

/** The scan did not find the file. */
async function miss(context: FollowContext, flow: FlowState, tail: Tail): Promise<void> {
  // It is forgotten once it is acknowledged: the next file may have its inode.
  const isOver = tail.phase === 'drained' && tail.place === 'deleted'
  if (isOver || (await isStillThere(context, tail))) return
  if (tail.file !== undefined) {
    leave(context, flow, tail, (await isUnlinked(tail)) ? 'deleted' : 'rotated')
    return
  }
  const isUnread = tail.phase === 'discovered' || tail.phase === 'suspect'
  if (isUnread) {
    if (tail.size > 0)
      warnOnce(
        context,
        flow,
        'CLI_WARN_UNSENT_BYTES',
        tail.path,
        `is gone with ${tail.size} bytes that were never read`
      )
    flow.remove(tail)
  } else if (tail.phase === 'drained') {
    if (tail.ledger.openCount === 0) context.keep(flow, tail)
  } else {
    lose(context, flow, tail, false)
  }
}

/** The bytes are no longer where they were, and are searched for. */
export function lose(context: FollowContext, flow: FlowState, tail: Tail, wasRewritten: boolean): void {
  const nowMs = context.clock.nowMs()
  flow.unkey(tail)
  flow.rest(tail)
  tail.wasRewritten = wasRewritten || tail.inode === '0'
  tail.enter('lost', nowMs)
  flow.active.add(tail)
  flow.searchUntilMs = Math.max(flow.searchUntilMs, nowMs + flow.settings.copyWaitMs)
}

async function isStillThere(context: FollowContext, tail: Tail): Promise<boolean> {
  try {
    const stat = await context.files.stat(tail.path)
    return stat !== undefined && stat.kind === 'file' && keyOf(tail.path, stat) === tail.key
  } catch {
    // Nothing can be said of the path now.
    return true
  }
}

async function isUnlinked(tail: Tail): Promise<boolean> {
  try {
    const stat = await tail.file?.stat()
    tail.linkCount = stat?.linkCount ?? 0
    return tail.linkCount === 0
  } catch {
    // The descriptor fails: the next read says how.
    return false
  }
}

/** Oldest first: what is written first is read first. */
function discover(context: FollowContext, flow: FlowState, { found }: Look): void {
  const { ignoreOlderMs } = flow.settings
  const oldestMs = ignoreOlderMs === undefined || flow.isFirstRun ? undefined : context.wallMs() - ignoreOlderMs
  const fresh = [...found]
    .filter(([key, { stat }]) => !flow.byKey.has(key) && (oldestMs === undefined || stat.mtimeMs >= oldestMs))
    .map(([, { stat, paths }]) => ({ stat, path: paths[0]! }))
    .sort((a, b) => a.stat.mtimeMs - b.stat.mtimeMs || (a.path < b.path ? 1 : -1))
  for (const { stat, path } of fresh) flow.discover(path, stat, context.clock.nowMs(), context.listener)
}
