/**
 * Decides what each file is that was found: one that was followed before, the copy of another, or a new one.
 * Invariant: a doubt makes it new, so that it is read from 0. A file is passed over only as a full copy, and only if `copies` says so.
 */
import { type FollowContext, newId } from './context.ts'
import { originalOf } from './copies.ts'
import type { FlowState, Missing } from './flow-state.ts'
import {
  ANCHOR_BYTES,
  adoptedOf,
  type FoundFile,
  type Generation,
  hasNameOf,
  PREFIX_BYTES,
  verdictOf
} from './identity.ts'
import { PrefixIndex } from './prefix-index.ts'
import { partOf } from './reading.ts'
import { type Sample, sampleOf } from './sample.ts'
import { searchPaths } from './search.ts'
import { keyOf, Tail } from './tail.ts'
import { note } from './unreadable.ts'

/** Unknown files, each with the parts of it by which it is recognised. */
type Candidates = Map<Tail, Sample>

export async function resolve(context: FollowContext, flow: FlowState): Promise<void> {
  const nowMs = context.clock.nowMs()
  const lost = [...flow.tails].filter(tail => tail.phase === 'lost')
  const unresolved = unresolvedOf(flow, lost.length > 0)
  const isSearching = () => lost.length > 0 || (flow.missing.size > 0 && nowMs <= flow.searchUntilMs)
  if (unresolved.length === 0 && !isSearching()) return
  const generations = [...flow.missing.values()].map(({ generation }) => generation)
  const searched = [...lost.map(tail => tail.savedAsRead()), ...generations]
  const wanted = new PrefixIndex(searched)
  const candidates: Candidates = new Map()
  for (const tail of unresolved) await sample(context, flow, tail, wanted, candidates)
  takeOwn(context, flow, candidates)
  if (isSearching()) await addUnlisted(context, flow, searched, wanted, candidates)
  const alike = new Map<string, FoundFile[]>()
  for (const one of candidates.values()) {
    for (const { id } of one.alike) alike.set(id, [...(alike.get(id) ?? []), one.found])
  }
  for (const tail of lost) goOn(context, flow, tail, alike.get(tail.id) ?? [], candidates)
  for (const { generation, wasRewritten } of [...flow.missing.values()]) {
    const isThere = flow.present.has(keyOf(generation.path, generation)) && !wasRewritten
    const mayBe = (file: FoundFile) => hasFile(candidates, file) && isOtherOrSame(generation, file)
    const files = isThere ? [] : (alike.get(generation.id) ?? []).filter(mayBe)
    const found = adoptedOf(generation, files, wasRewritten)
    const tail = tailOf(candidates, found)
    if (tail !== undefined && found !== undefined) attach(context, flow, tail, generation, found, candidates)
  }
  for (const [tail, { found }] of candidates) {
    if (flow.tails.has(tail) && tail.phase === 'discovered') await judgeNew(context, flow, tail, found)
    else if (!flow.tails.has(tail)) await context.descriptors.close(tail)
  }
}

/** The tail reads the file from 0, or from where the first run of the flow begins. */
export function startNew(context: FollowContext, flow: FlowState, tail: Tail): void {
  const none = new Uint8Array(0)
  tail.original = undefined
  tail.start({ id: newId(context.random), offset: 0, prefix: none, before: none }, context.clock.nowMs())
  flow.active.add(tail)
  context.touch(tail)
}

/** The tail begins at an offset of a file that is open. */
export async function startAt(context: FollowContext, tail: Tail, offset: number): Promise<void> {
  const { file } = tail
  if (file === undefined) return
  const prefix = await partOf(file, tail.settings.fingerprintIgnoreBytes, PREFIX_BYTES)
  const length = Math.min(ANCHOR_BYTES, offset)
  const before = await partOf(file, offset - length, length)
  tail.original = undefined
  tail.start({ id: newId(context.random), offset, prefix, before }, context.clock.nowMs())
  context.touch(tail)
}

