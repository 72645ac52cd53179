/**
 * One turn of the loop: scans that are due, and one quantum of each file that has something to read, in turn.
 * Example: a file with 1 GiB and one with a line: the line waits for 256 KiB of the other at most.
 * Invariant: a file is read only while its sink takes records, and not before the file that it follows.
 */

import type { Checkpoint } from './checkpoint.ts'
import type { FollowContext } from './context.ts'
import { newId } from './context.ts'
import { startFirstRun } from './first-run.ts'
import type { FlowState } from './flow-state.ts'
import { readQuantum } from './reading.ts'
import { resolve } from './resolve.ts'
import { lose, scan } from './scan.ts'
import type { StateStore } from './state-store.ts'
import { Tail } from './tail.ts'
import { note } from './unreadable.ts'
import { upkeep } from './upkeep.ts'

/** A file that has not grown for this time is looked at by the scans only. */
const HOT_MS = 10_000
/**
 * A look at one file costs 20 to 40 us. So 10,000 files are looked at each 25 s, for less than 2 % of a core, and files that grow between that. The time that a
 * scan took says nothing: on a busy machine it is long, and new files would wait.
 */
const REST_PER_FILE_MS = 2.5

export class Turns {
  readonly #context: FollowContext
  readonly #store: StateStore
  readonly #checkpoint: Checkpoint
  readonly #wake: () => void

  constructor(context: FollowContext, store: StateStore, checkpoint: Checkpoint, wake: () => void) {
    this.#context = context
    this.#store = store
    this.#checkpoint = checkpoint
    this.#wake = wake
  }

