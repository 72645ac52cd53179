import { expect, test } from 'vitest'
import { codedText, type RecordFailedError } from '../../src/model/errors.ts'
import { type FaultAction, seededRandom } from '../../src/testing/index.ts'
import { Harness, STREAM } from '../support/harness.ts'

/** `SEED=7 npx vitest run test/behaviour/stories-at-random.test.ts` runs one seed. */
const env = process.env
const seeds = env['SEED'] === undefined ? Array.from({ length: 25 }, (_, i) => i + 1) : [Number(env['SEED'])]
const ACTIONS: readonly FaultAction[] = [
  { kind: 'throttle' },
  { kind: 'throttle', shardIds: ['shardId-000000000000'] },
  { kind: 'reset' },
  { kind: 'reset', isApplied: true },
  { kind: 'failRequest', errorCode: 'AccessDeniedException', statusCode: 400 },
  { kind: 'failRecords', errorCode: 'InternalFailure', records: { everyNth: 2 } },
  { kind: 'delay', delayMs: 900 }
]

test.each(seeds)(
  'every failed record tells its own attempts, and is in exactly one line of the log (SEED=%i)',
  async seed => {
    const random = seededRandom(seed)
    const lines: (readonly [message: string, userRecords: unknown])[] = []
    const say = (message: string, fields?: Readonly<Record<string, unknown>>): void =>
      void lines.push([message, fields?.['userRecords']])
    const logger = { debug: say, info: say, warn: say, error: say }
    const harness = await new Harness({
      seed,
      logger,
      shardCount: 2,
      recordTtlMs: 1_500,
      failIfThrottled: seed % 5 === 0
    }).warm()
    const errors: RecordFailedError[] = []
    const note = (error: RecordFailedError | undefined): void => void (error !== undefined && errors.push(error))
    for (let i = 0; i < 150; i++) {
      const action = ACTIONS[Math.floor(random() * ACTIONS.length)]!
      if (i % 15 === 0) {
        harness.faults.clear()
        harness.faults.add({ match: { operation: 'PutRecords' }, action })
      }
      if (random() < 0.05) harness.kinesis.reshard(STREAM, 1 + Math.floor(random() * 4))
      const record = { partitionKey: `key-${i % 7}`, data: `d${i}` }
      if (random() < 0.1) harness.producer.put(record, { signal: soon(harness, random() * 800) }).catch(note)
      else harness.producer.tryPut(record, note)
      await harness.pass(random() * 60)
    }

    await harness.settle(harness.producer.close({ timeoutMs: 400 }))

    const lost = lines.filter(([message]) => message === 'records failed' || message === 'records taken back')
    expect(lost.reduce((sum, [, userRecords]) => sum + Number(userRecords), 0)).toBe(errors.length)
    expect(errors.length).toBe(harness.producer.stats().failed)
    expect(errors.map(toldOf)).toEqual(errors.map(expectedOf))
  }
)

/** The end of the message and the code, for failures that end with attempts. */
function toldOf({ code, message, serviceCode }: RecordFailedError) {
  return endsWithAttempts(code) ? [message.slice(message.indexOf('; ') + 2), serviceCode] : [code]
}

function expectedOf({ code, attempts }: RecordFailedError) {
  if (!endsWithAttempts(code)) return [code]
  const codes = attempts.map(({ errorCode }) => errorCode)
  const serviceCode = codes.findLast(errorCode => errorCode !== 'Unanswered')
  if (codes.length === 0) return ['it was never sent', undefined]
  const isCut = codes.at(-1) === 'Unanswered' && serviceCode !== undefined
  const last = attempts.at(-1)!
  const isExplained = last.errorMessage !== undefined && last.errorCode !== 'Unanswered'
  const text = isExplained ? codedText(last.errorCode!, last.errorMessage!) : last.errorCode
  return [`last attempt: ${text}${isCut ? `, before it: ${serviceCode}` : ''}`, serviceCode]
}

function endsWithAttempts(code: string): boolean {
  return ['KPL_ERR_EXPIRED', 'KPL_ERR_CLOSE_TIMEOUT', 'KPL_ERR_ABORTED'].includes(code)
}

function soon({ clock }: Harness, delayMs: number): AbortSignal {
  const controller = new AbortController()
  clock.schedule(clock.nowMs() + delayMs, () => controller.abort())
  return controller.signal
}
