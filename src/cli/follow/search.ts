/**
 * Where rotated files and copies may lie that no glob of the flow names: beside the file, and in `copyDirs`.
 * Invariant: files that are followed already are not given.
 */
import { dirname } from 'node:path'
import type { FollowContext } from './context.ts'
import type { FlowState } from './flow-state.ts'
import type { Generation } from './identity.ts'
import type { FileStat } from './ports.ts'
import { isCompressed, statAll } from './scan.ts'
import { keyOf } from './tail.ts'

/** A folder with more files than this is no folder of logs; the rest of it is not searched. */
const MAX_SEARCHED = 20_000

export async function searchPaths(
  context: FollowContext,
  flow: FlowState,
  wanted: readonly Generation[]
): Promise<readonly { readonly path: string; readonly stat: FileStat }[]> {
  const folders = new Set([...wanted.map(({ path }) => dirname(path)), ...flow.settings.copyDirs])
  const paths = new Set<string>()
  for (const folder of folders) {
    try {
      for (const path of await context.files.listFolder(folder))
        if (paths.size < MAX_SEARCHED && !isCompressed(flow, path)) paths.add(path)
    } catch {
      // The folder cannot be listed now: the next search tries it again.
    }
  }
  const found: { path: string; stat: FileStat }[] = []
  const keys = new Set<string>()
  await statAll(context, [...paths], (path, stat) => {
    if (stat === undefined || stat.kind !== 'file') return
    const key = keyOf(path, stat)
    const isKnown = flow.byKey.has(key) || keys.has(key)
    if (isKnown) return
    keys.add(key)
    found.push({ path, stat })
  })
  return found
}
