/**
 * A host in memory: what a command wrote can be read, signals and the clock are the test's.
 * Invariant: nothing of the process is touched.
 */
import { Readable } from 'node:stream'
import type { ExitCode } from '../../src/cli/exit-codes.ts'
import type { SliceJob } from '../../src/cli/gen/slice-messages.ts'
import { runSliceThread } from '../../src/cli/gen/slice-thread.ts'
import type { Host, Output, SignalName } from '../../src/cli/ports.ts'
import type { Clock, ProducerPorts } from '../../src/index.ts'
import { systemClock } from '../../src/system.ts'
import { seededRandom } from '../../src/testing/index.ts'

export interface TestHostOptions {
  readonly stdin?: string | Uint8Array | Readable
  readonly env?: Readonly<Record<string, string>>
  readonly cwd?: string
  readonly clock?: Clock
  readonly wallMs?: () => number
  readonly nodeVersion?: string
  readonly isTTY?: boolean
  readonly producerPorts?: ProducerPorts
  readonly processes?: Host['processes']
  readonly onStdout?: (text: string) => void
}

export interface TestHost {
  readonly host: Host
  stdout(): string
  stdoutBytes(): Buffer
  stderr(): string
  signal(name: SignalName): void
  /** As if the reader of stdout had left. */
  closeStdout(): void
  readonly exits: ExitCode[]
  readonly profiles: string[]
}

export function testHost(options: TestHostOptions = {}): TestHost {
  const { clock = systemClock, isTTY = false } = options
  const out: Buffer[] = []
  const err: Buffer[] = []
  const closing = new AbortController()
  const listeners = new Map<SignalName, Set<() => void>>()
  const exits: ExitCode[] = []
  const profiles: string[] = []
  const host: Host = {
    stdin: () => {
      const { stdin = '' } = options
      return stdin instanceof Readable ? stdin : Readable.from([Buffer.from(stdin)])
    },
    stdout: output(out, isTTY, closing.signal, options.onStdout),
    stderr: output(err, isTTY, new AbortController().signal),
    env: options.env ?? {},
    cwd: options.cwd ?? process.cwd(),
    version: () => '1.2.3',
    nodeVersion: options.nodeVersion ?? '20.19.0',
    clock,
    wallMs: options.wallMs ?? (() => clock.nowMs()),
    random: seededRandom('host'),
    onSignal(name, listener) {
      const set = listeners.get(name) ?? new Set()
      listeners.set(name, set.add(listener))
      return () => void set.delete(listener)
    },
    useProfile: name => void profiles.push(name),
    processes: options.processes ?? { pid: 4711, isAlive: () => false },
    // In this thread; what is posted is cloned all the same.
    startThread(_, data, onMessage) {
      let listener: (message: unknown) => void = () => {}
      const ended = runSliceThread({ ...host }, structuredClone(data) as SliceJob, {
        post: message => onMessage(structuredClone(message)),
        onMessage: given => (listener = given)
      })
      return { post: message => listener(structuredClone(message)), ended }
    },
    exit: code => void exits.push(code),
    producerPorts: options.producerPorts ?? {}
  }
  return {
    host,
    stdout: () => Buffer.concat(out).toString(),
    stdoutBytes: () => Buffer.concat(out),
    stderr: () => Buffer.concat(err).toString(),
    signal: name => {
      for (const listener of [...(listeners.get(name) ?? [])]) listener()
    },
    closeStdout: () => closing.abort(),
    exits,
    profiles
  }
}

function output(chunks: Buffer[], isTTY: boolean, closed: AbortSignal, onText?: (text: string) => void): Output {
  return {
    isTTY,
    columns: 100,
    closed,
    write(chunk) {
      if (closed.aborted) return Promise.resolve()
      chunks.push(Buffer.from(chunk))
      onText?.(chunk.toString())
      return Promise.resolve()
    }
  }
}