  /** Returns whether anything was done: if not, there is nothing to do before `dueAtMs`. */
  async turn(flows: readonly FlowState[], isEnding: () => boolean): Promise<boolean> {
    const { clock } = this.#context
    let hasWorked = false
    for (const flow of flows) {
      if (clock.nowMs() >= flow.nextScanMs) {
        await this.#scan(flow)
        hasWorked = true
      }
      this.#poll(flow)
      for (let left = flow.active.size; left > 0; left--) {
        const isCut = isEnding() || clock.nowMs() >= flow.nextScanMs
        const [tail] = flow.active
        if (isCut || tail === undefined) break
        // To the end of the line: the others come first next time.
        flow.active.delete(tail)
        flow.active.add(tail)
        if (await this.#visit(flow, tail)) hasWorked = true
      }
    }
    return hasWorked
  }

  dueAtMs(flow: FlowState): number {
    let dueMs = flow.nextScanMs
    for (const tail of flow.hot) dueMs = Math.min(dueMs, tail.nextPollMs)
    for (const tail of flow.timed) {
      if (!tail.isHeld) dueMs = Math.min(dueMs, tail.dueAtMs ?? Number.POSITIVE_INFINITY)
    }
    return dueMs
  }

  /** With `once`: everything was read that can be read, and handed over. */
  isFinished(flow: FlowState): boolean {
    if (!flow.hasBegun || flow.scanCount === 0) return false
    for (const tail of flow.tails) {
      const isDone = tail.phase === 'drained' || (tail.phase === 'following' && tail.isFlushed && !tail.isHeld)
      const isEmpty = tail.phase === 'discovered' && tail.size === 0
      if (tail.isBeingWritten) return false
      if (!isDone && !isEmpty && tail.retryAtMs === undefined) return false
    }
    return true
  }

  async #scan(flow: FlowState): Promise<void> {
    const { clock } = this.#context
    if (!flow.hasBegun) await this.#begin(flow)
    else if (await scan(this.#context, flow)) await this.#afterScan(flow)
    flow.nextScanMs = clock.nowMs() + Math.max(flow.settings.rescanMs, flow.present.size * REST_PER_FILE_MS)
  }

  async #begin(flow: FlowState): Promise<void> {
    const { settings } = flow
    const nowMs = this.#context.clock.nowMs()
    flow.isFirstRun = !this.#store.flows.has(settings.id)
    const inherited = new Set([...flow.tails].map(({ id }) => id))
    for (const generation of this.#store.files.values()) {
      if (inherited.has(generation.id)) continue
      const missing = { generation, sinceMs: nowMs, wasRewritten: false }
      if (generation.flow === settings.id) flow.missing.set(generation.id, missing)
    }
    flow.searchUntilMs = nowMs + settings.copyWaitMs
    if (!(await scan(this.#context, flow))) return
    if (flow.isFirstRun) await startFirstRun(this.#context, flow, this.#checkpoint)
    flow.hasBegun = true
    await this.#afterScan(flow)
    flow.isFirstRun = false
  }

  async #afterScan(flow: FlowState): Promise<void> {
    await resolve(this.#context, flow)
    await upkeep(this.#context, flow)
  }

  #poll(flow: FlowState): void {
    const nowMs = this.#context.clock.nowMs()
    for (const tail of flow.hot) {
      if (nowMs < tail.nextPollMs) continue
      tail.nextPollMs = nowMs + flow.settings.pollMs
      flow.active.add(tail)
      if (tail.place === 'here' && nowMs - tail.lastGrowthMs > HOT_MS) flow.hot.delete(tail)
    }
    for (const tail of flow.timed) {
      if (tail.isHeld) continue
      if (tail.dueAtMs === undefined) flow.timed.delete(tail)
      else if (nowMs >= tail.dueAtMs) {
        tail.expire(nowMs)
        this.#pump(flow, tail)
      }
    }
  }

  /** Returns whether the tail had something to do. */
  async #visit(flow: FlowState, tail: Tail): Promise<boolean> {
    const nowMs = this.#context.clock.nowMs()
    const isResting = (tail.phase !== 'following' && tail.phase !== 'lost') || nowMs < (tail.retryAtMs ?? 0)
    if (isResting) {
      flow.active.delete(tail)
      return false
    }
    if (flow.isFull || tail.isOverLimit || isHeldBack(flow, tail, nowMs)) return false
    if (tail.isHeld && !this.#pump(flow, tail)) return true
    const isOver = tail.phase === 'lost' || (this.#context.once && tail.isFlushed)
    if (isOver) {
      flow.active.delete(tail)
      return false
    }
    try {
      await this.#read(flow, tail)
      tail.retryAtMs = undefined
      tail.retryMs = 0
    } catch (error) {
      flow.active.delete(tail)
      await note(this.#context, flow, tail, error)
    }
    return true
  }

  async #read(flow: FlowState, tail: Tail): Promise<void> {
    const { clock, descriptors } = this.#context
    const from = tail.readOffset
    const seen = await readQuantum(tail, descriptors, () => clock.nowMs())
    if (tail.readOffset > from) {
      flow.hot.add(tail)
      this.#pump(flow, tail)
    }
    if (seen === 'end') await this.#atEnd(flow, tail)
    else if (seen === 'rewritten') await this.#restart(flow, tail)
    // The next scan says where the file is.
    else if (seen === 'missing') flow.active.delete(tail)
  }

  async #atEnd(flow: FlowState, tail: Tail): Promise<void> {
    const { clock, once, descriptors } = this.#context
    const nowMs = clock.nowMs()
    if (!tail.isHeld) flow.active.delete(tail)
    tail.endSeenInScan = flow.scanCount
    if (tail.dueAtMs !== undefined) flow.timed.add(tail)
    // Without inodes an open descriptor hides that the path leads elsewhere.
    if (tail.inode === '0') await descriptors.close(tail)
    const quietMs = nowMs - Math.max(tail.lastGrowthMs, tail.placeAtMs)
    const isDrained = tail.place !== 'here' && (once || quietMs >= flow.settings.rotateWaitMs)
    if (!once && !isDrained) return
    tail.finish()
    if (!this.#pump(flow, tail)) {
      flow.active.add(tail)
      return
    }
    if (!isDrained) return
    tail.enter('drained', nowMs)
    flow.rest(tail)
    await descriptors.close(tail)
  }

  /** Other bytes are where the tail has read: they are a new file, at once. The bytes that the tail has not read are searched for. */
  async #restart(flow: FlowState, tail: Tail): Promise<void> {
    const { clock, descriptors, listener, random } = this.#context
    const nowMs = clock.nowMs()
    const stat = await tail.file?.stat()
    const file = descriptors.take(tail)
    lose(this.#context, flow, tail, true)
    if (stat === undefined || file === undefined) return
    const fresh = new Tail(flow.settings, tail.path, stat, nowMs, listener)
    fresh.place = tail.place
    fresh.placeAtMs = tail.placeAtMs
    const none = new Uint8Array(0)
    fresh.start({ id: newId(random), offset: 0, prefix: none, before: none }, nowMs)
    descriptors.give(fresh, file)
    flow.succeed(fresh)
    flow.active.add(fresh)
    flow.hot.add(fresh)
    this.#context.touch(fresh)
  }

  /** Returns false when the sink is full: it says when it takes more. */
  #pump(flow: FlowState, tail: Tail): boolean {
    if (tail.pump(flow.sink)) return true
    if (!flow.isFull) {
      flow.isFull = true
      const goOn = () => {
        flow.isFull = false
        this.#wake()
      }
      flow.sink.ready().then(goOn, goOn)
    }
    return false
  }
}

/** The file that was written before this one is read to its end first. One that cannot be read now is not waited for. */
function isHeldBack(flow: FlowState, tail: Tail, nowMs: number): boolean {
  while (tail.predecessor?.replacedBy !== undefined) tail.predecessor = tail.predecessor.replacedBy
  const { predecessor: before } = tail
  if (before === undefined || before === tail) return false
  const isUnknown = before.phase === 'discovered' && before.size > 0
  const canBeRead = before.phase === 'following' || isUnknown
  const isUnable = !flow.tails.has(before) || !canBeRead || before.retryAtMs !== undefined
  const isEndSeen = before.endSeenInScan >= tail.discoveredInScan
  const sinceMs = Math.max(before.lastGrowthMs, before.placeAtMs, tail.lastGrowthMs)
  const isQuiet = nowMs - sinceMs >= flow.settings.rotateWaitMs
  const isDone = isEndSeen && !before.isHeld && (!flow.settings.strictOrder || isQuiet)
  const isReleased = isUnable || isDone
  if (isReleased) tail.predecessor = undefined
  else if (!isEndSeen) flow.active.add(before)
  return !isReleased
}
