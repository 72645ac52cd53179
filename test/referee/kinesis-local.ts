/**
 * Starts kinesis-local, an implementation of Kinesis that is not ours, on loopback.
 * Invariant: the process is gone after `close`, also when it never became healthy.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { createRequire } from 'node:module'
import { createServer } from 'node:net'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export interface Referee {
  readonly endpoint: string
  close(): void
}

const HEALTHY_WITHIN_MS = 20_000

export async function startKinesisLocal(): Promise<Referee> {
  const folder = dirname(createRequire(import.meta.url).resolve('kinesis-local/package.json'))
  const [plainPort, tlsPort] = await Promise.all([freePort(), freePort()])
  const child = fork(join(folder, 'main.js'), {
    execArgv: ['--require', fileURLToPath(new URL('./loopback.cjs', import.meta.url))],
    stdio: 'ignore',
    env: {
      PATH: process.env['PATH'],
      KINESIS_MOCK_CERT_PATH: join(folder, 'server.json'),
      KINESIS_MOCK_PLAIN_PORT: String(plainPort),
      KINESIS_MOCK_TLS_PORT: String(tlsPort),
      LOG_LEVEL: 'ERROR'
    }
  })
  const endpoint = `http://127.0.0.1:${plainPort}`
  try {
    await healthy(endpoint, child)
  } catch (error) {
    child.kill('SIGKILL')
    throw error
  }
  return { endpoint, close: () => child.kill('SIGKILL') }
}

/** Asks until the server says that it is ready: each refusal is answered at once, so this turns as the process starts. */
async function healthy(endpoint: string, child: ChildProcess): Promise<void> {
  const deadline = AbortSignal.timeout(HEALTHY_WITHIN_MS)
  while (!deadline.aborted && child.exitCode === null) {
    const isHealthy = await fetch(`${endpoint}/healthcheck`, { signal: deadline }).then(
      response => response.ok,
      () => false
    )
    if (isHealthy) return
    await new Promise(resolve => setImmediate(resolve))
  }
  throw new Error(`kinesis-local is not healthy (exit code ${child.exitCode})`)
}

function freePort(): Promise<number> {
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
