/**
 * The lock of a state directory: one process at a time, although processes die, machines reboot and clocks differ.
 * Example: the holder was killed, and its pid belongs to another process now: the start time differs, so the lock is stale.
 * Invariant: a lock is taken only from a holder that is certainly gone, or that did not touch it for `STALE_MS`. A process that loses the lock sees it at its next
 * touch: `lost` fires, and it reads no more.
 */
import { randomBytes } from 'node:crypto'
import type { Clock, Timer } from '../../index.ts'
import { CliError } from '../errors.ts'
import type { LockDirectory, Process, ProcessTable } from './lock-ports.ts'

const NAME = 'lock'
export const TOUCH_MS = 2000
export const STALE_MS = 30_000
/** How often one lock is looked at while its holder cannot be asked about. */
const LOOK_MS = 1000
const TOKEN_BYTES = 8

/** The content of the file. */
interface Holder extends Process {
  readonly token: string
}

export interface LockPorts {
  readonly directory: LockDirectory
  readonly processes: ProcessTable
  readonly clock: Clock
}

export class StateLock {
  readonly #ports: LockPorts
  readonly #token: string
  readonly #text: string
  readonly #lost = new AbortController()
  #timer: Timer | undefined
  #isReleased = false
  #touching: Promise<void> = Promise.resolve()

  private constructor(ports: LockPorts, token: string, text: string) {
    this.#ports = ports
    this.#token = token
    this.#text = text
    this.#arm()
  }

  /** Fires when another process took the lock. */
  get lost(): AbortSignal {
    return this.#lost.signal
  }

  /** Takes the lock, from a stale holder too. Throws CLI_ERR_STATE naming the pid and the host that hold it. */
  static async take(ports: LockPorts, path: string): Promise<StateLock> {
    const { directory, processes, clock } = ports
    const token = randomBytes(TOKEN_BYTES).toString('hex')
    const text = JSON.stringify({ ...processes.self(), token } satisfies Holder)
    let first: { readonly token: string | undefined; readonly mtimeMs: number } | undefined
    for (;;) {
      if (await directory.create(NAME, text)) {
        if (tokenOf(await directory.read(NAME)) === token) return new StateLock(ports, token, text)
        continue
      }
      const found = await directory.read(NAME)
      const mtimeMs = await directory.mtimeMs(NAME)
      if (found === undefined || mtimeMs === undefined) continue
      const holder = holderOf(found)
      const state = holder === undefined ? 'unknown' : processes.stateOf(holder)
      // Another clock may have stamped the lock: only two stamps of the same directory are compared.
      const ageMs = (await directory.touchProbe(`${NAME}.${token}`)) - mtimeMs
      const isStale = state === 'gone' || (state === 'unknown' && ageMs > STALE_MS)
      if (isStale) {
        await takeAway(directory, token, holder?.token)
        continue
      }
      const isTouched = first !== undefined && (first.token !== holder?.token || first.mtimeMs !== mtimeMs)
      if (state === 'alive' || isTouched) throw heldBy(holder, path)
      first = { token: holder?.token, mtimeMs }
      await new Promise<void>(resolve => clock.schedule(clock.nowMs() + LOOK_MS, resolve))
    }
  }

  /** Gives the lock back, unless it is another's already. */
  async release(): Promise<void> {
    this.#isReleased = true
    this.#timer?.cancel()
    await this.#touching
    const { directory } = this.#ports
    if (tokenOf(await directory.read(NAME)) === this.#token) await directory.remove(NAME)
  }

  #arm(): void {
    const { clock } = this.#ports
    this.#timer = clock.schedule(clock.nowMs() + TOUCH_MS, () => {
      this.#touching = this.#touch()
    })
    this.#timer.unref?.()
  }

  async #touch(): Promise<void> {
    const { directory } = this.#ports
    try {
      const isOurs = tokenOf(await directory.read(NAME)) === this.#token
      if (!isOurs && !this.#isReleased) {
        this.#lost.abort()
        return
      }
      await directory.touch(NAME, this.#text)
    } catch (error) {
      // A disk that is full or away for a moment does not cost a process its lock; the store tells faults of the disk.
      if (!(error instanceof Error && 'code' in error)) throw error
    }
    if (!this.#isReleased) this.#arm()
  }
}

/** Says who holds a lock now, for `status` and `doctor`; undefined: nobody. */
export async function holderNow({ directory, processes }: Omit<LockPorts, 'clock'>): Promise<Process | undefined> {
  const found = await directory.read(NAME)
  const holder = found === undefined ? undefined : holderOf(found)
  return holder === undefined || processes.stateOf(holder) === 'gone' ? undefined : holder
}

/** Two processes may find the same stale lock, and the slower one would take away what the faster one made: it puts that back. */
async function takeAway(directory: LockDirectory, token: string, staleToken: string | undefined): Promise<void> {
  const aside = `${NAME}.stale.${token}`
  if (!(await directory.rename(NAME, aside))) return
  const text = await directory.read(aside)
  const isOther = text !== undefined && tokenOf(text) !== staleToken
  if (isOther) await directory.create(NAME, text)
  await directory.remove(aside)
}

function heldBy(holder: Holder | undefined, path: string): CliError {
  const who = holder === undefined ? 'another process' : `process ${holder.pid} of ${holder.host}`
  return new CliError('CLI_ERR_STATE', `the state directory ${path} is in use by ${who}`, {
    fix: 'stop that process, or give this one a --state of its own'
  })
}

function tokenOf(text: string | undefined): string | undefined {
  return text === undefined ? undefined : holderOf(text)?.token
}

/** A lock that was just created may be empty still. */
function holderOf(text: string): Holder | undefined {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
  if (!(value instanceof Object && 'pid' in value && 'host' in value && 'token' in value)) return undefined
  const { pid, host, token } = value
  if (typeof pid !== 'number' || typeof host !== 'string' || typeof token !== 'string') return undefined
  const textAt = (name: string) => {
    const found: unknown = Object.entries(value).find(([key]) => key === name)?.[1]
    return typeof found === 'string' ? found : undefined
  }
  return { pid, host, token, bootId: textAt('bootId'), startedAt: textAt('startedAt'), space: textAt('space') }
}
