import { describe, expect, test } from 'vitest'
import { ERRORS, type ErrorCode, ProducerError, RecordFailedError, safeText } from '../../src/model/errors.ts'
import { fromKplProperties } from '../../src/model/kpl-properties.ts'
import { OPTIONS, type OptionEntry } from '../../src/model/options.ts'
import { resolveOptions } from '../../src/model/resolve-options.ts'
import {
  classifyEntryError,
  classifyRequestError,
  ENTRY_ERRORS,
  REQUEST_ERRORS
} from '../../src/model/service-errors.ts'

const entries = Object.entries<OptionEntry>(OPTIONS)
const faultsOf = (options: object): readonly string[] => {
  try {
    resolveOptions(options)
    return []
  } catch (error) {
    return (error as { faults: readonly string[] }).faults
  }
}

describe('the table of options', () => {
  test('gives every default when nothing is given', () => {
    const defaults = Object.fromEntries(
      entries.flatMap(([name, entry]) => ('default' in entry ? [[name, entry.default]] : []))
    )

    expect(resolveOptions({})).toEqual(defaults)
  })

  test.each(entries)('%s refuses another kind by its name', (name, entry) => {
    const wrong = entry.kind === 'boolean' ? 'yes' : entry.kind === 'object' ? 7 : { secret: 'canary' }

    const faults = faultsOf({ [name]: wrong })

    expect(faults.length).toBe(1)
    expect(faults[0]).toMatch(new RegExp(`^${name} must `))
    expect(faults[0]).not.toContain('canary')
  })

  test.each(entries.filter(([, entry]) => entry.kind === 'integer'))('%s is held to its bounds', (name, entry) => {
    if (entry.kind !== 'integer') throw new Error('filtered above')
    const below = faultsOf({ [name]: entry.min - 1 })
    const above = entry.max === Number.POSITIVE_INFINITY ? [] : faultsOf({ [name]: entry.max + 1 })
    const ownFaults = [entry.min, entry.max]
      .flatMap(value => faultsOf({ [name]: value }))
      .filter(fault => fault.includes(' must be from '))

    expect(below).toEqual([`${name} must be from ${entry.min} to ${entry.max} ${entry.unit}, got ${entry.min - 1}`])
    expect(above.length).toBe(entry.max === Number.POSITIVE_INFINITY ? 0 : 1)
    expect(ownFaults).toEqual([])
  })

  test('options that contradict one another are named together', () => {
    const faults = faultsOf({
      bufferMaxBytes: 1_048_576,
      maxUserRecordBytes: 2_000_000,
      retryBaseMs: 100,
      retryCapMs: 50,
      client: { send() {} },
      region: 'eu-west-1'
    })

    expect(faults).toEqual([
      'bufferMaxBytes must hold one record of maxUserRecordBytes, at least 2001280 bytes, got 1048576',
      'retryCapMs must be at least retryBaseMs (100 ms), got 50',
      'region belongs to the client: give it there, not beside client'
    ])
  })

  test('an object with a polluted prototype adds no option', () => {
    const given = Object.create({ recordTtlMs: 1 }) as object

    expect(faultsOf(given)).toEqual([])
    expect(faultsOf({ ['__proto__x']: 1 })).toEqual(['__proto__x is not an option'])
  })
})

describe('fromKplProperties', () => {
  test('reads a KPL file: options, what does not apply with its reason, and what nobody knows', () => {
    const text = [
      '# KPL',
      '! another comment',
      'RecordMaxBufferedTime = 250',
      'RecordTtl:60000',
      'AggregationEnabled false',
      'MaxConnections=12',
      'KinesisEndpoint = kinesis.local',
      'KinesisPort = 4567',
      'MetricsLevel = none',
      'RateLimit = 1\\',
      '  00',
      'Nonsense = 1',
      'Region ='
    ].join('\n')

    const { options, notApplicable, unknown } = fromKplProperties(text)

    expect(options).toEqual({
      recordMaxBufferedTimeMs: 250,
      recordTtlMs: 60_000,
      aggregationEnabled: false,
      maxInFlightRequests: 12,
      endpoint: 'https://kinesis.local:4567',
      rateLimitPercent: 100
    })
    expect(notApplicable).toEqual([
      { property: 'MetricsLevel', reason: 'metrics are configured where they are exported' }
    ])
    expect(unknown).toEqual(['Nonsense'])
    expect(faultsOf(options)).toEqual([])
  })

  test('leaves a value that is no number for the constructor to name', () => {
    const { options } = fromKplProperties('MaxUserRecordSize = 1048576;')

    expect(faultsOf(options)).toEqual(['maxUserRecordBytes must be a whole number of bytes, got string'])
  })

  test.each(entries.flatMap(([name, entry]) => ('kpl' in entry && entry.kpl !== undefined ? [[entry.kpl, name]] : [])))(
    '%s becomes %s',
    (property, name) => {
      expect(Object.keys(fromKplProperties(`${property} = 5`).options)).toEqual([name])
    }
  )
})

describe('the tables of service errors', () => {
  test.each(Object.entries(ENTRY_ERRORS))('%s on one record is %s', (code, verdict) => {
    expect(classifyEntryError(code)).toBe(verdict)
  })

  test.each(Object.entries(REQUEST_ERRORS))(
    '%s on a request is %s, unless its answer was lost',
    (errorCode, verdict) => {
      expect(classifyRequestError({ errorCode, statusCode: 400, persisted: 'no' })).toBe(verdict)
      expect(classifyRequestError({ errorCode, statusCode: 500, persisted: 'maybe' })).toBe('ambiguous')
    }
  )

  test('nothing unknown is dropped: it is tried again, or holds the stream back', () => {
    expect(['Unheard', '__proto__', 'constructor', ''].map(classifyEntryError)).toEqual(Array(4).fill('ambiguous'))
    expect(classifyRequestError({ errorCode: 'hasOwnProperty', statusCode: 418, persisted: 'no' })).toBe('outage')
    expect(classifyRequestError({ errorCode: 'Unheard', statusCode: 429, persisted: 'no' })).toBe('throttled')
    expect(classifyRequestError({ errorCode: 'Unheard', statusCode: 413, persisted: 'no' })).toBe('rejected')
  })
})

describe('errors', () => {
  test.each(Object.keys(ERRORS) as ErrorCode[])('%s says whether trying again can help', code => {
    const error = new ProducerError(code, 'message')

    expect([error.code, error.retryable, error instanceof Error]).toEqual([code, ERRORS[code].retryable, true])
  })

  test('are recognised across two copies of the package, and only as the base class', () => {
    const foreign = Object.assign(new Error('from another copy'), { code: 'KPL_ERR_CLOSED' })
    Object.defineProperty(foreign, Symbol.for('kinesis-producer.error'), { value: true })

    expect([
      foreign instanceof ProducerError,
      foreign instanceof RecordFailedError,
      new Error('plain') instanceof ProducerError
    ]).toEqual([true, false, false])
  })

  test('text of the service is cut and its control characters are gone', () => {
    expect(safeText('a\r\nb\u001b[31m')).toBe('a  b [31m')
    expect(safeText('x'.repeat(5000)).length).toBe(1027)
  })
})
