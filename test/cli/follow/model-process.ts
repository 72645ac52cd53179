/**
 * A process between a follower and its ports. It can die at any call: then no call answers any more, and nothing it began goes on.
 * Invariant: a dead process changes neither files nor state; what it had done before stays done.
 */
import type { Files, OpenFile } from '../../../src/cli/follow/ports.ts'
import type { StateDirectory } from '../../../src/cli/follow/state-store.ts'

export class ModelProcess {
  isDead = false
  /** It dies at the call after so many. */
  callsLeft = Number.POSITIVE_INFINITY
  /** Whether the call in which it dies still happens. */
  diesAfterCall = false
  calls = 0
  onDeath: () => void = () => {}

  filesOf(files: Files): Files {
    return {
      list: (patterns, exclude) => this.#call(() => files.list(patterns, exclude)),
      listFolder: folder => this.#call(() => files.listFolder(folder)),
      stat: path => this.#call(() => files.stat(path)),
      open: path => this.#call(async () => this.#fileOf(await files.open(path))),
      remove: path => this.#call(() => files.remove(path))
    }
  }

  directoryOf(directory: StateDirectory): StateDirectory {
    return {
      list: () => this.#call(() => directory.list()),
      read: name => this.#call(() => directory.read(name)),
      write: (name, bytes) => this.#call(() => directory.write(name, bytes)),
      append: (name, bytes) => this.#call(() => directory.append(name, bytes)),
      rename: (from, to) => this.#call(() => directory.rename(from, to)),
      remove: name => this.#call(() => directory.remove(name)),
      syncFile: name => this.#call(() => directory.syncFile(name)),
      syncDirectory: () => this.#call(() => directory.syncDirectory())
    }
  }

  die(): void {
    if (this.isDead) return
    this.isDead = true
    this.onDeath()
  }

  #fileOf(file: OpenFile): OpenFile {
    return {
      stat: () => this.#call(() => file.stat()),
      read: (buffer, position) => this.#call(() => file.read(buffer, position)),
      close: () => this.#call(() => file.close())
    }
  }

  async #call<T>(run: () => Promise<T>): Promise<T> {
    const never = () => new Promise<T>(() => {})
    if (this.isDead) return never()
    this.calls++
    const isLast = --this.callsLeft < 0
    if (isLast && !this.diesAfterCall) this.die()
    if (this.isDead) return never()
    const result = await run()
    if (isLast) this.die()
    return this.isDead ? never() : result
  }
}
