import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setImmediate } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { KinesisClient } from '@aws-sdk/client-kinesis'
import { NodeHttpHandler } from '@smithy/node-http-handler'
import type { Context, KinesisStreamEvent, SQSEvent } from 'aws-lambda'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { buildService } from '../examples/fastify-service/service.ts'
import * as after from '../examples/from-aws-kinesis-agg/after.ts'
import * as before from '../examples/from-aws-kinesis-agg/before.ts'
import { handler as concurrentHandler } from '../examples/lambda-consumer/handler.ts'
import { handler as ownLoopHandler } from '../examples/lambda-consumer/own-loop.ts'
import { handler as powertoolsHandler } from '../examples/lambda-consumer/powertools.ts'
import { KinesisProducer, type ProducerOptions } from '../src/index.ts'
import {
  type FakeKinesisServer,
  FaultPlan,
  readAsKcl,
  startFakeKinesisServer,
  VirtualClock
} from '../src/testing/index.ts'
import { Harness } from './support/harness.ts'

const PROJECT = fileURLToPath(new URL('..', import.meta.url))
const PLENTY_MS = 300_000
const credentials = { accessKeyId: 'any', secretAccessKey: 'any' }
const streamName = 'orders'

/** The examples compiled as `npm run build:dev` does it, elsewhere. */
const folder = mkdtempSync(join(tmpdir(), 'examples-'))
const cleanUps: (() => unknown)[] = []

beforeAll(() => {
  symlinkSync(join(PROJECT, 'node_modules'), join(folder, 'node_modules'))
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}')
  const config = {
    extends: join(PROJECT, 'tsconfig.dev.json'),
    // `npm run types` checks them.
    compilerOptions: { rootDir: PROJECT, outDir: folder, noCheck: true, incremental: false, tsBuildInfoFile: null },
    include: [join(PROJECT, 'src'), join(PROJECT, 'examples')]
  }
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config))
  const tsc = join(PROJECT, 'node_modules/typescript/bin/tsc')
  execFileSync(process.execPath, [tsc, '-p', folder], { stdio: 'inherit' })
})

afterEach(async () => {
  vi.unstubAllEnvs()
  vi.restoreAllMocks()
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp()
})

afterAll(() => rmSync(folder, { recursive: true, force: true }))

interface Stored {
  readonly partitionKey: string
  readonly value: unknown
}

/** A fake Kinesis on a port with one stream; time stands still for the delays of its faults. */
async function startKinesis(shardCount = 4) {
  const faults = new FaultPlan()
  const clock = new VirtualClock(1_000_000)
  const server = await startFakeKinesisServer({ faults, clock })
  cleanUps.push(() => server.close())
  server.kinesis.createStream({ StreamName: streamName, ShardCount: shardCount })
  const stored = (): Stored[] =>
    readAsKcl(server.kinesis, streamName)
      .filter(({ isDelivered }) => isDelivered)
      .map(({ partitionKey, data }) => ({ partitionKey, value: JSON.parse(Buffer.from(data).toString()) }))
      .sort((left, right) => (JSON.stringify(left) < JSON.stringify(right) ? -1 : 1))
  return { server, faults, clock, stored }
}

/** Resolves when the server has the next PutRecords; its answer then waits until time goes on. */
function holdNextPut(faults: FaultPlan): Promise<void> {
  return new Promise(resolve => {
    const isPut = ({ operation }: { operation: string }) => {
      if (operation === 'PutRecords') resolve()
      return operation === 'PutRecords'
    }
    faults.add({ match: { when: isPut }, action: { kind: 'delay', delayMs: 1000 }, times: 1 })
  })
}

function producerAt({ endpoint }: FakeKinesisServer, options: ProducerOptions = {}): KinesisProducer {
  return new KinesisProducer({ streamName, region: 'us-east-1', endpoint, credentials, ...options })
}

/** What the SDK reads where nothing is said in code. */
function environmentFor({ endpoint }: FakeKinesisServer) {
  return {
    AWS_ENDPOINT_URL_KINESIS: endpoint,
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'any',
    AWS_SECRET_ACCESS_KEY: 'any',
    AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
    STREAM_NAME: streamName
  }
}

