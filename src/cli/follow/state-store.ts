/**
 * The state directory: a snapshot, and a journal of the changes since.
 * Invariant: what `commit` or `compact` has confirmed survives a crash at any later point. Any other lost change was not confirmed.
 * Directories are synced after each new name, because a synced file without a synced name is lost too.
 */
import { CliError } from '../errors.ts'
import type { Generation } from './identity.ts'
import {
  type Change,
  decodeJournal,
  decodeSnapshot,
  journalBytes,
  type Snapshot,
  type StartedFlow,
  snapshotBytes
} from './state-format.ts'

const SNAPSHOT = 'snapshot.json'
const TEMPORARY = 'snapshot.json.tmp'
const PREVIOUS = 'snapshot.prev.json'
const JOURNAL = /^journal-(\d+)\.ndjson$/
const COMPACT_AFTER_LINES = 10_000
const COMPACT_AFTER_BYTES = 1024 * 1024

/** The calls on one directory. `write` replaces the file; both syncs return when the disk has it. */
export interface StateDirectory {
  list(): Promise<readonly string[]>
  read(name: string): Promise<Uint8Array>
  write(name: string, bytes: Uint8Array): Promise<void>
  append(name: string, bytes: Uint8Array): Promise<void>
  rename(from: string, to: string): Promise<void>
  remove(name: string): Promise<void>
  syncFile(name: string): Promise<void>
  syncDirectory(): Promise<void>
}

export class StateStore {
  readonly #directory: StateDirectory
  readonly #flows = new Map<string, StartedFlow>()
  readonly #files = new Map<string, Generation>()
  #sequence = 0
  #journalLines = 0
  #journalByteCount = 0
  /** A write failed: what is behind it in the journal could not be read. */
  #isJournalBad = false

  private constructor(directory: StateDirectory) {
    this.#directory = directory
  }

  get files(): ReadonlyMap<string, Generation> {
    return this.#files
  }

  get flows(): ReadonlyMap<string, StartedFlow> {
    return this.#flows
  }

  /** Reads the last state and writes it as a new snapshot, so a damaged tail is never appended to. */
  static async open(directory: StateDirectory): Promise<StateStore> {
    const store = new StateStore(directory)
    const names = await directory.list()
    const start = await newestSnapshot(directory, names)
    if (start !== undefined) await store.#recover(start, names)
    await store.compact()
    return store
  }

  /** Reads the last state and writes nothing. A process that writes meanwhile may take a file away: then try again. */
  static async read(directory: StateDirectory): Promise<StateStore> {
    const store = new StateStore(directory)
    const names = await directory.list()
    const start = await newestSnapshot(directory, names)
    if (start !== undefined) await store.#recover(start, names)
    return store
  }

  /** Records that flows have started, and their first offsets, before the first byte is sent. */
  async start(flows: readonly StartedFlow[], files: readonly Generation[]): Promise<void> {
    for (const flow of flows) this.#flows.set(flow.id, flow)
    for (const file of files) this.#files.set(file.id, file)
    await this.compact()
  }

  /**
   * Makes a group of changes durable: one append and one sync for all. After a failure the next call writes a new snapshot, because the journal
   * may end in a torn line. The changes of a call that failed must be given again.
   */
  async commit(changes: readonly Change[]): Promise<void> {
    if (changes.length === 0) return
    if (this.#isJournalBad) {
      for (const change of changes) this.#apply(change)
      return this.compact()
    }
    const bytes = journalBytes(changes)
    const name = journalName(this.#sequence)
    this.#isJournalBad = true
    await this.#directory.append(name, bytes)
    await this.#directory.syncFile(name)
    this.#isJournalBad = false
    for (const change of changes) this.#apply(change)
    this.#journalLines += changes.length
    this.#journalByteCount += bytes.length
    if (this.#journalLines > COMPACT_AFTER_LINES || this.#journalByteCount > COMPACT_AFTER_BYTES) await this.compact()
  }

  /** Writes all state as the next snapshot. The journal of the snapshot before stays, so that PREVIOUS is of use. */
  async compact(): Promise<void> {
    this.#isJournalBad = true
    const directory = this.#directory
    const next = this.#sequence + 1
    const snapshot: Snapshot = { sequence: next, flows: [...this.#flows.values()], files: [...this.#files.values()] }
    await directory.write(TEMPORARY, snapshotBytes(snapshot))
    await directory.syncFile(TEMPORARY)
    await directory.syncDirectory()
    const names = await directory.list()
    if (names.includes(SNAPSHOT)) await directory.rename(SNAPSHOT, PREVIOUS)
    await directory.rename(TEMPORARY, SNAPSHOT)
    await directory.write(journalName(next), new Uint8Array(0))
    await directory.syncFile(journalName(next))
    await directory.syncDirectory()
    for (const { name, sequence } of journalsOf(names)) if (sequence < next - 1) await directory.remove(name)
    this.#sequence = next
    this.#journalLines = 0
    this.#journalByteCount = 0
    this.#isJournalBad = false
  }

  async #recover(snapshot: Snapshot, names: readonly string[]): Promise<void> {
    for (const flow of snapshot.flows) this.#flows.set(flow.id, flow)
    for (const file of snapshot.files) this.#files.set(file.id, file)
    this.#sequence = snapshot.sequence
    for (const { name, sequence } of journalsOf(names)) {
      if (sequence < snapshot.sequence) continue
      for (const change of decodeJournal(await this.#directory.read(name)).changes) this.#apply(change)
      this.#sequence = sequence
    }
  }

  #apply(change: Change): void {
    if (change.t === 'file') this.#files.set(change.file.id, change.file)
    else if (change.t === 'forget') this.#files.delete(change.id)
    else {
      const file = this.#files.get(change.id)
      if (file !== undefined)
        this.#files.set(change.id, {
          ...file,
          acked: change.acked,
          anchor: change.anchor,
          size: change.size ?? file.size
        })
    }
  }
}

/** A lone temporary file is the trace of a crash in the very first write: nothing was sent, so it is a first run. */
async function newestSnapshot(directory: StateDirectory, names: readonly string[]): Promise<Snapshot | undefined> {
  let newest: Snapshot | undefined
  for (const name of [SNAPSHOT, TEMPORARY, PREVIOUS].filter(known => names.includes(known))) {
    const decoded = decodeSnapshot(await directory.read(name))
    if (decoded.kind === 'newer') throw new CliError('CLI_ERR_STATE', `${name} was written by a newer version`)
    if (decoded.kind === 'snapshot' && decoded.snapshot.sequence > (newest?.sequence ?? 0)) newest = decoded.snapshot
  }
  const isBegun = names.includes(SNAPSHOT) || names.includes(PREVIOUS) || journalsOf(names).length > 0
  if (newest === undefined && isBegun)
    throw new CliError('CLI_ERR_STATE', 'no snapshot of the state directory is readable')
  return newest
}

function journalsOf(names: readonly string[]): { readonly name: string; readonly sequence: number }[] {
  return names
    .flatMap(name => {
      const digits = JOURNAL.exec(name)?.[1]
      return digits === undefined ? [] : [{ name, sequence: Number(digits) }]
    })
    .sort((a, b) => a.sequence - b.sequence)
}

function journalName(sequence: number): string {
  return `journal-${sequence}.ndjson`
}