/** Those first whose inode is known. */
function unresolvedOf(flow: FlowState, withSuspects: boolean): readonly Tail[] {
  const keys = new Set([...flow.missing.values()].map(({ generation }) => keyOf(generation.path, generation)))
  const tails = [...flow.tails].filter(
    ({ phase, size }) => size > 0 && (phase === 'discovered' || (withSuspects && phase === 'suspect'))
  )
  return [...tails.filter(tail => keys.has(tail.key)), ...tails.filter(tail => !keys.has(tail.key))]
}

async function sample(
  context: FollowContext,
  flow: FlowState,
  tail: Tail,
  wanted: PrefixIndex,
  candidates: Candidates
): Promise<void> {
  const nowMs = context.clock.nowMs()
  if (tail.retryAtMs !== undefined && nowMs < tail.retryAtMs) return
  try {
    const { file } = await context.descriptors.opened(tail)
    const stat = await file.stat()
    const isOther = stat.kind !== 'file' || keyOf(tail.path, stat) !== tail.key
    if (isOther) return await context.descriptors.close(tail)
    tail.size = stat.size
    tail.linkCount = stat.linkCount
    if (stat.size === 0) return
    const prefixAt = flow.settings.fingerprintIgnoreBytes
    candidates.set(tail, await sampleOf(file, { path: tail.path, stat, prefixAt, wanted }))
    tail.retryAtMs = undefined
    tail.retryMs = 0
  } catch (error) {
    await note(context, flow, tail, error)
  }
}

/** A generation whose inode is still there: the same, or rewritten. Of several the one that is furthest goes on. */
function takeOwn(context: FollowContext, flow: FlowState, candidates: Candidates): void {
  const byKey = missingByKey(flow)
  for (const [key, some] of byKey) {
    const size = flow.byKey.get(key)?.size
    // An empty file is not looked into, and says enough.
    for (const one of some) if (size !== undefined && size < one.generation.acked) one.wasRewritten = true
  }
  for (const [tail, { found }] of [...candidates]) {
    const own = byKey.get(tail.key) ?? []
    const same = own
      .filter(({ generation }) => isSame(generation, found))
      .sort((a, b) => b.generation.acked - a.generation.acked)[0]
    for (const one of own) if (one !== same) one.wasRewritten = true
    if (same !== undefined) attach(context, flow, tail, same.generation, found, candidates)
  }
}

function missingByKey(flow: FlowState): ReadonlyMap<string, readonly Missing[]> {
  const byKey = new Map<string, Missing[]>()
  for (const missing of flow.missing.values()) {
    const { generation } = missing
    if (generation.inode === '0') continue
    const key = keyOf(generation.path, generation)
    byKey.set(key, [...(byKey.get(key) ?? []), missing])
  }
  return byKey
}

/** A few equal bytes prove nothing after a file was gone, or under another name: it may be a new one with the inode of the old. */
function isSame(generation: Generation, found: FoundFile): boolean {
  const isShort = generation.acked < PREFIX_BYTES
  const isDoubtful = isShort && (generation.goneAtMs !== undefined || !hasNameOf(generation.path, found.path))
  return !isDoubtful && verdictOf(generation, found) === 'same'
}

function isOtherOrSame(generation: Generation, found: FoundFile): boolean {
  return keyOf(generation.path, generation) !== keyOf(found.path, found) || isSame(generation, found)
}

/** The generation goes on in this file, at what was acknowledged. */
function attach(
  context: FollowContext,
  flow: FlowState,
  tail: Tail,
  generation: Generation,
  found: FoundFile,
  candidates: Candidates
): void {
  const { id, acked, anchor, isEnded = false } = generation
  candidates.delete(tail)
  flow.missing.delete(id)
  const wasMoved = tail.path !== generation.path
  if (!flow.tails.has(tail)) flow.add(tail)
  const prefix = found.read(flow.settings.fingerprintIgnoreBytes, PREFIX_BYTES)
  const before = found.read(acked - anchor.length, anchor.length)
  const nowMs = context.clock.nowMs()
  tail.original = undefined
  tail.start({ id, offset: acked, prefix, before, isEnded }, nowMs)
  if (wasMoved) {
    tail.place = 'rotated'
    tail.placeAtMs = nowMs
    flow.hot.add(tail)
  }
  flow.active.add(tail)
  context.touch(tail)
}

