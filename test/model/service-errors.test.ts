import { describe, expect, test } from 'vitest'
import {
  classifyEntryError,
  classifyRequestError,
  ENTRY_ERRORS,
  REQUEST_ERRORS,
  STREAM_NOT_FOUND
} from '../../src/model/service-errors.ts'

const STATUS_CODES = [undefined, 200, 400, 403, 413, 429, 500, 503]
const PROTOTYPE_NAMES = ['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'valueOf']

describe('one entry', () => {
  test.each(Object.entries(ENTRY_ERRORS))('%s means %s', (errorCode, verdict) => {
    expect(classifyEntryError(errorCode)).toBe(verdict)
  })

  test.each(Object.entries(ENTRY_ERRORS))('%s is never taken for a success (%s)', (_, verdict) => {
    expect(['throttled', 'ambiguous', 'rejected']).toContain(verdict)
  })

  test.each(['Unheard', '', 'throttlingexception', ' ThrottlingException', ...PROTOTYPE_NAMES])(
    '%j is no known code, and may have been stored',
    errorCode => {
      expect(classifyEntryError(errorCode)).toBe('ambiguous')
    }
  )
})

describe('a whole request', () => {
  test.each(Object.entries(REQUEST_ERRORS))('%s means %s, whatever the status is', (errorCode, verdict) => {
    const verdicts = STATUS_CODES.map(statusCode => classifyRequestError({ errorCode, statusCode, persisted: 'no' }))

    expect(new Set(verdicts)).toEqual(new Set([verdict]))
  })

  test.each([...Object.keys(REQUEST_ERRORS), 'Unheard', ...PROTOTYPE_NAMES])(
    '%s is ambiguous when its answer was lost, whatever the status is',
    errorCode => {
      const verdicts = STATUS_CODES.map(statusCode =>
        classifyRequestError({ errorCode, statusCode, persisted: 'maybe' })
      )

      expect(new Set(verdicts)).toEqual(new Set(['ambiguous']))
    }
  )

  test.each(['Unheard', '', ...PROTOTYPE_NAMES])('%j is no known code: the status decides', errorCode => {
    const verdicts = STATUS_CODES.map(statusCode => classifyRequestError({ errorCode, statusCode, persisted: 'no' }))

    expect(verdicts).toEqual([
      ...['outage', 'outage', 'outage', 'outage'],
      ...['rejected', 'throttled', 'outage', 'outage']
    ])
  })

  test('what keeps a request here is every code that says so, and no code of the network', () => {
    const local = Object.keys(REQUEST_ERRORS).filter(code => REQUEST_ERRORS[code] === 'local')
    const network = [
      'ECONNREFUSED',
      'ENOTFOUND',
      'EAI_AGAIN',
      'ETIMEDOUT',
      'TimeoutError',
      'CERT_HAS_EXPIRED',
      'EPROTO'
    ]

    const verdicts = network.map(errorCode => classifyRequestError({ errorCode, persisted: 'no' }))

    expect([local, new Set(verdicts)]).toEqual([
      [
        ...['ClientFault', 'CredentialsProviderError', 'RegionMissing', 'OtherRegion', 'InvalidEndpoint'],
        ...['InsecureEndpoint', 'UnknownOperationException', 'UnknownOperation']
      ],
      new Set(['outage'])
    ])
  })

  test('the code of a missing stream is one that is refused', () => {
    expect(REQUEST_ERRORS[STREAM_NOT_FOUND]).toBe('refused')
  })
})

test('codes of both tables agree on what is throttled and what is rejected', () => {
  const shared = Object.keys(ENTRY_ERRORS).filter(errorCode => Object.hasOwn(REQUEST_ERRORS, errorCode))

  expect(shared.map(errorCode => REQUEST_ERRORS[errorCode])).toEqual(shared.map(errorCode => ENTRY_ERRORS[errorCode]))
})
