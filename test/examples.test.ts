import { once } from 'node:events'
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { KinesisClient } from '@aws-sdk/client-kinesis'
import { NodeHttpHandler } from '@smithy/node-http-handler'
import type { Context, KinesisStreamEvent, SQSEvent } from 'aws-lambda'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { buildService as buildServiceOfSources } from '../examples/fastify-service/service.ts'
import type { ThreadOptions } from '../examples/worker-thread/producer-thread.ts'
import type { RecordSchema } from '../src/glue/index.ts'
import type { KinesisProducer, ProducerOptions, ProducerStats } from '../src/index.ts'
import type { FakeKinesisServer } from '../src/testing/index.ts'
import {
  cleanUp,
  cleanUps,
  credentials,
  environmentFor,
  holdNextPut,
  run as runFile,
  type Stored,
  startKinesis,
  streamName
} from './support/example-run.ts'
import { type InstalledExamples, installExamples } from './support/examples.ts'
import { Harness } from './support/harness.ts'
import { PROJECT } from './support/packed-package.ts'
import { type Family, parsePrometheus } from './support/prometheus-text.ts'

const PLENTY_MS = 300_000

let installed: InstalledExamples
let library: typeof import('../src/index.ts')
/** A place for files. */
let folder: string

beforeAll(async () => {
  installed = await installExamples()
  folder = installed.folder
  writeFileSync(join(folder, 'library.js'), "export * from 'kinesis-producer'")
  library = await installed.load('library.js')
}, 180_000)

afterEach(async () => {
  vi.unstubAllEnvs()
  vi.restoreAllMocks()
  await cleanUp()
})

afterAll(() => installed.remove())

/** An installed example in a process of its own. */
function run(example: string, args: readonly string[], environment: Readonly<Record<string, string>>) {
  return runFile(join(folder, example), args, environment)
}

function producerAt({ endpoint }: FakeKinesisServer, options: ProducerOptions = {}): KinesisProducer {
  return new library.KinesisProducer({ streamName, region: 'us-east-1', endpoint, credentials, ...options })
}

function lambdaContext(timeLeftMs: number): Context {
  const context: Partial<Context> = { functionName: 'f', getRemainingTimeInMillis: () => timeLeftMs }
  return context as Context
}

test('every example is run from the package as it is published', () => {
  const files = ['test/examples.test.ts', 'test/package/shutdown.test.ts']
  const tests = files.map(file => readFileSync(join(PROJECT, file), 'utf8')).join('')

  const examples = readdirSync(join(PROJECT, 'examples'), { withFileTypes: true })
    .filter(entry => entry.isDirectory())
    .map(({ name }) => name)

  // Its JSON is no program: test/metrics/dashboards.test.ts holds it against the exporters.
  const programs = examples.filter(name => name !== 'dashboards')
  const list = readFileSync(join(PROJECT, 'examples/README.md'), 'utf8')
  expect(examples.filter(name => !list.includes(`](${name})`))).toEqual([])
  expect(programs.filter(name => !tests.includes(`describe('examples/${name}'`))).toEqual([])
})

