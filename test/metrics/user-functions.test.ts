import { ProxyTracerProvider, type Tracer } from '@opentelemetry/api'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { CloudWatchMetrics, type CloudWatchOptions } from '../../src/metrics/cloudwatch.ts'
import { openTelemetry } from '../../src/metrics/otel.ts'
import { microtasks } from '../support/harness.ts'
import { Observed } from './fixture.ts'

const FAULT = new Error('a fault of the user')
const thrower = () => {
  throw FAULT
}
const rejecter = () => Promise.reject(FAULT)

const escaped: unknown[] = []
const keep = (error: unknown) => escaped.push(error)
beforeEach(() => {
  escaped.length = 0
  process.on('unhandledRejection', keep)
  process.on('uncaughtException', keep)
})
afterEach(() => {
  process.off('unhandledRejection', keep)
  process.off('uncaughtException', keep)
  vi.restoreAllMocks()
})

/** An exporter of log lines, each a document, over one stream. */
async function exporter(options: Partial<CloudWatchOptions>) {
  const observed = await new Observed().open()
  const { clock } = observed.harness
  const lines: string[] = []
  const write = (line: string): unknown => lines.push(line)
  const defaults = { clock, granularity: 'global', level: 'summary', wallMs: () => 0 } as const
  const metrics = new CloudWatchMetrics(observed, { ...defaults, write, ...options })
  const put = () => lines.map(line => JSON.parse(line).UserRecordsPut)
  return { observed, metrics, put, write }
}

describe('the CloudWatch exporter', () => {
  test.each([
    ['throws', thrower],
    ['rejects', rejecter as () => void]
  ])('goes on when its logger %s', async (_, warn) => {
    const logger = { debug() {}, info() {}, warn, error() {} }
    let isBroken = true
    const { observed, put, write, metrics } = await exporter({
      logger,
      write: line => (isBroken ? thrower() : write(line))
    })
    await observed.send(['k', 'x'])
    await observed.harness.pass(60_000)
    isBroken = false

    await observed.harness.pass(60_000)

    expect([put(), escaped]).toEqual([[{ Max: 1, Min: 1, Count: 1, Sum: 1 }], []])
    await metrics.close()
  })

  test.each<[string, (fail: () => boolean, write: (line: string) => unknown) => Partial<CloudWatchOptions>]>([
    ['write rejects', (fail, write) => ({ write: async line => (fail() ? rejecter() : write(line)) })],
    ['wallMs throws', fail => ({ wallMs: () => (fail() ? thrower() : 0) })]
  ])('loses nothing when %s', async (_, options) => {
    let calls = 0
    const lines: string[] = []
    const write = (line: string) => lines.push(line)
    const { observed, metrics } = await exporter({ write, ...options(() => calls++ === 0, write) })
    await observed.send(['k', 'x'])

    const first = await metrics.flush().catch((error: unknown) => error)
    await observed.send(['k', 'y'])
    await metrics.flush()

    const put = lines.map(line => JSON.parse(line).UserRecordsPut)
    expect([first, put, escaped]).toEqual([FAULT, [{ Max: 1, Min: 1, Count: 2, Sum: 2 }], []])
  })

  test('closes in time when write never ends', async () => {
    const { observed, metrics } = await exporter({ write: () => new Promise(() => {}) })
    await observed.send(['k', 'x'])

    const closing = metrics.close({ timeoutMs: 500 }).catch((error: Error) => error.name)
    await observed.harness.pass(500)

    expect(await Promise.race([closing, microtasks().then(() => 'hangs')])).toBe('AbortError')
  })
})

describe('OpenTelemetry', () => {
  test('whose tracer throws does not disturb the producer, and is a process warning', async () => {
    const warned: unknown[] = []
    vi.spyOn(process, 'emitWarning').mockImplementation(
      ((message: unknown, { code }: { code: string }) =>
        void warned.push([code, message])) as typeof process.emitWarning
    )
    const observed = await new Observed().open()
    const tracerProvider = new ProxyTracerProvider()
    tracerProvider.setDelegate({ getTracer: () => ({ startSpan: thrower }) as unknown as Tracer })
    const telemetry = openTelemetry(observed, { tracerProvider })

    await observed.send(['k', 'x'])
    await microtasks()

    const text = 'a span processor or another part of OpenTelemetry threw: Error: a fault of the user'
    expect([escaped, warned]).toEqual([[], [['KPL_WARN_TELEMETRY_THREW', text]]])
    expect(observed.stats()).toMatchObject({ delivered: 1, bufferedRecords: 0 })
    telemetry.close()
  })
})