/** A lost tail goes on in the copy of its file. The copy has the bytes that were read, too. */
function goOn(
  context: FollowContext,
  flow: FlowState,
  tail: Tail,
  files: readonly FoundFile[],
  candidates: Candidates
): void {
  const still = files.filter(file => hasFile(candidates, file))
  const found = adoptedOf(tail.savedAsRead(), still, tail.wasRewritten)
  const copy = tailOf(candidates, found)
  if (copy === undefined) return
  candidates.delete(copy)
  const nowMs = context.clock.nowMs()
  copy.replacedBy = tail
  flow.remove(copy)
  const file = context.descriptors.take(copy)
  void context.descriptors.close(tail)
  if (file !== undefined) context.descriptors.give(tail, file)
  tail.wasRewritten = false
  flow.rekey(tail, copy.path, copy)
  tail.size = Math.max(copy.size, tail.readOffset)
  tail.mtimeMs = 0
  tail.place = 'rotated'
  tail.placeAtMs = nowMs
  tail.lastGrowthMs = nowMs
  tail.enter('following', nowMs)
  flow.hot.add(tail)
  flow.active.add(tail)
  context.touch(tail)
}

/** Files beside the lost ones that no glob names. They become tails only when a generation goes on in them. */
async function addUnlisted(
  context: FollowContext,
  flow: FlowState,
  searched: readonly Generation[],
  wanted: PrefixIndex,
  candidates: Candidates
): Promise<void> {
  const byKey = missingByKey(flow)
  const leastBytes = searched.reduce((least, { acked }) => Math.min(least, acked), Number.POSITIVE_INFINITY)
  for (const { path, stat } of await searchPaths(context, flow, searched)) {
    const own = byKey.get(keyOf(path, stat)) ?? []
    for (const one of own) if (stat.size < one.generation.acked) one.wasRewritten = true
    if (stat.size < leastBytes || stat.size === 0) continue
    const tail = new Tail(flow.settings, path, stat, context.clock.nowMs(), context.listener)
    await sample(context, flow, tail, wanted, candidates)
    const found = candidates.get(tail)?.found
    for (const one of own) if (found !== undefined && !isSame(one.generation, found)) one.wasRewritten = true
    const isProven = candidates.get(tail)?.alike.some(generation => isOursByContent(generation, path)) === true
    if (isProven) continue
    candidates.delete(tail)
    await context.descriptors.close(tail)
  }
}

/** A file that no glob names must never be sent because its inode was once another file's. */
function isOursByContent({ prefix, path }: Generation, found: string): boolean {
  return prefix.length >= PREFIX_BYTES || (prefix.length > 0 && hasNameOf(path, found))
}

async function judgeNew(context: FollowContext, flow: FlowState, tail: Tail, found: FoundFile): Promise<void> {
  if (tail.beginsAtEnd) return startAt(context, tail, found.size)
  const original = flow.isFirstRun ? undefined : originalOf(flow, tail, found)
  if (original === undefined) return startNew(context, flow, tail)
  tail.original = original
  tail.enter('suspect', context.clock.nowMs())
}

function tailOf(candidates: Candidates, file: FoundFile | undefined): Tail | undefined {
  if (file === undefined) return undefined
  for (const [tail, { found }] of candidates) if (found === file) return tail
  return undefined
}

function hasFile(candidates: Candidates, file: FoundFile): boolean {
  return tailOf(candidates, file) !== undefined
}
