/** The service of docs/delivery.md, ended while it is busy. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { transform } from 'esbuild'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import {
  type FakeKinesisServer,
  FaultPlan,
  readAsKcl,
  startFakeKinesisServer,
  VirtualClock
} from '../../src/testing/index.ts'
import { type PackedPackage, PROJECT, packPackage } from '../support/packed-package.ts'

let packed: PackedPackage
const cleanUps: (() => unknown)[] = []

beforeAll(async () => {
  packed = await packPackage()
})

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp()
})

afterAll(() => packed.remove())

/** The program of the document on any free port, telling the port, and when it has begun to close. */
async function writeService(): Promise<string> {
  const document = readFileSync(join(PROJECT, 'docs/delivery.md'), 'utf8')
  const found = [...document.matchAll(/```ts\n([\s\S]*?)```/g)].find(([, code]) => code!.includes('createServer('))
  const { code } = await transform(found![1]!, { loader: 'ts', format: 'esm' })
  const file = join(packed.project('service'), 'service.mjs')
  const tell = `server.once('listening', () => console.log(server.address().port))
    process.once('SIGTERM', () => console.log('closing'))`
  writeFileSync(file, `${code.replace('.listen(3e3)', '.listen(0)')}\n${tell}\n`)
  return file
}

/** Starts the service; `line` resolves to the next line it prints. */
function start(file: string, { endpoint }: FakeKinesisServer): { child: ChildProcess; line(): Promise<string> } {
  const env = {
    PATH: process.env['PATH'],
    AWS_ENDPOINT_URL_KINESIS: endpoint,
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'any',
    AWS_SECRET_ACCESS_KEY: 'any',
    AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true'
  }
  const child = spawn(process.execPath, [file], { env, stdio: ['ignore', 'pipe', 'inherit'] })
  cleanUps.push(() => child.kill('SIGKILL'))
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]()
  return { child, line: async () => (await lines.next()).value }
}

interface Answer {
  readonly status: number | undefined
  readonly connection: string | undefined
}

async function post(agent: Agent, port: number, body: string): Promise<Answer> {
  const sent = request({ agent, port, host: '127.0.0.1', method: 'POST' }).end(body)
  const [response] = await once(sent, 'response')
  response.resume()
  await once(response, 'end')
  return { status: response.statusCode, connection: response.headers.connection }
}

/** What comes on a connection from now to its end. */
async function rest(socket: Socket): Promise<Answer> {
  let text = ''
  socket.on('data', chunk => {
    text += chunk
  })
  await once(socket, 'close')
  const status = Number(/^HTTP\/1.1 (\d+)/.exec(text)?.[1])
  return { status, connection: /^connection: (.*?)\r$/im.exec(text)?.[1] }
}

/** Resolves when the service's next PutRecords has arrived; its answer then waits until time goes on. */
function holdNextPut(faults: FaultPlan): Promise<void> {
  return new Promise(resolve => {
    const isPut = ({ operation }: { operation: string }): boolean => {
      if (operation === 'PutRecords') resolve()
      return operation === 'PutRecords'
    }
    faults.add({ match: { when: isPut }, action: { kind: 'delay', delayMs: 1000 }, times: 1 })
  })
}

test('answers what is open with 201, refuses with 503 what comes on open connections, and ends by itself', async () => {
  const [faults, clock] = [new FaultPlan(), new VirtualClock(1_000_000)]
  const kinesis = await startFakeKinesisServer({ faults, clock })
  kinesis.kinesis.createStream({ StreamName: 'orders', ShardCount: 1 })
  const keptAlive = new Agent({ keepAlive: true, maxSockets: 1 })
  cleanUps.push(
    () => kinesis.close(),
    () => keptAlive.destroy()
  )
  const service = start(await writeService(), kinesis)
  const port = Number(await service.line())
  const first = await post(keptAlive, port, 'first')
  const isHeld = holdNextPut(faults)
  const waiting = post(keptAlive, port, 'waiting')
  await isHeld
  const [silent, slow] = [connect(port, '127.0.0.1'), connect(port, '127.0.0.1')]
  await once(silent, 'connect')
  // That it is told to go on says that the request is open.
  slow.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\nsl')
  await once(slow, 'data')

  service.child.kill('SIGTERM')
  const closing = await service.line()
  silent.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nlate')
  const late = await rest(silent)
  slow.write('ow')
  const ended = await rest(slow)
  clock.advanceBy(1000)

  expect({ first, closing, late, ended, waiting: await waiting }).toEqual({
    first: { status: 201, connection: 'keep-alive' },
    closing: 'closing',
    late: { status: 503, connection: 'close' },
    ended: { status: 201, connection: 'close' },
    waiting: { status: 201, connection: 'close' }
  })
  expect(await once(service.child, 'exit')).toEqual([0, null])
  const stored = readAsKcl(kinesis.kinesis, 'orders').map(({ data }) => Buffer.from(data).toString())
  expect(stored.sort()).toEqual(['first', 'slow', 'waiting'])
})