describe('examples/fastify-service', () => {
  let buildService: typeof buildServiceOfSources

  beforeAll(async () => {
    const service =
      await installed.load<typeof import('../examples/fastify-service/service.ts')>('fastify-service/service.js')
    buildService = service.buildService
  })

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
    // The library's own sources: their clock is virtual.
    const app = buildServiceOfSources(producer)
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
    const path = 'lambda-producer/handler.js'
    return (await installed.load<typeof import('../examples/lambda-producer/handler.ts')>(path)).handler
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
  let file: string

  beforeAll(() => {
    file = join(folder, 'lines.ndjson')
  })

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
  let before: typeof import('../examples/from-aws-kinesis-agg/before.ts')
  let after: typeof import('../examples/from-aws-kinesis-agg/after.ts')

  beforeAll(async () => {
    before = await installed.load('from-aws-kinesis-agg/before.js')
    after = await installed.load('from-aws-kinesis-agg/after.js')
  })

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
  test.each(['handler', 'own-loop', 'powertools'])(
    '%s.ts handles every user record that was produced, and reports none',
    async name => {
      const { server } = await startKinesis()
      const { handler } = await installed.load<typeof import('../examples/lambda-consumer/handler.ts')>(
        `lambda-consumer/${name}.js`
      )
      const log = vi.spyOn(console, 'log').mockImplementation(() => {})
      const records = Array.from({ length: 20 }, (_, index) => ({
        partitionKey: `k${index % 5}`,
        data: `{"n":${index}}`
      }))
      const producer = producerAt(server)
      await Promise.all(records.map(record => producer.put(record)))
      await producer.close()

      const answer = await handler(eventOf(server), lambdaContext(PLENTY_MS))

      expect(answer).toEqual({ batchItemFailures: [] })
      const handled = log.mock.calls.map(([partitionKey, order]) => ({ partitionKey, order }))
      const expected = records.map(({ partitionKey, data }) => ({ partitionKey, order: JSON.parse(data) }))
      expect(handled.sort((a, b) => a.order.n - b.order.n)).toEqual(expected)
    }
  )
})

describe('examples/demo', () => {
  test('loses nothing, and ends with the figures of the producer and of the reader', async () => {
    const demo = run('demo/main.js', ['--records', '3000', '--rate', '10000'], {})

    const { code, lines } = await demo.ended

    expect(code).toBe(0)
    expect(lines).toEqual(expect.arrayContaining(['stream demo', 'verified', 'Nothing was lost.']))
  })
})

describe('examples/schemas', () => {
  const avroType = '{"type":"record","name":"A","fields":[{"name":"name","type":"string"}]}'
  const jsonType = '{"type":"object","required":["name"]}'
  const protoType = 'syntax = "proto3"; message A { string name = 1; }'

  test('each format reads what it wrote', async () => {
    const avro = await installed.load<typeof import('../examples/schemas/avro.ts')>('schemas/avro.js')
    const json = await installed.load<typeof import('../examples/schemas/json.ts')>('schemas/json.js')
    const protobuf = await installed.load<typeof import('../examples/schemas/protobuf.ts')>('schemas/protobuf.js')
    const writers = [
      [avro.avroSerializer(avroType), avro.avroDeserializer(avroType), 'AVRO', avroType],
      [json.jsonSerializer(jsonType), json.jsonDeserializer, 'JSON', jsonType],
      [protobuf.protobufSerializer(protoType, 'A'), protobuf.protobufDeserializer(), 'PROTOBUF', protoType]
    ] as const

    const values = writers.map(([{ serialize }, deserialize, dataFormat, definition]) =>
      deserialize(serialize({ name: 'Bob' }), { versionId: 'v', name: 's', dataFormat, definition } as RecordSchema)
    )

    expect(values.map(value => ({ ...(value as object) }))).toEqual(Array(3).fill({ name: 'Bob' }))
  })
})

