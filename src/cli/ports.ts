/**
 * The ports of a command to the world. Tests pass their own: no command touches `process`.
 * Invariant: types only; the real ones are in process-host.ts.
 */
import type { Readable } from 'node:stream'
import type { Clock, ProducerPorts, Random } from '../index.ts'
import type { ExitCode } from './exit-codes.ts'

/** A stream that is written to: stdout or stderr. Never throws and never rejects. */
export interface Output {
  readonly isTTY: boolean
  readonly columns: number
  /** Fires once the reader is gone (EPIPE). Later writes are dropped. */
  readonly closed: AbortSignal
  /** Resolves when the system has taken the bytes, or when the reader is gone. */
  write(chunk: string | Uint8Array): Promise<void>
}

export type SignalName = 'SIGINT' | 'SIGTERM' | 'SIGHUP' | 'SIGUSR2'

/** A thread of this process. Messages in both directions are cloned. */
export interface Thread {
  post(message: unknown): void
  /** Resolves when the thread has ended; rejects if an error ended it. */
  readonly ended: Promise<void>
}

export interface Host {
  /** The reader opens it: a command that takes files leaves stdin alone. */
  stdin(): Readable & { readonly isTTY?: boolean | undefined }
  readonly stdout: Output
  readonly stderr: Output
  readonly env: Readonly<Record<string, string | undefined>>
  readonly cwd: string
  /** Of this package; read from its manifest. */
  version(): string
  readonly nodeVersion: string
  /** Monotonic enough for pauses; its `nowMs` counts from 1970. */
  readonly clock: Clock
  /** The time of day, with every correction of the system's. */
  wallMs(): number
  readonly random: Random
  /** Calls `listener` at each of these signals; returns what takes it off again. */
  onSignal(name: SignalName, listener: () => void): () => void
  /** Makes the AWS SDK use a profile of the shared files. */
  useProfile(name: string): void
  /** This process, and whether another one of this machine lives. */
  readonly processes: { readonly pid: number; isAlive(pid: number): boolean }
  /** Starts a thread with a program of the command line. `onMessage` gets its messages. */
  startThread(program: 'gen-slice', data: unknown, onMessage: (message: unknown) => void): Thread
  /** Ends the process at once. In tests it only notes the code. */
  exit(code: ExitCode): void
  /** Ports of the producers that commands make; empty but in tests. */
  readonly producerPorts: ProducerPorts
}