/** A compiled example in a process of its own. */
function run(example: string, args: readonly string[], environment: Readonly<Record<string, string>>) {
  const child = spawn(process.execPath, [join(folder, 'examples', example), ...args], {
    env: { PATH: process.env['PATH'], ...environment }
  })
  cleanUps.push(() => child.kill('SIGKILL'))
  let errors = ''
  child.stderr.on('data', chunk => {
    errors += chunk
  })
  const lines: string[] = []
  const waiting = new Set<() => void>()
  createInterface(child.stdout).on('line', line => {
    lines.push(line)
    for (const look of waiting) look()
  })
  const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, lines, errors }))
  const lineWith = (pattern: RegExp): Promise<RegExpExecArray> =>
    new Promise((resolve, reject) => {
      const look = () => {
        const match = lines.map(line => pattern.exec(line)).find(found => found !== null)
        if (match) resolve(match)
      }
      waiting.add(look)
      look()
      void ended.then(({ code }) => reject(new Error(`ended with ${code} before ${pattern}: ${errors}`)))
    })
  return { child, ended, lineWith }
}

function lambdaContext(timeLeftMs: number): Context {
  const context: Partial<Context> = { functionName: 'f', getRemainingTimeInMillis: () => timeLeftMs }
  return context as Context
}

describe('examples/fastify-service', () => {
  const order = (customerId: string) => ({ customerId, total: 17.5 })
  const post = (customerId: string) => ({ method: 'POST', url: '/orders', payload: order(customerId) }) as const

  test('answers 201 with the place of the order', async () => {
    const { server, stored } = await startKinesis()
    const app = buildService(producerAt(server))
    cleanUps.push(() => app.close())

    const answer = await app.inject(post('a'))

    const [record] = server.kinesis.storedRecords(streamName)
    expect({ status: answer.statusCode, body: answer.json() }).toEqual({
      status: 201,
      body: { shardId: record?.shardId, sequenceNumber: record?.sequenceNumber }
    })
    expect(stored()).toEqual([{ partitionKey: 'a', value: order('a') }])
  })

  test('answers 429 with Retry-After while the buffer is full, and stores exactly what it answered 201 for', async () => {
    const { server, faults, clock, stored } = await startKinesis()
    const isHeld = holdNextPut(faults)
    const app = buildService(producerAt(server, { bufferMaxRecords: 1, recordMaxBufferedTimeMs: 0 }))
    cleanUps.push(() => app.close())

    const first = app.inject(post('first'))
    await isHeld
    const refused = await app.inject(post('refused'))
    clock.advanceBy(1000)
    const statuses = [(await first).statusCode, (await app.inject(post('third'))).statusCode]

    expect({
      status: refused.statusCode,
      retryAfter: refused.headers['retry-after'],
      code: refused.json().code
    }).toEqual({ status: 429, retryAfter: '1', code: 'KPL_ERR_BUFFER_FULL' })
    expect(statuses).toEqual([201, 201])
    expect(stored()).toEqual([
      { partitionKey: 'first', value: order('first') },
      { partitionKey: 'third', value: order('third') }
    ])
  })

  test('tells a bad order from a stream that is not there', async () => {
    const { server } = await startKinesis()
    const app = buildService(producerAt(server, { streamName: 'missing' }))
    cleanUps.push(() => app.close())

    const bad = await app.inject({ ...post('a'), payload: { customerId: '' } })
    const missing = await app.inject(post('a'))

    expect([bad.statusCode, missing.statusCode, missing.json().code]).toEqual([400, 500, 'KPL_ERR_REJECTED'])
  })

  test('on SIGTERM answers the open request, refuses new ones and ends by itself', async () => {
    const { server, faults, clock, stored } = await startKinesis()
    const isHeld = holdNextPut(faults)
    const service = run('fastify-service/main.js', [], { ...environmentFor(server), PORT: '0' })
    const [, url = ''] = await service.lineWith(/listening at (http:[^"]+)"/)
    const send = (customerId: string) =>
      fetch(`${url}/orders`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(order(customerId))
      })

    const open = send('open')
    await isHeld
    service.child.kill('SIGTERM')
    await service.lineWith(/SIGTERM: closing/)
    const isLateTaken = await send('late').then(
      answer => answer.status !== 503,
      () => false
    )
    clock.advanceBy(1000)

    expect([(await open).status, isLateTaken]).toEqual([201, false])
    expect(await service.ended).toMatchObject({ code: 0, errors: '' })
    expect(stored()).toEqual([{ partitionKey: 'open', value: order('open') }])
  })

  test('on close answers the open request while Kinesis is silent', async () => {
    const { clock, faults, producer, transport } = await new Harness().warm()
    faults.add({ match: { operation: 'PutRecords' }, action: { kind: 'silence' } })
    const passUntil = async (isOver: () => boolean) => {
      for (; !isOver(); await setImmediate()) clock.runNext()
    }
    const app = buildService(producer)
    const url = await app.listen({ host: '127.0.0.1', port: 0 })
    let answer: { status: number; code: string } | undefined
    const headers = { 'content-type': 'application/json' }
    const open = fetch(`${url}/orders`, { method: 'POST', headers, body: JSON.stringify(order('a')) })
    const answered = open.then(async response => {
      const { code } = (await response.json()) as { code: string }
      answer = { status: response.status, code }
    })
    await passUntil(() => transport.pendingCount > 0)

    const closed = app.close()
    await passUntil(() => answer !== undefined)
    await Promise.all([answered, closed])

    expect(answer).toEqual({ status: 503, code: 'KPL_ERR_CLOSE_TIMEOUT' })
  })
})

describe('examples/lambda-producer', () => {
  const messages = (...ids: readonly string[]): SQSEvent => {
    const records = ids.map(messageId => ({ messageId, body: JSON.stringify({ of: messageId }) }))
    return { Records: records } as unknown as SQSEvent
  }

  /** The function as a new instance of Lambda has it. */
  async function load(server: FakeKinesisServer) {
    for (const [name, value] of Object.entries(environmentFor(server))) vi.stubEnv(name, value)
    vi.resetModules()
    return (await import('../examples/lambda-producer/handler.ts')).handler
  }

  test('has everything stored when it returns, invocation after invocation', async () => {
    const { server, stored } = await startKinesis()
    const handler = await load(server)

    const first = await handler(messages('1', '2', '3'), lambdaContext(PLENTY_MS))
    const afterFirst = stored()
    const second = await handler(messages('4'), lambdaContext(PLENTY_MS))

    const records = ['1', '2', '3', '4'].map(id => ({ partitionKey: id, value: { of: id } }))
    expect([first, second]).toEqual([{ batchItemFailures: [] }, { batchItemFailures: [] }])
    expect(afterFirst).toEqual(records.slice(0, 3))
    expect(stored()).toEqual(records)
  })

  test('returns before its time is up, and reports what was not acknowledged', async () => {
    const { server, faults, stored } = await startKinesis()
    faults.add({ match: { operation: 'PutRecords' }, action: { kind: 'silence' } })
    const handler = await load(server)

    const answer = await handler(messages('1', '2'), lambdaContext(1200))

    expect(answer).toEqual({ batchItemFailures: [{ itemIdentifier: '1' }, { itemIdentifier: '2' }] })
    expect(stored()).toEqual([])
  })
})

describe('examples/ndjson-pipe', () => {
  const lines = Array.from({ length: 5000 }, (_, index) => ({ user: `u${index % 97}`, text: `line ${index} \u00e4` }))
  const file = join(folder, 'lines.ndjson')

  test('stores every line of a file, once', async () => {
    const { server, stored } = await startKinesis()
    server.kinesis.setThroughputLimits(false)
    writeFileSync(file, lines.map(line => JSON.stringify(line)).join('\n'))

    const {
      code,
      lines: printed,
      errors
    } = await run('ndjson-pipe/main.js', [streamName, 'user', file], environmentFor(server)).ended

    expect({ code, printed, errors }).toEqual({ code: 0, printed: ['5000 records stored'], errors: '' })
    const byText = (left: Stored, right: Stored) => (JSON.stringify(left) < JSON.stringify(right) ? -1 : 1)
    expect(stored()).toEqual(lines.map(line => ({ partitionKey: line.user, value: line })).sort(byText))
  })

  test.each([
    ['a file that is not there', 'orders', undefined, /ENOENT/],
    ['a line that is not JSON', 'orders', '{"user":"a"}\nnonsense', /SyntaxError/],
    ['a line without the key', 'orders', '{"customer":"a"}', /no text in user/],
    ['a stream that is not there', 'missing', '{"user":"a"}', /KPL_ERR_REJECTED/]
  ])('exits with 1 at %s', async (_, stream, text, message) => {
    const { server } = await startKinesis()
    if (text === undefined) rmSync(file, { force: true })
    else writeFileSync(file, text)

    const { code, errors } = await run('ndjson-pipe/main.js', [stream, 'user', file], environmentFor(server)).ended

    expect(code).toBe(1)
    expect(errors).toMatch(message)
  })
})

/** What the stream holds as an event for a Lambda function. */
function eventOf({ kinesis }: FakeKinesisServer): KinesisStreamEvent {
  const records = kinesis.storedRecords(streamName).map(({ shardId, sequenceNumber, partitionKey, data }) => ({
    eventID: `${shardId}:${sequenceNumber}`,
    kinesis: { sequenceNumber, partitionKey, data: Buffer.from(data).toString('base64') }
  }))
  return { Records: records } as unknown as KinesisStreamEvent
}

describe('examples/from-aws-kinesis-agg', () => {
  const orders = Array.from({ length: 40 }, (_, index) => ({ customerId: `c${index % 8}`, total: index }))
  const inOrder = (list: readonly { readonly total: number }[]) => [...list].sort((a, b) => a.total - b.total)

  async function produceBefore(server: FakeKinesisServer): Promise<void> {
    const { endpoint } = server
    const requestHandler = new NodeHttpHandler()
    const client = new KinesisClient({ region: 'us-east-1', endpoint, credentials, requestHandler })
    cleanUps.push(() => client.destroy())
    await before.produce(client, streamName, orders)
  }

  async function produceAfter(server: FakeKinesisServer): Promise<void> {
    await using producer = producerAt(server)
    await after.produce(producer, orders)
  }

  test.each([
    ['before', produceBefore],
    ['after', produceAfter]
  ])('the consumers before and after read what the producer %s wrote', async (_, produce) => {
    const { server } = await startKinesis()

    await produce(server)

    const event = eventOf(server)
    expect(inOrder(before.consume(event))).toEqual(orders)
    expect(inOrder(after.consume(event))).toEqual(orders)
  })

  test('a KCL consumer of a stream of several shards gets everything from the producer after, not from the one before', async () => {
    const [first, second] = [await startKinesis(), await startKinesis()]

    await produceBefore(first.server)
    await produceAfter(second.server)

    expect(first.stored()).toEqual([])
    expect(inOrder(second.stored().map(({ value }) => value as { total: number }))).toEqual(orders)
  })
})

describe('examples/lambda-consumer', () => {
  test.each([
    ['handler.ts', concurrentHandler],
    ['own-loop.ts', ownLoopHandler],
    ['powertools.ts', powertoolsHandler]
  ])('%s handles every user record that was produced, and reports none', async (_, handler) => {
    const { server } = await startKinesis()
    const log = vi.spyOn(console, 'log').mockImplementation(() => {})
    const records = Array.from({ length: 20 }, (_, index) => ({
      partitionKey: `k${index % 5}`,
      data: `{"n":${index}}`
    }))
    const producer = producerAt(server)
    await Promise.all(records.map(record => producer.put(record)))
    await producer.close()

    const answer = await handler(eventOf(server), lambdaContext(PLENTY_MS), () => {})

    expect(answer).toEqual({ batchItemFailures: [] })
    const handled = log.mock.calls.map(([partitionKey, order]) => ({ partitionKey, order }))
    const expected = records.map(({ partitionKey, data }) => ({ partitionKey, order: JSON.parse(data) }))
    expect(handled.sort((a, b) => a.order.n - b.order.n)).toEqual(expected)
  })
})
