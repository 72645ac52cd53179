/**
 * Starts an implementation of Kinesis that is not ours in a process beside the tests, on loopback.
 * Invariant: the process is gone after `close`, also when it never became healthy.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { createServer } from 'node:net'
import { fileURLToPath } from 'node:url'

export interface Referee {
  readonly endpoint: string
  close(): void
}

interface Program {
  readonly main: string
  readonly arguments?: readonly string[]
  readonly environment?: Readonly<Record<string, string>>
  readonly port: number
  /** Where it answers once it is ready. */
  readonly healthPath: string
}

const HEALTHY_WITHIN_MS = 20_000

export async function startChild(program: Program): Promise<Referee> {
  const child = fork(program.main, program.arguments ?? [], {
    execArgv: ['--require', fileURLToPath(new URL('./loopback.cjs', import.meta.url))],
    stdio: 'ignore',
    env: { PATH: process.env['PATH'], ...program.environment }
  })
  const endpoint = `http://127.0.0.1:${program.port}`
  try {
    await healthy(`${endpoint}${program.healthPath}`, child)
  } catch (error) {
    child.kill('SIGKILL')
    throw error
  }
  return { endpoint, close: () => child.kill('SIGKILL') }
}

/** Asks until the server answers: each refusal comes at once, so this turns as the process starts. */
async function healthy(url: string, child: ChildProcess): Promise<void> {
  const deadline = AbortSignal.timeout(HEALTHY_WITHIN_MS)
  while (!deadline.aborted && child.exitCode === null) {
    const isHealthy = await fetch(url, { signal: deadline }).then(
      response => response.status < 500,
      () => false
    )
    if (isHealthy) return
    await new Promise(resolve => setImmediate(resolve))
  }
  throw new Error(`${child.spawnfile} ${child.spawnargs[1]} is not healthy (exit code ${child.exitCode})`)
}

/** Returns a port of the loopback that was free just now. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      const port = typeof address === 'object' && address !== null ? address.port : 0
      server.close(() => resolve(port))
    })
  })
}
