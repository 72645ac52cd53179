/**
 * A state directory in memory that crashes at a given call. After a crash, names and bytes that were not synced may be lost, the last bytes torn.
 */
import type { StateDirectory } from '../../../src/cli/follow/state-store.ts'

interface ModelFile {
  bytes: Buffer
  syncedLength: number
}

export class Crash extends Error {}

export class ModelDirectory implements StateDirectory {
  names = new Map<string, ModelFile>()
  #synced = new Map<string, ModelFile>()
  #changes: ((names: Map<string, ModelFile>) => void)[] = []
  callsLeft = Number.POSITIVE_INFINITY
  /** Called before each call; a promise that never resolves is a process that is dead. */
  step: (() => void | Promise<void>) | undefined
  /** The code with which each write fails. */
  failsWith: string | undefined

  async list(): Promise<readonly string[]> {
    await this.step?.()
    this.#step()
    return [...this.names.keys()]
  }

  async read(name: string): Promise<Uint8Array> {
    await this.step?.()
    this.#step()
    return this.#file(name).bytes
  }

  async write(name: string, bytes: Uint8Array): Promise<void> {
    await this.step?.()
    this.#fail()
    const file = { bytes: Buffer.from(bytes), syncedLength: 0 }
    this.#rename(names => names.set(name, file))
  }

  async append(name: string, bytes: Uint8Array): Promise<void> {
    await this.step?.()
    const file = this.#file(name)
    // A disk that is full takes a part.
    const taken = this.failsWith === undefined ? bytes : bytes.subarray(0, bytes.length >> 1)
    file.bytes = Buffer.concat([file.bytes, taken])
    this.#fail()
    this.#step()
  }

  async rename(from: string, to: string): Promise<void> {
    await this.step?.()
    this.#fail()
    const file = this.#file(from)
    this.#rename(names => {
      if (names.get(from) !== file) return
      names.set(to, file)
      names.delete(from)
    })
  }

  async remove(name: string): Promise<void> {
    await this.step?.()
    this.#rename(names => names.delete(name))
  }

  async syncFile(name: string): Promise<void> {
    await this.step?.()
    this.#fail()
    this.#step()
    this.#file(name).syncedLength = this.#file(name).bytes.length
  }

  async syncDirectory(): Promise<void> {
    await this.step?.()
    this.#fail()
    this.#step()
    this.#synced = new Map(this.names)
    this.#changes = []
  }

  /** The machine comes back: each change of a name since the sync holds or is lost, whatever became of the others; bytes are cut at random. */
  restart(random: () => number): void {
    this.names = new Map(this.#synced)
    for (const change of this.#changes) if (random() < 0.5) change(this.names)
    for (const file of new Set(this.names.values())) {
      const kept = file.syncedLength + Math.floor(random() * (file.bytes.length - file.syncedLength + 1))
      file.bytes = file.bytes.subarray(0, kept)
      file.syncedLength = kept
    }
    this.#synced = new Map(this.names)
    this.#changes = []
    this.callsLeft = Number.POSITIVE_INFINITY
  }

  #fail(): void {
    if (this.failsWith !== undefined) throw Object.assign(new Error(this.failsWith), { code: this.failsWith })
  }

  #rename(change: (names: Map<string, ModelFile>) => void): void {
    change(this.names)
    this.#changes.push(change)
    this.#step()
  }

  #step(): void {
    if (this.callsLeft-- <= 0) throw new Crash()
  }

  #file(name: string): ModelFile {
    const file = this.names.get(name)
    if (file === undefined) throw new Error(`ENOENT ${name}`)
    return file
  }
}
