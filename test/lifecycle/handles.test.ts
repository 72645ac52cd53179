import { afterAll, beforeAll, expect, test } from 'vitest'
import { type FakeKinesisServer, FaultPlan, startFakeKinesisServer } from '../../src/testing/index.ts'
import { type ChildRun, MAX_PROGRAM_MS, runProgram } from './child-program.ts'
import type { CyclesReport } from './programs/cycles.ts'

const CYCLES = 1001
/** There are eleven ways. */
const EACH = 91
/** One leaking cycle in fifty would show. */
const MAX_LEAKING_PART = 0.02

let server: FakeKinesisServer
let run: ChildRun<CyclesReport>

beforeAll(async () => {
  const faults = new FaultPlan([{ match: { streamName: 'silent' }, action: { kind: 'silence' } }])
  server = await startFakeKinesisServer({ faults })
  server.kinesis.createStream({ StreamName: 'orders', ShardCount: 2 })
  server.kinesis.createStream({ StreamName: 'silent', ShardCount: 2 })
  run = await runProgram<CyclesReport>('cycles', [server.endpoint, String(CYCLES)])
}, MAX_PROGRAM_MS)
afterAll(() => server.close())

test('1,001 producers are opened and closed in every way, and every record is answered', () => {
  const { cycles, delivered, failed, refusedOptions } = run.report

  expect(cycles).toEqual({
    'put, flush, close': EACH,
    disposed: EACH,
    'closed twice at once, and again': EACH,
    'closed in an outage': EACH,
    'closed in an outage while others wait': EACH,
    'never put': EACH,
    'opened and forgotten': EACH,
    'invalid options': EACH,
    'putAll, left early': EACH,
    writable: EACH,
    'records taken back': EACH
  })
  // One record each by four ways and 20 by the writable; 10 each by both outages and one taken back.
  expect({ delivered, failed, refusedOptions }).toEqual({
    delivered: 24 * EACH,
    failed: 21 * EACH,
    refusedOptions: EACH
  })
})

test('they leave no socket, no timer and no listener on the process', () => {
  const { before, after } = run.report

  expect(after).toEqual(before)
  // The channel to this test, and nothing else.
  expect(after.resources).toEqual({ PipeWrap: 1 })
})

test('they cause no warning and no unhandled rejection, and write nothing', () => {
  const { stdout, stderr } = run
  const { warnings, unhandled } = run.report

  expect({ stdout, stderr, warnings, unhandled }).toEqual({ stdout: '', stderr: '', warnings: [], unhandled: [] })
})

test('the process ends by itself', () => {
  const { exitCode, lingeredMs } = run

  expect(exitCode).toBe(0)
  expect(lingeredMs).toBeLessThan(2000)
})

test('the heap does not keep them', () => {
  const { heapBytes, producerBytes } = run.report

  const [halfBytes, endBytes] = [heapBytes[heapBytes.length >> 1]!, heapBytes.at(-1)!]
  // The first half is for compiled code and caches, which end growing.
  const mostBytes = (CYCLES / 2) * MAX_LEAKING_PART * producerBytes
  expect(endBytes - halfBytes, JSON.stringify({ heapBytes, producerBytes })).toBeLessThan(mostBytes)
})
