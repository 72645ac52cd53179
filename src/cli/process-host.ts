/**
 * The real host: the process, its streams and the machine's clock.
 * Invariant: this file and main.ts are all of the command line that touches `process`, `Date`, timers or `Math.random`.
 */
import { readFileSync } from 'node:fs'
import { Worker } from 'node:worker_threads'
import type { Clock } from '../index.ts'
import type { Host, Output, Thread } from './ports.ts'

const MAX_TIMEOUT_MS = 2_147_483_647
const DEFAULT_COLUMNS = 80
const ORIGIN_MS = performance.timeOrigin

const clock: Clock = {
  nowMs: () => ORIGIN_MS + performance.now(),
  schedule(atMs, wake) {
    const delayMs = Math.min(MAX_TIMEOUT_MS, Math.max(0, Math.ceil(atMs - clock.nowMs())))
    const timeout = setTimeout(wake, delayMs)
    return { cancel: () => clearTimeout(timeout), unref: () => void timeout.unref() }
  }
}

export function processHost(): Host {
  // A notice for developers; `doctor` says which Node.js this is.
  process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] ??= 'true'
  return {
    stdin: () => process.stdin,
    stdout: outputOf(process.stdout),
    stderr: outputOf(process.stderr),
    env: process.env,
    cwd: process.cwd(),
    version: versionOf,
    nodeVersion: process.versions.node,
    clock,
    wallMs: () => Date.now(),
    random: () => Math.random(),
    onSignal(name, listener) {
      // Windows knows the other two only.
      const isUnknown = process.platform === 'win32' && (name === 'SIGUSR2' || name === 'SIGHUP')
      if (isUnknown) return () => {}
      process.on(name, listener)
      // Ctrl+Break is all that Windows has beside Ctrl+C.
      const isWindowsTerm = process.platform === 'win32' && name === 'SIGTERM'
      if (isWindowsTerm) process.on('SIGBREAK', listener)
      return () => void process.off(name, listener)
    },
    useProfile: name => {
      process.env['AWS_PROFILE'] = name
    },
    processes: { pid: process.pid, isAlive },
    startThread,
    exit: code => process.exit(code),
    producerPorts: {}
  }
}

/** The program lies beside this file in the build. */
function startThread(program: string, data: unknown, onMessage: (message: unknown) => void): Thread {
  const worker = new Worker(new URL(`./${program}.js`, import.meta.url), { workerData: data })
  worker.on('message', onMessage)
  const ended = new Promise<void>((resolve, reject) => {
    worker.on('error', reject)
    worker.on('exit', () => resolve())
  })
  return { post: message => worker.postMessage(message), ended }
}

function outputOf(stream: NodeJS.WriteStream): Output {
  const closed = new AbortController()
  // The reader left: an end like any other. Without a listener it would be an uncaught error.
  stream.on('error', () => closed.abort())
  return {
    isTTY: stream.isTTY === true,
    get columns() {
      return stream.columns ?? DEFAULT_COLUMNS
    },
    closed: closed.signal,
    write: chunk =>
      closed.signal.aborted
        ? Promise.resolve()
        : new Promise(resolve => {
            stream.write(chunk, error => {
              if (error) closed.abort()
              resolve()
            })
          })
  }
}

/** Signal 0 only asks. A process of another user answers EPERM, and lives. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}

/** The package's manifest lies two folders up, both in the source and in the build. */
function versionOf(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
  return manifest instanceof Object && 'version' in manifest ? String(manifest.version) : 'unknown'
}
