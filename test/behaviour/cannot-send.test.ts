/** What can never be sent fails at once, in its own words; what may pass is waited for. */
import { describe, expect, test } from 'vitest'
import { type RecordFailedError, TransportError } from '../../src/model/errors.ts'
import { REQUEST_ERRORS } from '../../src/model/service-errors.ts'
import { Harness } from '../support/harness.ts'

const LOCAL = Object.keys(REQUEST_ERRORS).filter(code => REQUEST_ERRORS[code] === 'local')
const CAUSE = new Error('no tenant')
const START_MS = 1_000_000

/** A producer whose requests fail here until they are `mended`. */
function broken(errorCode = 'ClientFault', options: { readonly tryMs?: number; readonly failures?: number } = {}) {
  const harness = new Harness()
  const { transport, clock } = harness
  const inner = transport.putRecords.bind(transport)
  const message = `${errorCode}: no tenant`
  let tryCount = 0
  let failsUntil = options.failures ?? Number.POSITIVE_INFINITY
  transport.putRecords = async request => {
    if (tryCount++ >= failsUntil) return inner(request)
    await new Promise<void>(resolve => clock.schedule(clock.nowMs() + (options.tryMs ?? 0), resolve))
    throw new TransportError({ errorCode, message, persisted: 'no', cause: CAUSE })
  }
  const mend = (): void => {
    failsUntil = tryCount
  }
  return { harness, mend, breakAgain: () => (failsUntil = Number.POSITIVE_INFINITY), tryCount: () => tryCount }
}

describe.each(LOCAL)('a request that %s keeps here', code => {
  test('fails its records within two seconds, in its own words, with its cause, and as not stored', async () => {
    const { harness, tryCount } = broken(code)
    const slot = harness.put('k', 'v')

    await harness.settle(harness.producer.flush())

    const error = slot.settled?.error as RecordFailedError
    expect({ ...error, attempts: error.attempts.length, message: error.message, cause: error.cause }).toEqual({
      name: 'RecordFailedError',
      code: 'KPL_ERR_CANNOT_SEND',
      retryable: false,
      persisted: 'no',
      serviceCode: code,
      attempts: tryCount(),
      message: `stream orders: nothing can be sent: ${code}: no tenant`,
      cause: CAUSE
    })
    expect(slot.settled!.atMs - START_MS < 2000).toBe(true)
    // Credentials may only be late; everything else here is as it is.
    const isPatient = code === 'CredentialsProviderError'
    expect([tryCount() > 3, slot.settled!.atMs - START_MS >= 1500]).toEqual([isPatient, isPatient])
  })
})

test('a record that is put while nothing can be sent fails within two seconds too', async () => {
  const { harness } = broken()
  harness.put('k', 'first')
  await harness.settle(harness.producer.flush())
  await harness.pass(60_000)
  const putMs = harness.clock.nowMs()

  const slot = harness.put('k', 'later')
  await harness.settle(harness.producer.flush())

  expect([slot.settled?.error?.code, slot.settled!.atMs - putMs < 2000]).toEqual(['KPL_ERR_CANNOT_SEND', true])
})

test('a provider that takes five seconds to fail is asked once', async () => {
  const { harness, tryCount } = broken('CredentialsProviderError', { tryMs: 5000 })
  const slot = harness.put('k', 'v')

  await harness.settle(harness.producer.flush())

  expect([slot.settled?.error?.code, tryCount(), slot.settled!.atMs - START_MS < 6000]).toEqual([
    'KPL_ERR_CANNOT_SEND',
    1,
    true
  ])
})

test.each([1, 2])('what throws %i times and then works loses nothing', async failures => {
  const { harness } = broken('ClientFault', { failures })
  const slot = harness.put('k', 'v')

  await harness.settle(harness.producer.flush())

  expect(slot.settled?.result?.attempts.map(({ errorCode }) => errorCode)).toEqual([
    ...Array(failures).fill('ClientFault'),
    undefined
  ])
})

test('a stream that took records waits 30 seconds for what went wrong since', async () => {
  const { harness, mend, breakAgain } = broken()
  mend()
  await harness.warm()
  breakAgain()
  const saved = harness.put('k', 'saved')
  await harness.pass(25_000)
  mend()
  await harness.pass(2_000)
  breakAgain()
  const lost = harness.put('k', 'lost')
  const putMs = harness.clock.nowMs()

  await harness.settle(harness.producer.flush())

  expect([saved.settled?.error, lost.settled?.error?.code]).toEqual([undefined, 'KPL_ERR_CANNOT_SEND'])
  expect(Math.floor((lost.settled!.atMs - putMs) / 1000)).toBe(30)
})

test.each(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'TimeoutError', 'EPROTO', 'CERT_HAS_EXPIRED'])(
  '%s stays an outage, which is waited for as long as the record lives',
  async code => {
    const { harness, mend } = broken(code)
    const slot = harness.put('k', 'v')
    await harness.pass(60_000)

    mend()
    await harness.settle(harness.producer.flush())

    expect(slot.settled?.result?.shardId).toBe('shardId-000000000000')
  }
)

describe('the code of the service', () => {
  const TEXTS: readonly (readonly [text: string, told: string])[] = [
    ['not allowed', 'Odd: not allowed'],
    ['Odd: not allowed', 'Odd: not allowed'],
    ['Odd: Odd: not allowed', 'Odd: not allowed'],
    ['Odd', 'Odd'],
    ['Oddly not allowed', 'Odd: Oddly not allowed']
  ].map(([text, told]) => [
    text!.replaceAll('Odd', 'ValidationException'),
    told!.replaceAll('Odd', 'ValidationException')
  ])

  test.each(TEXTS)('is told once for a request that says %j', async (errorMessage, told) => {
    const harness = new Harness()
    const action = { kind: 'failRequest', errorCode: 'ValidationException', statusCode: 400, errorMessage } as const
    harness.faults.add({ match: { operation: 'PutRecords' }, action })
    const slot = harness.put('k', 'v')

    await harness.settle(harness.producer.flush())

    expect(slot.settled?.error?.message).toBe(`stream orders: ${told}`)
  })

  test.each(TEXTS)('is told once for a record that says %j', async (errorMessage, told) => {
    const harness = new Harness()
    const action = { kind: 'failRecords', errorCode: 'ValidationException', errorMessage } as const
    harness.faults.add({ match: { operation: 'PutRecords' }, action })
    const slot = harness.put('k', 'v')

    await harness.settle(harness.producer.flush())

    expect(slot.settled?.error?.message).toBe(`stream orders: ${told}`)
  })
})
