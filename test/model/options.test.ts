import { describe, expect, expectTypeOf, test } from 'vitest'
import { OptionsError } from '../../src/model/errors.ts'
import {
  OPTIONS,
  type OptionEntry,
  type OptionName,
  type ProducerOptions,
  type ResolvedOptions
} from '../../src/model/options.ts'
import { resolveOptions } from '../../src/model/resolve-options.ts'

const entries = Object.entries<OptionEntry>(OPTIONS)
const ofKind = <Kind extends OptionEntry['kind']>(kind: Kind) =>
  entries.filter((pair): pair is [string, Extract<OptionEntry, { kind: Kind }>] => pair[1].kind === kind)
const finite = ofKind('integer').filter(([, entry]) => entry.max !== Number.POSITIVE_INFINITY)

/** What else has to be given so that an option's own bound is not shadowed by its relation to another. */
const COMPANIONS: Partial<Record<OptionName, ProducerOptions>> = {
  aggregationMaxBytes: { maxUserRecordBytes: 10_485_760 },
  recordMaxBufferedTimeMs: { recordTtlMs: Number.POSITIVE_INFINITY },
  recordTtlMs: { recordMaxBufferedTimeMs: 0 },
  retryBaseMs: { retryCapMs: 600_000 },
  retryCapMs: { retryBaseMs: 1 },
  bufferMaxBytes: { maxUserRecordBytes: 1000, aggregationMaxBytes: 1000 }
}

/** The type that the table means; `npm run types` compares. */
type OfTable = { readonly [Name in OptionName]?: ResolvedOptions[Name] | undefined }

test('the generated type of the options is the one that the table means, field by field', () => {
  expectTypeOf<keyof ProducerOptions>().toEqualTypeOf<OptionName>()
  expectTypeOf<Required<ProducerOptions>>().toEqualTypeOf<Required<OfTable>>()
  expectTypeOf<ProducerOptions>().toEqualTypeOf<OfTable>()
})

