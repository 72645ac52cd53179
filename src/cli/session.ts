/**
 * One run of a command: its host, the flags that all commands take, and how it is stopped.
 * Invariant: `stop` fires at the first SIGINT or SIGTERM and when stdout has no reader any more; the second signal ends the process
 * at once, and says on stderr how many records were not acknowledged.
 */
import type { GlobalFlags } from './arguments/global-flags.ts'
import type { ExitCode } from './exit-codes.ts'
import { ErrorLines } from './output/error-lines.ts'
import { Progress } from './output/progress.ts'
import type { Host } from './ports.ts'

export class Session {
  readonly host: Host
  /** `put`, or for a command within a command `agent check`. */
  readonly command: string
  readonly flags: GlobalFlags
  readonly errors: ErrorLines
  readonly progress: Progress
  readonly #stop = new AbortController()
  readonly #removers: (() => void)[]
  #stopExit: 130 | 143 | undefined
  #unsettledCount: () => number = () => 0

  constructor(host: Host, command: string, flags: GlobalFlags) {
    this.host = host
    this.command = command
    this.flags = flags
    this.errors = new ErrorLines(host)
    this.progress = new Progress(host, flags)
    this.#removers = [
      host.onSignal('SIGINT', () => this.#signalled(130)),
      host.onSignal('SIGTERM', () => this.#signalled(143)),
      host.onSignal('SIGUSR2', () => this.progress.dump())
    ]
    host.stdout.closed.addEventListener('abort', () => this.#end(), { once: true })
  }

  /** Fires when no more may be begun: finish what is under way, then return. */
  get stop(): AbortSignal {
    return this.#stop.signal
  }

  /** The same, for loops that look for each record. */
  isStopped = false

  /** The exit code when the drain deadline passes; undefined while no signal came. */
  get stopExit(): ExitCode | undefined {
    return this.#stopExit
  }

  /** Says how many records are read and not acknowledged, for the message of the second signal. */
  countUnsettled(count: () => number): void {
    this.#unsettledCount = count
  }

  /** A line for people on stderr; nothing with --quiet. */
  async note(text: string): Promise<void> {
    if (this.flags.quiet !== true) await this.host.stderr.write(`${text}\n`)
  }

  /** Takes the signal handlers and the timers away. */
  close(): void {
    this.progress.stop()
    this.errors.close()
    for (const remove of this.#removers) remove()
  }

  #end(): void {
    this.isStopped = true
    this.#stop.abort()
  }

  #signalled(exit: 130 | 143): void {
    if (this.#stopExit === undefined) {
      this.#stopExit = exit
      this.#end()
      return
    }
    const count = this.#unsettledCount()
    void this.host.stderr
      .write(`stopped at once; ${count} records are not acknowledged\n`)
      .then(() => this.host.exit(exit))
  }
}
