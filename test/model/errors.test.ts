import fc from 'fast-check'
import { beforeAll, describe, expect, test, vi } from 'vitest'
import {
  assertNever,
  ERRORS,
  type ErrorCode,
  InvalidRecordError,
  OptionsError,
  ProducerError,
  RecordFailedError,
  safeText,
  TransportError
} from '../../src/model/errors.ts'

type Module = typeof import('../../src/model/errors.ts')

const CODES = Object.keys(ERRORS) as ErrorCode[]
const FAILURE = { message: 'm', persisted: 'maybe', attempts: [], serviceCode: 'Code' } as const

describe('the table', () => {
  test.each(CODES)('%s is a code with a class, a sentence and a word on trying again', code => {
    const entry = ERRORS[code]

    expect(code).toMatch(/^KPL_ERR_[A-Z_]+$/)
    expect(entry).toEqual({
      class: expect.stringMatching(/^[A-Z][A-Za-z]+Error$/) as string,
      retryable: expect.any(Boolean) as boolean,
      doc: expect.stringMatching(/^.+\.$/) as string
    })
  })

  test.each(CODES)('%s makes an error that carries it', code => {
    const cause = new Error('cause')

    const error = new ProducerError(code, 'message', { cause })

    expect([error.code, error.retryable, error.message, error.name, error.cause === cause]).toEqual([
      code,
      ERRORS[code].retryable,
      'message',
      'ProducerError',
      true
    ])
    expect([error instanceof Error, error instanceof ProducerError]).toEqual([true, true])
  })
})

describe('the subclasses', () => {
  test.each<[string, ProducerError, object]>([
    ['OptionsError', new OptionsError(['a', 'b']), { code: 'KPL_ERR_INVALID_OPTIONS', faults: ['a', 'b'] }],
    [
      'InvalidRecordError',
      new InvalidRecordError('KPL_ERR_RECORD_TOO_LARGE', 'data', 'is large'),
      { code: 'KPL_ERR_RECORD_TOO_LARGE', field: 'data', message: 'data is large' }
    ],
    [
      'RecordFailedError',
      new RecordFailedError({ code: 'KPL_ERR_EXPIRED', ...FAILURE }),
      { code: 'KPL_ERR_EXPIRED', ...FAILURE }
    ],
    [
      'TransportError',
      new TransportError({ errorCode: 'E', message: 'm', persisted: 'no', statusCode: 400 }),
      { code: 'KPL_ERR_TRANSPORT', errorCode: 'E', persisted: 'no', statusCode: 400 }
    ]
  ])('%s carries its data, its name and its code', (name, error, data) => {
    expect(error).toMatchObject({ name, ...data })
    expect(error instanceof ProducerError).toBe(true)
    expect(error.retryable).toBe(ERRORS[error.code].retryable)
    expect(ERRORS[error.code].class).toBe(name)
  })

  test('the options error says every fault in its message', () => {
    expect(new OptionsError(['a', 'b']).message).toBe('Invalid options: a; b')
  })

  test('a transport error has a cause only when one is given', () => {
    const without = new TransportError({ errorCode: 'E', message: 'm', persisted: 'no' })
    const withOne = new TransportError({ errorCode: 'E', message: 'm', persisted: 'no', cause: 7 }, 'KPL_ERR_PROTOCOL')

    expect(['cause' in without, withOne.cause, withOne.code]).toEqual([false, 7, 'KPL_ERR_PROTOCOL'])
  })
})

describe('instanceof', () => {
  let copy: Module

  beforeAll(async () => {
    vi.resetModules()
    copy = await import('../../src/model/errors.ts')
  })

  test('holds for the base class across two copies of the package, both ways', () => {
    const foreign = new copy.RecordFailedError({ code: 'KPL_ERR_EXPIRED', ...FAILURE })
    const own = new OptionsError([])

    expect(copy.ProducerError === ProducerError).toBe(false)
    expect([foreign instanceof ProducerError, own instanceof copy.ProducerError]).toEqual([true, true])
  })

  test('of a subclass keeps the ordinary rule', () => {
    const foreign = new copy.RecordFailedError({ code: 'KPL_ERR_EXPIRED', ...FAILURE })
    const own = new RecordFailedError({ code: 'KPL_ERR_EXPIRED', ...FAILURE })

    expect([
      foreign instanceof RecordFailedError,
      own instanceof RecordFailedError,
      own instanceof OptionsError,
      new ProducerError('KPL_ERR_CLOSED', 'm') instanceof RecordFailedError
    ]).toEqual([false, true, false, false])
  })

  test.each([
    undefined,
    null,
    7,
    'text',
    {},
    new Error('plain'),
    Object.assign(new Error(), { code: 'KPL_ERR_CLOSED' })
  ])('is false for what is none of ours (%#)', value => {
    expect([(value as unknown) instanceof ProducerError, (value as unknown) instanceof OptionsError]).toEqual([
      false,
      false
    ])
  })

  test('leaves no mark that is seen when the error is listed or written as JSON', () => {
    const error = new ProducerError('KPL_ERR_CLOSED', 'm')

    expect(
      Object.getOwnPropertySymbols(error).filter(key => Object.prototype.propertyIsEnumerable.call(error, key))
    ).toEqual([])
    expect(JSON.parse(JSON.stringify(error))).toEqual({
      name: 'ProducerError',
      code: 'KPL_ERR_CLOSED',
      retryable: false
    })
  })
})

describe('safeText', () => {
  test('never has a control character, nor more than 1,024 characters and the dots', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 1500 }), text => {
        const safe = safeText(text)

        expect(safe).not.toMatch(/\p{Cc}/u)
        expect(safe.length).toBe(text.length > 1024 ? 1027 : text.length)
      })
    )
  })

  test('leaves text as it is when nothing is wrong with it', () => {
    expect([safeText(''), safeText('plain é 😀'), safeText('x'.repeat(1024))]).toEqual([
      '',
      'plain é 😀',
      'x'.repeat(1024)
    ])
  })

  test('puts a space for each control character and dots for what is cut', () => {
    expect([safeText('a\r\nb\u0000\u001b[31m\u007f\u0085c'), safeText('y'.repeat(1025))]).toEqual([
      'a  b  [31m  c',
      `${'y'.repeat(1024)}...`
    ])
  })
})

test('a case that the types rule out is a TypeError that names it', () => {
  expect(() => assertNever('odd' as never)).toThrow(new TypeError('unreachable case: odd'))
})