describe('examples/metrics', () => {
  /** A producer that had a throttle, and has settled everything. */
  async function startBusy() {
    const { server, faults } = await startKinesis(2)
    const shardIds = ['shardId-000000000000']
    faults.add({ match: { operation: 'PutRecords' }, action: { kind: 'throttle', shardIds }, times: 1 })
    const producer = producerAt(server)
    cleanUps.push(() => producer.close())
    await Promise.all(
      Array.from({ length: 50 }, (_, i) => producer.put({ partitionKey: `k${i}`, data: 'x'.repeat(i) }))
    )
    return producer
  }

  async function scrape(handler: RequestListener) {
    const server = createServer(handler).listen(0)
    cleanUps.push(() => server.close())
    await once(server, 'listening')
    const answer = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/metrics`)
    return { type: answer.headers.get('content-type'), families: parsePrometheus(await answer.text()) }
  }

  test('one page has the metrics of the process by prom-client, and those that stats() has', async () => {
    const producer = await startBusy()
    const { prometheusHandler } =
      await installed.load<typeof import('../examples/metrics/prometheus.ts')>('metrics/prometheus.js')

    const { type, families } = await scrape(prometheusHandler(producer))

    const stats = producer.stats()
    const stream = stats.streams[streamName]!
    expect(type).toBe('text/plain; version=0.0.4; charset=utf-8')
    expect(families.get('process_cpu_seconds_total')?.type).toBe('counter')
    expect(figuresOf(families, 'user_records_data_put_bytes_total')).toEqual(countersOf(stats))
    const { count, sumMs } = stream.putToAck
    const { samples } = families.get('kinesis_producer_put_to_ack_seconds')!
    const latencies = ['count', 'sum'].map(part =>
      samples.get(`kinesis_producer_put_to_ack_seconds_${part}{stream="${streamName}"}`)
    )
    expect(latencies).toEqual([count, sumMs / 1000])
  })

  test("OpenTelemetry's SDK and its exporter for Prometheus have the same figures", async () => {
    const producer = await startBusy()
    const { openTelemetryHandler } =
      await installed.load<typeof import('../examples/metrics/opentelemetry.ts')>('metrics/opentelemetry.js')
    const telemetry = openTelemetryHandler(producer)

    const { families } = await scrape(telemetry.handler)
    await telemetry.close()

    expect(figuresOf(families, 'user_records_data_put_total')).toEqual(countersOf(producer.stats()))
  })

  test('the program serves both pages until SIGTERM, and ends with its figures', async () => {
    const { server } = await startKinesis()
    const program = run('metrics/main.js', [], { ...environmentFor(server), PORT: '0' })
    const [, base = ''] = await program.lineWith(/metrics at (http:.*)\/metrics/)

    const pages = await Promise.all(
      ['metrics', 'opentelemetry', 'other'].map(async page => (await fetch(`${base}/${page}`)).status)
    )
    program.child.kill('SIGTERM')
    const { code, lines, errors } = await program.ended

    expect({ pages, code, errors }).toEqual({ pages: [200, 200, 404], code: 0, errors: '' })
    expect(lines.filter(line => line.startsWith('stream '))).toEqual(['stream orders'])
  })
})

/** The figures of stats() that the tests above compare. */
function countersOf({ bufferedRecords, streams }: ProducerStats) {
  const stream = streams[streamName]!
  return {
    received: 50,
    put: stream.userRecordsPut,
    bytes: stream.userRecordsDataPut,
    kinesisRecords: stream.kinesisRecordsPut,
    throttled: stream.throttled,
    errors: Object.values(stream.errorsByCode).reduce((sum, count) => sum + count, 0),
    requests: stream.requests,
    retries: stream.retries,
    buffered: bufferedRecords
  }
}

/** The same as a page has it, over all of its series. `bytesName`: OpenTelemetry names no unit. */
function figuresOf(families: ReadonlyMap<string, Family>, bytesName: string) {
  const sum = (name: string) => sumOf(families.get(`kinesis_producer_${name}`)!)
  return {
    received: sum('user_records_received_total'),
    put: sum('user_records_put_total'),
    bytes: sum(bytesName),
    kinesisRecords: sum('kinesis_records_put_total'),
    throttled: sum('throttled_total'),
    errors: sum('errors_by_code_total'),
    requests: sum('requests_total'),
    retries: sum('retries_total'),
    buffered: sum('buffered_records')
  }
}

function sumOf({ samples }: Family): number {
  return [...samples.values()].reduce((sum, value) => sum + value, 0)
}

describe('examples/worker-thread', () => {
  type Example = typeof import('../examples/worker-thread/producer-thread.ts')

  async function openThread(server: FakeKinesisServer, more: Partial<ThreadOptions> = {}) {
    const { ProducerThread } = await installed.load<Example>('worker-thread/producer-thread.js')
    const { endpoint } = server
    const thread = new ProducerThread({ producer: { streamName, region: 'us-east-1', endpoint, credentials }, ...more })
    cleanUps.push(() => thread.close({ timeoutMs: 1000 }).catch(() => {}))
    return thread
  }

  const text = (n: number) => JSON.stringify(`record ${n} \u00e4`)

  test('every record of the input is stored once, text and bytes alike, and close ends the thread', async () => {
    const { server, stored } = await startKinesis()
    server.kinesis.setThroughputLimits(false)
    const thread = await openThread(server)

    const puts = Array.from({ length: 5000 }, async (_, n) => {
      await thread.ready()
      await thread.put({ partitionKey: `k${n % 97}`, data: n % 2 === 0 ? text(n) : Buffer.from(text(n)) })
    })
    await Promise.all(puts)
    const { delivered } = await thread.stats()
    const closed = await thread.close({ timeoutMs: 5000 })

    expect({ delivered, closed }).toEqual({ delivered: 5000, closed: { delivered: 0, failed: 0 } })
    const values = stored().map(({ partitionKey, value }) => `${partitionKey} ${value}`)
    expect(values.sort()).toEqual(Array.from({ length: 5000 }, (_, n) => `k${n % 97} ${JSON.parse(text(n))}`).sort())
  })

  test('refuses what has no room, and ready() waits for it', async () => {
    const { server, faults, clock } = await startKinesis()
    const isHeld = holdNextPut(faults)
    const thread = await openThread(server, { maxPendingRecords: 2 })
    const first = [thread.put({ partitionKey: 'a', data: '1' }), thread.put({ partitionKey: 'a', data: '2' })]
    await isHeld

    const refused = await thread.put({ partitionKey: 'a', data: '3' }).catch(error => error.code)
    const hasRoom = thread.hasRoom
    clock.advanceBy(1000)
    await thread.ready()
    await Promise.all([...first, thread.put({ partitionKey: 'a', data: '4' })])

    expect([refused, hasRoom]).toEqual(['THREAD_FULL', false])
  })

  test('says which record of a batch failed, and why', async () => {
    const { server } = await startKinesis()
    const thread = await openThread(server)

    const outcomes = await Promise.allSettled([
      thread.put({ partitionKey: 'a', data: '1' }),
      thread.put({ partitionKey: '', data: '2' }),
      thread.put({ partitionKey: 'c', data: '3' })
    ])

    const codes = outcomes.map(outcome => (outcome.status === 'rejected' ? outcome.reason.code : 'stored'))
    expect(codes).toEqual(['stored', 'KPL_ERR_INVALID_RECORD', 'stored'])
  })

  test('close settles what is outstanding at its deadline, and refuses later puts', async () => {
    const { server, faults } = await startKinesis()
    faults.add({ match: { operation: 'PutRecords' }, action: { kind: 'silence' } })
    const thread = await openThread(server)
    const open = thread.put({ partitionKey: 'a', data: '1' }).catch(error => error.code)

    const closed = await thread.close({ timeoutMs: 100 })
    const late = await thread.put({ partitionKey: 'a', data: '2' }).catch(error => error.code)

    expect({ closed, open: await open, late }).toEqual({
      closed: { delivered: 0, failed: 1 },
      open: 'KPL_ERR_CLOSE_TIMEOUT',
      late: 'THREAD_ENDED'
    })
  })

  test('a thread that fails rejects what was not answered', async () => {
    const { server } = await startKinesis()
    const thread = await openThread(server, { producer: { streamName: 'not a name' } })

    const put = await thread.put({ partitionKey: 'a', data: '1' }).catch(error => error)
    const closed = await thread.close({ timeoutMs: 100 }).catch(error => error.code)

    expect([put.code, closed]).toEqual(['THREAD_ENDED', 'THREAD_ENDED'])
    expect(put.message).toMatch(/streamName/)
  })

  test('the program stores every line', async () => {
    const { server, stored } = await startKinesis()
    server.kinesis.setThroughputLimits(false)
    const program = run('worker-thread/main.js', [streamName], environmentFor(server))

    program.child.stdin.end(Array.from({ length: 1000 }, (_, n) => `${text(n)}\n`).join(''))
    const { code, lines, errors } = await program.ended

    expect({ code, lines, errors }).toEqual({ code: 0, lines: ['1000 records stored'], errors: '' })
    expect(stored().length).toBe(1000)
  })
})