describe('the table', () => {
  test.each(entries)('%s says what it is in one sentence', (_, entry) => {
    expect(entry.doc).toMatch(/^['A-Z].*\.$/)
  })

  test.each(ofKind('integer'))('%s has a default within its bounds', (_, entry) => {
    expect([entry.min, entry.default, entry.max]).toEqual(
      [entry.min, entry.default, entry.max].sort((left, right) => left - right)
    )
    expect([Number.isInteger(entry.min), Number.isInteger(entry.default)]).toEqual([true, true])
  })

  test.each(ofKind('choice'))('%s has a default among its choices', (_, entry) => {
    expect(entry.choices).toContain(entry.default)
  })

  test('its defaults are taken when nothing, or undefined, is given', () => {
    const defaults = Object.fromEntries(
      entries.flatMap(([name, entry]) => ('default' in entry ? [[name, entry.default]] : []))
    )
    const nothing = Object.fromEntries(entries.map(([name]) => [name, undefined]))

    expect(resolveOptions({})).toEqual(defaults)
    expect(resolveOptions(nothing)).toEqual(defaults)
  })
})

describe('whole numbers', () => {
  test.each(ofKind('integer'))('%s may be its least and its greatest', (name, entry) => {
    const companions = COMPANIONS[name as OptionName]

    const values = [entry.min, entry.max].map(
      value => resolveOptions({ ...companions, [name]: value })[name as OptionName]
    )

    expect(values).toEqual([entry.min, entry.max])
  })

  test.each(ofKind('integer'))('%s may not be one less than its least', (name, { min, max, unit }) => {
    expect(faultsOf({ [name]: min - 1 })).toEqual([`${name} must be from ${min} to ${max} ${unit}, got ${min - 1}`])
  })

  test.each(finite)('%s may not be one more than its greatest', (name, { min, max, unit }) => {
    expect(faultsOf({ [name]: max + 1 })).toEqual([`${name} must be from ${min} to ${max} ${unit}, got ${max + 1}`])
  })

  test.each(finite)('%s may not be infinite', (name, { unit }) => {
    expect(faultsOf({ [name]: Number.POSITIVE_INFINITY })).toEqual([
      `${name} must be a whole number of ${unit}, got Infinity`
    ])
  })

  test.each(ofKind('integer'))('%s must be a whole number', (name, { unit, default: value }) => {
    const wrong = [value + 0.5, Number.NaN, Number.NEGATIVE_INFINITY, String(value), true, null, [], BigInt(value)]

    const faults = wrong.flatMap(given => faultsOf({ [name]: given }))

    expect(faults).toEqual(
      [`${value + 0.5}`, 'NaN', '-Infinity', 'string', 'true', 'null', 'array', 'bigint'].map(
        got => `${name} must be a whole number of ${unit}, got ${got}`
      )
    )
  })
})

describe('the other kinds', () => {
  test.each(ofKind('boolean'))('%s is true or false and nothing else', (name, entry) => {
    const taken = [true, false].map(value => resolveOptions({ [name]: value })[name as OptionName])
    const faults = ['true', 1, null].flatMap(value => faultsOf({ [name]: value }))

    expect(entry.kind).toBe('boolean')
    expect(taken).toEqual([true, false])
    expect(faults).toEqual(['string', '1', 'null'].map(got => `${name} must be true or false, got ${got}`))
  })

  test.each(ofKind('choice'))('%s is one of its choices and nothing else', (name, { choices }) => {
    const taken = choices.map(value => resolveOptions({ [name]: value })[name as OptionName])
    const others = ['x', 'canary', '', 'x'.repeat(40), 'a\nb', [choices[0]]]
    const faults = others.map(value => faultsOf({ [name]: value }))

    expect(taken).toEqual(choices)
    expect(faults).toEqual(
      ["'x'", "'canary'", ...[0, 40, 3].map(count => `a string of ${count} characters`), 'array'].map(got => [
        `${name} must be one of ${choices.join(', ')}, got ${got}`
      ])
    )
  })

  test.each([
    ['region', 'eu-west-1'],
    ['endpoint', 'https://kinesis.example']
  ] as const)('%s is text that is not empty', (name, text) => {
    const faults = ['', 7, null].flatMap(value => faultsOf({ [name]: value }))

    expect(resolveOptions({ [name]: text })[name]).toBe(text)
    expect(faults).toEqual(['string', '7', 'null'].map(got => `${name} must be a non-empty string, got ${got}`))
  })

  test('streamName is a stream name or an ARN', () => {
    const arn = 'arn:aws:kinesis:eu-west-1:123456789012:stream/orders'

    expect([
      resolveOptions({ streamName: 'orders' }).streamName,
      resolveOptions({ streamName: arn }).streamName
    ]).toEqual(['orders', arn])
    expect([faultsOf({ streamName: '' }), faultsOf({ streamName: 7 })]).toEqual([
      ['streamName must not be empty'],
      ['streamName must be a stream name or a stream ARN, got number']
    ])
  })

  test.each(ofKind('object'))('%s is an object, and its content is never told', name => {
    const faults = ['canary', 7, null].flatMap(value => faultsOf({ [name]: value }))

    expect(faults).toEqual(['string', '7', 'null'].map(got => `${name} must be an object, got ${got}`))
  })

  test('a client must be able to send, and a logger to log', () => {
    const faults = faultsOf({ client: {}, logger: { debug() {}, warn: 'canary' } })

    expect(faults).toEqual(['client must have a send method', 'logger must have the methods info, warn, error'])
  })
})

describe('relations', () => {
  test('the buffer holds the largest record with its key, to the byte', () => {
    const options = { maxUserRecordBytes: 2_000_000 }

    expect(faultsOf({ ...options, bufferMaxBytes: 2_001_280 })).toEqual([])
    expect(faultsOf({ ...options, bufferMaxBytes: 2_001_279 })).toEqual([
      'bufferMaxBytes must hold one record of maxUserRecordBytes, at least 2001280 bytes, got 2001279; or lower maxUserRecordBytes'
    ])
  })

  test('an aggregate is no larger than a record, or than what every stream takes', () => {
    const options = { maxUserRecordBytes: 2_000_000 }

    expect(faultsOf({ ...options, aggregationMaxBytes: 2_000_000 })).toEqual([])
    expect(faultsOf({ ...options, aggregationMaxBytes: 2_000_001 })).toEqual([
      'aggregationMaxBytes must not exceed maxUserRecordBytes (2000000 bytes), got 2000001'
    ])
    expect(faultsOf({ maxUserRecordBytes: 64, aggregationMaxBytes: 1_048_576 })).toEqual([])
  })

  test('the longest back-off is not shorter than the first', () => {
    expect(faultsOf({ retryBaseMs: 70, retryCapMs: 70 })).toEqual([])
    expect(faultsOf({ retryBaseMs: 70, retryCapMs: 69 })).toEqual([
      'retryCapMs must be at least retryBaseMs (70 ms), got 69'
    ])
  })

  test('dedupe tags need aggregates to be in', () => {
    expect(faultsOf({ dedupeTags: true, aggregationEnabled: true })).toEqual([])
    expect(faultsOf({ dedupeTags: false, aggregationEnabled: false })).toEqual([])
    expect(faultsOf({ dedupeTags: true, aggregationEnabled: false })).toEqual([
      'dedupeTags needs aggregates to carry the tags: it must be false while aggregationEnabled is, got true'
    ])
  })

  test('nothing that belongs to a client is given beside it', () => {
    const credentials = { accessKeyId: 'a', secretAccessKey: 'b' }
    const beside = { region: 'eu-west-1', endpoint: 'https://e', credentials, requestHandler: {} }

    const faults = faultsOf({ client: { send() {} }, ...beside })

    expect(faults).toEqual(
      Object.keys(beside).map(name => `${name} belongs to the client: give it there, not beside client`)
    )
    expect(faultsOf(beside)).toEqual([])
  })
})

describe('names', () => {
  test.each(['__proto__x', 'constructor', 'toString', 'hasOwnProperty'])('%s is not an option', name => {
    expect(faultsOf({ [name]: 1 })).toEqual([`${name} is not an option`])
  })

  test('an own __proto__, as JSON makes it, is not an option', () => {
    expect(faultsOf(JSON.parse('{"__proto__": {"recordTtlMs": 1}}') as object)).toEqual(['__proto__ is not an option'])
  })

  test('inherited and hidden ones are faults, since nobody reads them', () => {
    const hidden = Object.defineProperty({}, 'retryCapMs', { value: 1 })
    class Settings {
      get streamName(): string {
        return 'orders'
      }
    }

    const faults = [Object.create({ recordTtlMs: 1 }), hidden, new Settings()].flatMap(given =>
      faultsOf(given as object)
    )

    const fate = 'is inherited or hidden; the constructor reads only enumerable properties of the options object itself'
    expect(faults).toEqual(['recordTtlMs', 'retryCapMs', 'streamName'].map(name => `${name} ${fate}`))
  })

  test('the argument stays as it is, of whatever class', () => {
    class Settings {
      readonly retryBaseMs = 60
    }

    const given = [Object.freeze({ retryBaseMs: 60 }), Object.freeze(new Settings())]

    expect(given.map(options => resolveOptions(options).retryBaseMs)).toEqual([60, 60])
  })
})

describe('options that are none', () => {
  test.each<[unknown, string]>([
    ['orders', 'options must be an object, got string: write { streamName: ... }'],
    [() => ({}), 'options must be an object, got function'],
    [[{}], 'options must be an object, got array'],
    [Promise.resolve({}), 'options must be an object with options in it, got Promise: await it'],
    [new Map([['recordTtlMs', 1]]), 'options must be an object with options in it, got Map'],
    [new Date(0), 'options must be an object with options in it, got Date']
  ])('are refused by their kind: %#', (given, fault) => {
    expect(faultsOf(given as object)).toEqual([fault])
  })

  test('are refused as what they are when they cannot be looked at', () => {
    const { proxy, revoke } = Proxy.revocable({}, {})
    revoke()

    expect(faultsOf(proxy)).toEqual(['options must be an object with options in it, got object that cannot be read'])
  })

  test('one that throws when it is read is a fault beside the others', () => {
    const client = {
      get send(): never {
        throw new Error('not yet connected')
      }
    }
    const given = {
      get region(): never {
        throw new TypeError('no region here')
      },
      client,
      recordTtlMs: 'long'
    }

    expect(faultsOf(given)).toEqual([
      'region cannot be read: it threw TypeError: no region here',
      'client cannot be read: it threw Error: not yet connected',
      'recordTtlMs must be a whole number of ms, got string'
    ])
  })

  test.each(['client', 'requestHandler', 'logger'])('a promise for %s is told to be awaited', name => {
    expect(faultsOf({ [name]: Promise.resolve({}) })).toEqual([`${name} must be an object, got a promise: await it`])
  })
})

function faultsOf(options: object): readonly string[] {
  try {
    resolveOptions(options)
    return []
  } catch (error) {
    expect(error).toBeInstanceOf(OptionsError)
    return (error as OptionsError).faults
  }
}
