/**
 * Failed records in a file, as envelopes that `put --in records` sends again.
 * Invariant: each record on a line of its own, also behind a torn one; appended, never overwritten; on disk before the command ends; a file that cannot be written ends it with 4.
 */
import { closeSync, fsyncSync, openSync, writeSync } from 'node:fs'
import { CliError } from '../errors.ts'
import { type EnvelopeFields, envelopeLine } from '../input/envelope.ts'
import { isTorn } from '../output/torn.ts'

export class DeadLetter {
  readonly #path: string
  readonly #file: number
  /** Whether the file may end in the middle of a line. The next line begins on a line of its own. */
  #isTorn: boolean

  /** Throws CLI_ERR_OUTPUT at once when the file cannot be opened. */
  constructor(path: string) {
    this.#path = path
    this.#file = this.#guarded(() => openSync(path, 'a+'))
    this.#isTorn = this.#guarded(() => isTorn(this.#file))
  }

  write(record: EnvelopeFields, error: Readonly<Record<string, unknown>>): void {
    const line = `${this.#isTorn ? '\n' : ''}${envelopeLine(record, { error })}\n`
    this.#isTorn = true
    this.#guarded(() => writeSync(this.#file, line))
    this.#isTorn = false
  }

  close(): void {
    this.#guarded(() => {
      // A pipe or a terminal cannot be synchronised, and need not be.
      const isFile = this.#path.startsWith('/dev/') === false
      if (isFile) fsyncSync(this.#file)
      closeSync(this.#file)
    })
  }

  #guarded<Value>(act: () => Value): Value {
    try {
      return act()
    } catch (error) {
      const reason = error instanceof Error && 'code' in error ? String(error.code) : 'unknown'
      throw new CliError('CLI_ERR_OUTPUT', `the dead letter file ${this.#path} cannot be written: ${reason}`)
    }
  }
}
