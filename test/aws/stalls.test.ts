/** A process that stands still while an answer comes: the answer counts, not the time-out that passed meanwhile. */
import { readFile } from 'node:fs'
import { afterEach, describe, expect, test } from 'vitest'
import { answeringWorker } from './answering-worker.ts'
import { closeAll, failure, failureOf, putAnswer, request, transportTo } from './fixture.ts'

afterEach(closeAll)

const REQUEST_TIMEOUT_MS = 400
const STALL_MS = 600

/** Where in the event loop the process stands still. */
const PHASES: [string, (run: () => void) => void][] = [
  ['a timer', run => setTimeout(run, 0)],
  ['an I/O callback', run => readFile(new URL(import.meta.url), run)],
  ['the check phase', run => setImmediate(run)]
]

function standStill(): void {
  const untilMs = performance.now() + STALL_MS
  while (performance.now() < untilMs);
}

describe.each(PHASES)('after a stall in %s', (_, inPhase) => {
  test('an answer that waits in the socket wins over the time-out that passed', async () => {
    const { endpoint, came } = await answeringWorker(putAnswer(1), 20)
    const transport = transportTo(endpoint, { requestTimeoutMs: REQUEST_TIMEOUT_MS })
    const outcomes: unknown[] = []

    for (let i = 0; i < 2; i++) {
      const answered = transport.putRecords(request()).then(
        ({ records }) => records[0]?.shardId,
        (error: unknown) => error
      )
      await came()
      inPhase(standStill)
      outcomes.push(await answered)
    }

    expect(outcomes).toEqual(Array(2).fill('shardId-000000000000'))
  })

  test('a request without an answer still times out', async () => {
    const { endpoint, came } = await answeringWorker('', -1)

    const outcome = failureOf(transportTo(endpoint, { requestTimeoutMs: REQUEST_TIMEOUT_MS }).putRecords(request()))
    await came()
    inPhase(standStill)

    expect(await outcome).toEqual(failure('TimeoutError', 'maybe'))
  })
})
