/** The service of examples/node-service, which docs/delivery.md shows, ended while it is busy. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { transform } from 'esbuild'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { type FakeKinesisServer, readAsKcl } from '../../src/testing/index.ts'
import { cleanUp, cleanUps, environmentFor, holdNextPut, startKinesis } from '../support/example-run.ts'
import { programOf } from '../support/examples.ts'
import { type PackedPackage, packPackage } from '../support/packed-package.ts'

let packed: PackedPackage
let folder: string
let serviceCount = 0

beforeAll(async () => {
  packed = await packPackage()
  folder = packed.project('service')
})

afterEach(cleanUp)

afterAll(() => packed.remove())

/**
 * The program on any free port, telling the port, each put, and when it has begun to close. `edit` changes the program as a user
 * would.
 */
async function writeService(edit = (program: string) => program): Promise<string> {
  const { code } = await transform(programOf('node-service/main.ts'), { loader: 'ts', format: 'esm' })
  const file = join(folder, `service-${++serviceCount}.mjs`)
  const tell = `server.once('listening', () => console.log(server.address().port))
    process.once('SIGTERM', () => console.log('closing'))
    const put = producer.put.bind(producer)
    producer.put = record => {
      console.log('put')
      return put(record)
    }`
  writeFileSync(file, `${edit(code)}\n${tell}\n`)
  return file
}

/** Starts the service; `line` resolves to the next line it prints, `said` once it prints this line. */
function start(file: string, kinesis: FakeKinesisServer): Service {
  const env = {
    PATH: process.env['PATH'],
    PORT: '0',
    ...environmentFor(kinesis),
    // The outage would be announced.
    NODE_NO_WARNINGS: '1'
  }
  const child = spawn(process.execPath, [file], { env, stdio: ['ignore', 'pipe', 'inherit'] })
  cleanUps.push(() => child.kill('SIGKILL'))
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]()
  const line = async (): Promise<string> => (await lines.next()).value
  const said = async (text: string): Promise<void> => {
    for (let last = await line(); last !== text; last = await line()) {
      if (last === undefined) throw new Error(`ended before it said ${text}`)
    }
  }
  return { child, line, said }
}

interface Service {
  readonly child: ChildProcess
  line(): Promise<string>
  said(text: string): Promise<void>
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

/** A fake Kinesis with the service's stream, and a pool of one connection to the service. */
async function setUp() {
  const { faults, clock, server: kinesis } = await startKinesis(1)
  const keptAlive = new Agent({ keepAlive: true, maxSockets: 1 })
  cleanUps.push(() => keptAlive.destroy())
  return { faults, clock, kinesis, keptAlive }
}

/** Clients at once, and their orders before the signal. */
const CUSTOMERS = 32
const ORDERS_BEFORE = 300

describe('examples/node-service', () => {
  test('answers what is open with 201, refuses with 503 what comes on open connections, and ends by itself', async () => {
    const { faults, clock, kinesis, keptAlive } = await setUp()
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
    await service.said('closing')
    silent.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nlate')
    const late = await rest(silent)
    slow.write('ow')
    const ended = await rest(slow)
    clock.advanceBy(1000)

    expect({ first, late, ended, waiting: await waiting }).toEqual({
      first: { status: 201, connection: 'keep-alive' },
      late: { status: 503, connection: 'close' },
      ended: { status: 201, connection: 'close' },
      waiting: { status: 201, connection: 'close' }
    })
    expect(await once(service.child, 'exit')).toEqual([0, null])
    const stored = readAsKcl(kinesis.kinesis, 'orders').map(({ data }) => Buffer.from(data).toString())
    expect(stored.sort()).toEqual(['first', 'slow', 'waiting'])
  })

  test('answers 503 to what is open in an outage, and ends by itself', async () => {
    const { kinesis } = await setUp()
    await kinesis.close()
    const soon = (program: string): string => program.replaceAll(/_MS = \w+/g, '_MS = 100')
    const service = start(await writeService(soon), kinesis)
    const port = Number(await service.line())
    const agent = new Agent({ keepAlive: true })
    cleanUps.push(() => agent.destroy())
    const answers = Promise.allSettled(['1', '2', '3'].map(body => post(agent, port, body)))
    for (const _ of ['1', '2', '3']) await service.said('put')

    service.child.kill('SIGTERM')
    const exit = once(service.child, 'exit')

    const answered = { status: 'fulfilled', value: { status: 503, connection: 'close' } }
    expect(await answers).toEqual([answered, answered, answered])
    expect(await exit).toEqual([1, null])
  })

  test('answers 429 while the buffer is full', async () => {
    const { faults, clock, kinesis, keptAlive } = await setUp()
    const small = (program: string): string => program.replace('{ streamName:', '{ bufferMaxRecords: 1, streamName:')
    const service = start(await writeService(small), kinesis)
    const port = Number(await service.line())
    const isHeld = holdNextPut(faults)
    const agent = new Agent()
    cleanUps.push(() => agent.destroy())
    const first = post(agent, port, 'first')
    await isHeld

    const refused = await post(keptAlive, port, 'refused')
    clock.advanceBy(1000)
    const statuses = [(await first).status, refused.status, (await post(keptAlive, port, 'third')).status]

    expect(statuses).toEqual([201, 429, 201])
  })

  test('at SIGTERM under load, every order that was answered with 201 is in the stream', async () => {
    const { kinesis } = await setUp()
    const service = start(await writeService(), kinesis)
    const port = Number(await service.line())
    const closing = service.said('closing')
    const statuses = new Map<string, number | 'gone'>()
    const agent = new Agent({ keepAlive: true })
    cleanUps.push(() => agent.destroy())
    const customer = async (name: string): Promise<void> => {
      for (let order = 0; ; order++) {
        const text = `${name} ${order}`
        const status = await post(agent, port, text).then(
          answer => answer.status ?? 0,
          () => 'gone' as const
        )
        statuses.set(text, status)
        if (status !== 201) return
        if (statuses.size === ORDERS_BEFORE) service.child.kill('SIGTERM')
      }
    }
    const exit = once(service.child, 'exit')

    await Promise.all([closing, ...Array.from({ length: CUSTOMERS }, (_, i) => customer(`customer-${i}`))])

    const accepted = [...statuses].filter(([, status]) => status === 201).map(([text]) => text)
    const stored = new Set(readAsKcl(kinesis.kinesis, 'orders').map(({ data }) => Buffer.from(data).toString()))
    expect(await exit).toEqual([0, null])
    expect(accepted.length).toBeGreaterThanOrEqual(ORDERS_BEFORE - CUSTOMERS)
    expect(accepted.filter(text => !stored.has(text))).toEqual([])
    expect([...statuses.values()].filter(status => ![201, 503, 'gone'].includes(status))).toEqual([])
  })
})
