import { Console } from 'node:console'
import { Writable } from 'node:stream'
import { Logger as PowertoolsLogger } from '@aws-lambda-powertools/logger'
import { pino } from 'pino'
import { afterEach, expect, test, vi } from 'vitest'
import winston from 'winston'
import { CloudWatchMetrics } from '../../src/metrics/cloudwatch.ts'
import { OptionsError } from '../../src/model/errors.ts'
import { fromObjectFirst, type ObjectFirstLogger } from '../../src/model/object-first-logger.ts'
import type { Logger } from '../../src/model/ports.ts'
import { Harness, STREAM } from '../support/harness.ts'

const SHARD = 'shardId-000000000000'
const FIELDS = { streamName: STREAM, shardId: SHARD, kinesisRecords: 1 }

afterEach(() => vi.restoreAllMocks())

test('pino gets message and fields, though it takes them the other way round', async () => {
  const { stream, lines } = collector()

  await throttled(pino({ base: null, timestamp: false }, stream))

  expect(lines().map(parse)[0]).toEqual({ level: 40, msg: 'shard throttled', ...FIELDS })
})

test("a child of pino's is known as well", async () => {
  const { stream, lines } = collector()

  await throttled(pino({ base: null, timestamp: false }, stream).child({ service: 'orders' }))

  expect(lines().map(parse)[0]).toEqual({ level: 40, msg: 'shard throttled', service: 'orders', ...FIELDS })
})

test('winston gets message and fields', async () => {
  const { stream, lines } = collector()
  const transports = [new winston.transports.Stream({ stream })]

  await throttled(winston.createLogger({ format: winston.format.json(), transports }))

  expect(lines().map(parse)[0]).toEqual({ level: 'warn', message: 'shard throttled', ...FIELDS })
})

test('the Powertools logger gets message and fields', async () => {
  const written: string[] = []
  vi.spyOn(process.stdout, 'write').mockImplementation(text => written.push(String(text)) > 0)
  vi.spyOn(process.stderr, 'write').mockImplementation(text => written.push(String(text)) > 0)

  await throttled(new PowertoolsLogger({ serviceName: 'orders' }))

  vi.restoreAllMocks()
  const line = written.find(text => text.includes('shard throttled'))
  expect(parse(line ?? '{}')).toMatchObject({ level: 'WARN', message: 'shard throttled', service: 'orders', ...FIELDS })
})

test('console gets message and fields', async () => {
  const { stream, lines } = collector()

  await throttled(new Console({ stdout: stream, stderr: stream, inspectOptions: { breakLength: Infinity } }))

  expect(lines()[0]).toBe(`shard throttled { streamName: '${STREAM}', shardId: '${SHARD}', kinesisRecords: 1 }`)
})

test("a logger of one's own that takes fields first is wrapped", async () => {
  const lines: unknown[][] = []
  const at =
    (level: string) =>
    (...args: unknown[]) =>
      void lines.push([level, ...args])
  const own: ObjectFirstLogger = { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
  const logger = fromObjectFirst(own)

  await throttled(logger)
  logger.info('without fields')

  expect(lines).toEqual([
    ['warn', FIELDS, 'shard throttled'],
    ['info', expect.objectContaining({ shardId: SHARD }), 'shard no longer throttled'],
    ['info', {}, 'without fields']
  ])
})

test("bunyan's shape is known", async () => {
  const lines: unknown[][] = []
  const at =
    (level: string) =>
    (...args: unknown[]) =>
      void lines.push([level, ...args])
  const levels = { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
  const bunyan = { ...levels, fields: {}, child() {}, addSerializers() {}, addStream() {} }

  await throttled(bunyan)

  expect(lines[0]).toEqual(['warn', FIELDS, 'shard throttled'])
})

test('the CloudWatch exporter knows pino too', async () => {
  const { stream, lines } = collector()
  const { producer, clock } = new Harness()
  const logger = pino({ base: null, timestamp: false }, stream)
  const write = () => {
    throw new Error('no pipe')
  }
  const metrics = new CloudWatchMetrics(producer, { write, clock, logger, uploadDelayMs: 1_000 })

  clock.advanceTo(clock.nowMs() + 1_000)
  await new Promise(resolve => setImmediate(resolve))

  await metrics.close().catch(() => {})
  expect(lines().map(parse)[0]).toEqual({
    level: 40,
    msg: 'metrics upload failed, will go again',
    error: 'Error: no pipe'
  })
})

/** Lets a shard be throttled once, and calm down. */
async function throttled(logger: Logger): Promise<void> {
  const harness = await new Harness({ logger }).warm()
  harness.faults.add({ match: { operation: 'PutRecords' }, action: { kind: 'throttle' }, times: 1 })
  harness.put('k', 'x')
  await harness.pass(30_000)
}

function collector() {
  let text = ''
  const stream = new Writable({
    write(chunk, _encoding, callback) {
      text += String(chunk)
      callback()
    }
  })
  return { stream, lines: () => text.trimEnd().split('\n') }
}

function parse(line: string): unknown {
  return JSON.parse(line)
}

test.each<[string, unknown, string]>([
  ['pino itself', pino, 'debug, info, warn, error; it is a function: call it, and give what it returns'],
  ['half of one', { info() {}, warn() {} }, 'debug, error'],
  ['nothing', undefined, 'debug, info, warn, error']
])('fromObjectFirst refuses %s: its lines would be lost one by one', (_, given, missing) => {
  const call = () => fromObjectFirst(given as ObjectFirstLogger)

  expect(call).toThrow(new OptionsError([`logger must have the methods ${missing}`]))
})
