/** What is read out of errors: all that they say, the code that explains them, and whether there was a connection. */
import { describe, expect, test } from 'vitest'
import { isNetworkFault, isNeverConnected, nodeCodeOf, textOf } from '../../src/aws/node-fault.ts'

function refused(address: string): Error {
  const fields = { code: 'ECONNREFUSED', syscall: 'connect', address, port: 9 }
  return Object.assign(new Error(`connect ECONNREFUSED ${address}:9`), fields)
}

const reset = Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET', syscall: 'read' })
const endless: Error & { cause?: unknown } = new Error('round')
endless.cause = endless

describe('the text of an error', () => {
  test.each<[string, unknown, string]>([
    [
      'both addresses that were refused',
      Object.assign(new AggregateError([refused('::1'), refused('127.0.0.1')]), { code: 'ECONNREFUSED' }),
      'connect ECONNREFUSED ::1:9; connect ECONNREFUSED 127.0.0.1:9'
    ],
    [
      'a message and the errors behind it',
      new AggregateError([new Error('one'), new Error('two')], 'in vain'),
      'in vain: one; two'
    ],
    ['one text for equal errors', new AggregateError([new Error('a'), new Error('a')]), 'a'],
    [
      'the cause of an error',
      new Error('fetch failed', { cause: refused('::1') }),
      'fetch failed: connect ECONNREFUSED ::1:9'
    ],
    ['the cause of one without a message', new Error('', { cause: new Error('why') }), 'why'],
    ['a cause once, when the message has it', new Error('because: why', { cause: new Error('why') }), 'because: why'],
    [
      'the fields of a system error without a message',
      Object.assign(new Error(''), { code: 'ECONNREFUSED', syscall: 'connect', address: '::1', port: 9 }),
      'connect ECONNREFUSED ::1:9'
    ],
    ['a text that was thrown', 'text', 'text'],
    ['nothing of an empty error', new Error(''), ''],
    ['nothing of nothing', undefined, ''],
    ['a message once, when it is its own cause', endless, 'round']
  ])('is %s', (_, thrown, expected) => {
    const text = textOf(thrown)

    expect(text).toBe(expected)
  })
})

test.each<[string, unknown, string | undefined, boolean, boolean]>([
  ['two refused addresses', new AggregateError([refused('::1'), refused('127.0.0.1')]), 'ECONNREFUSED', true, true],
  ['a refused address and a reset', new AggregateError([refused('::1'), reset]), 'ECONNREFUSED', false, true],
  ['a refused cause', new TypeError('fetch failed', { cause: refused('::1') }), 'ECONNREFUSED', true, true],
  ['a reset cause', new TypeError('fetch failed', { cause: reset }), 'ECONNRESET', false, true],
  ['an error that is its own cause', endless, undefined, false, false],
  ['a file that is not there', Object.assign(new Error(), { code: 'ENOENT', syscall: 'open' }), 'ENOENT', false, false],
  [
    'a socket that is not there',
    Object.assign(new Error(), { code: 'ENOENT', syscall: 'connect' }),
    'ENOENT',
    true,
    true
  ],
  ['a wrong argument', Object.assign(new TypeError(), { code: 'ERR_INVALID_URL' }), 'ERR_INVALID_URL', false, false],
  ['a certificate', Object.assign(new Error(), { code: 'CERT_HAS_EXPIRED' }), 'CERT_HAS_EXPIRED', true, true],
  [
    'a TLS error',
    Object.assign(new Error(), { code: 'ERR_SSL_WRONG_VERSION_NUMBER' }),
    'ERR_SSL_WRONG_VERSION_NUMBER',
    false,
    true
  ],
  [
    'an HTTP library of its own',
    Object.assign(new Error(), { code: 'UND_ERR_CONNECT_TIMEOUT' }),
    'UND_ERR_CONNECT_TIMEOUT',
    false,
    true
  ],
  [
    'one address of many that was connected to',
    new AggregateError([...Array.from({ length: 9 }, () => refused('::1')), reset]),
    'ECONNREFUSED',
    false,
    true
  ],
  ['a list of errors with nothing in it', { errors: new Array(3) }, undefined, false, false],
  ['foreign codes', Object.assign(new Error(), { code: 'secret code' }), undefined, false, false],
  ['nothing', undefined, undefined, false, false]
])('%s: its code, whether there never was a connection, whether it is the network', (_, thrown, ...expected) => {
  const found = [nodeCodeOf(thrown), isNeverConnected(thrown), isNetworkFault(thrown)]

  expect(found).toEqual(expected)
})

test('the text of errors in errors in errors is bounded, and so is the time to find it', () => {
  let readCount = 0
  const nested = (depth: number): object => ({
    get message() {
      readCount++
      return `${depth} ${'x '.repeat(100_000)}`
    },
    errors: depth === 0 ? [] : Array.from({ length: 8 }, () => nested(depth - 1))
  })

  const text = textOf(nested(4))

  expect(text.length).toBe(2_048)
  expect(readCount).toBeLessThan(200)
})
