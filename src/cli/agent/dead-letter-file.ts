/**
 * Records that failed, in a file, as envelopes that `put --in records` sends again.
 * Invariant: each line begins on a line of its own, also behind a torn one; `write` resolves when the line is on disk; lines that come while one sync runs share the next. A file that cannot be written fails them all.
 */
import { type FileHandle, open } from 'node:fs/promises'
import { CliError } from '../errors.ts'
import { type EnvelopeFields, envelopeLine } from '../input/envelope.ts'
import { isTorn } from '../output/torn.ts'

interface Waiting {
  readonly line: string
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

export class DeadLetterFile {
  readonly #path: string
  readonly #file: FileHandle
  /** Whether the file may end in the middle of a line. The next line begins on a line of its own. */
  #isTorn: boolean
  #waiting: Waiting[] = []
  #writing: Promise<void> | undefined

  private constructor(path: string, file: FileHandle, isTorn: boolean) {
    this.#path = path
    this.#file = file
    this.#isTorn = isTorn
  }

  /** Throws CLI_ERR_OUTPUT at once when the file cannot be opened. */
  static async open(path: string): Promise<DeadLetterFile> {
    try {
      const file = await open(path, 'a+')
      return new DeadLetterFile(path, file, isTorn(file.fd))
    } catch (error) {
      throw faultOf(path, error)
    }
  }

  write(record: EnvelopeFields, more: Readonly<Record<string, unknown>>): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ line: `${envelopeLine(record, more)}\n`, resolve, reject })
      this.#writing ??= this.#writeAll()
    })
  }

  /** Resolves when everything is on disk, or has failed. */
  async flush(): Promise<void> {
    await this.#writing
  }

  async close(): Promise<void> {
    await this.flush()
    await this.#file.close()
  }

  async #writeAll(): Promise<void> {
    while (this.#waiting.length > 0) {
      const group = this.#waiting
      this.#waiting = []
      try {
        const text = group.map(({ line }) => line).join('')
        const isAfterTear = this.#isTorn
        this.#isTorn = true
        await this.#file.appendFile(isAfterTear ? `\n${text}` : text)
        this.#isTorn = false
        await this.#file.datasync()
        for (const { resolve } of group) resolve()
      } catch (error) {
        const fault = faultOf(this.#path, error)
        for (const { reject } of group) reject(fault)
      }
    }
    this.#writing = undefined
  }
}

function faultOf(path: string, error: unknown): CliError {
  const reason = error instanceof Error && 'code' in error ? String(error.code) : 'unknown'
  return new CliError('CLI_ERR_OUTPUT', `the dead letter file ${path} cannot be written: ${reason}`, { cause: error })
}
