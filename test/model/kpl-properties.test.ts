import { describe, expect, test } from 'vitest'
import { OptionsError } from '../../src/model/errors.ts'
import { fromKplProperties } from '../../src/model/kpl-properties.ts'
import { OPTIONS, type OptionEntry } from '../../src/model/options.ts'

const mapped = Object.entries<OptionEntry>(OPTIONS).flatMap(([name, entry]) =>
  'kpl' in entry && entry.kpl !== undefined ? [{ property: entry.kpl, name, entry }] : []
)

const NOT_APPLICABLE = [
  ...['CloudwatchEndpoint', 'CloudwatchPort', 'MetricsGranularity', 'MetricsLevel', 'MetricsNamespace'],
  ...['MetricsUploadDelay', 'CredentialsRefreshDelay', 'EnableCoreDumps', 'LogLevel', 'MinConnections'],
  ...['NativeExecutable', 'TempDirectory', 'VerifyCertificate', 'ProxyHost', 'ProxyPort', 'ProxyUserName'],
  ...['ProxyPassword', 'CaCertPath', 'CaCertFile', 'StsEndpoint', 'StsPort', 'ThreadingModel', 'ThreadPoolSize'],
  ...['UserRecordTimeoutInMillis', 'EnableOldestFutureTracker', 'ReturnUserRecordOnFailure'],
  ...['EnableDaemonHealthCheck', 'DaemonHealthCheckTimeoutMs', 'GlueSchemaRegistryPropertiesFilePath']
]

describe('properties', () => {
  test.each(mapped)('$property becomes $name', ({ property, name, entry }) => {
    const { text, value } = sampleOf(entry)

    const read = fromKplProperties(`${property} = ${text}`)

    const expected = name === 'endpoint' ? `https://${text}` : value
    expect(read).toEqual({ options: { [name]: expected }, notApplicable: [], unknown: [] })
  })

  test('no two options share one', () => {
    expect(new Set(mapped.map(({ property }) => property)).size).toBe(mapped.length)
  })

  test.each(NOT_APPLICABLE)('%s does not apply, with a reason', property => {
    const read = fromKplProperties(`${property} = 1`)

    expect(read).toEqual({
      options: {},
      notApplicable: [{ property, reason: expect.stringMatching(/^.{10,}$/) as string }],
      unknown: []
    })
  })

  test.each(['Nonsense', 'recordTtl', 'RECORDTTL', '__proto__', 'constructor', 'streamName'])(
    '%s is unknown, as it is to the KPL',
    property => {
      expect(fromKplProperties(`${property} = 1`)).toEqual({ options: {}, notApplicable: [], unknown: [property] })
    }
  )

  test('every one of a file ends up in exactly one list', () => {
    const properties = [...mapped.map(({ property }) => property), ...NOT_APPLICABLE, 'Nonsense']

    const read = fromKplProperties(properties.map(property => `${property}=5`).join('\n'))

    expect(Object.keys(read.options)).toEqual(mapped.map(({ name }) => name))
    expect(read.notApplicable.map(({ property }) => property)).toEqual(NOT_APPLICABLE)
    expect(read.unknown).toEqual(['Nonsense'])
  })

  test('an empty file asks for nothing', () => {
    expect(fromKplProperties('')).toEqual({ options: {}, notApplicable: [], unknown: [] })
  })
})

describe('values', () => {
  test.each<[string, unknown]>([
    ['RecordTtl = 12', 12],
    ['RecordTtl = -12', -12],
    ['RecordTtl = 0012', 12],
    ['RecordTtl = 1e3', '1e3'],
    ['RecordTtl = 1.5', '1.5'],
    ['RecordTtl = 12;', '12;'],
    ['RecordTtl = ', ''],
    ['RecordTtl', '']
  ])('the number in %j is read, or left as text for the constructor to name', (text, value) => {
    expect(fromKplProperties(text).options.recordTtlMs).toBe(value)
  })

  test.each<[string, unknown]>([
    ['true', true],
    ['false', false],
    ['TRUE', 'TRUE'],
    ['1', '1'],
    ['', '']
  ])('the boolean %j is read, or left as text for the constructor to name', (text, value) => {
    expect(fromKplProperties(`FailIfThrottled = ${text}`).options.failIfThrottled).toBe(value)
  })

  test('endpoint and port become one URL, in either order', () => {
    const lines = ['KinesisEndpoint = kinesis.local', 'KinesisPort = 4567']

    const read = [lines, lines.toReversed()].map(ordered => fromKplProperties(ordered.join('\n')))

    const expected = { options: { endpoint: 'https://kinesis.local:4567' }, notApplicable: [], unknown: [] }
    expect(read).toEqual([expected, expected])
  })

  test('a port without an endpoint does not apply', () => {
    expect(fromKplProperties('KinesisPort = 4567')).toEqual({
      options: {},
      notApplicable: [{ property: 'KinesisPort', reason: 'the KPL uses it only with KinesisEndpoint' }],
      unknown: []
    })
  })

  test('an empty region or endpoint is none', () => {
    expect(fromKplProperties('Region =\nKinesisEndpoint =').options).toEqual({})
  })
})

describe('the syntax of .properties', () => {
  test.each<[string, string]>([
    ['an equals sign', 'Region=x y'],
    ['an equals sign with space', 'Region \t=  x y'],
    ['a colon', 'Region:x y'],
    ['a colon with space', 'Region : x y'],
    ['a space', 'Region x y'],
    ['a tab', 'Region\tx y'],
    ['space in front', '   Region = x y'],
    ['a line that goes on', 'Region = x \\\n \t y'],
    ['a line of Windows', 'Region = x y\r\n'],
    ['a line of Windows that goes on', 'Region = x \\\r\n  y\r\n']
  ])('%s parts name and value', (_, text) => {
    expect(fromKplProperties(text)).toEqual({ options: { region: 'x y' }, notApplicable: [], unknown: [] })
  })

  test('a second separator belongs to the value', () => {
    const read = ['Region = =x', 'Region : :x', 'Region = a=b'].map(text => fromKplProperties(text).options.region)

    expect(read).toEqual(['=x', ':x', 'a=b'])
  })

  test('comments and blank lines are nothing, also when indented', () => {
    const text = '# Region = a\n  ! Region = b\n\n   \n\t# c\nRegion = d # e'

    expect(fromKplProperties(text)).toEqual({ options: { region: 'd # e' }, notApplicable: [], unknown: [] })
  })

  test('the last of two equal names counts', () => {
    expect(fromKplProperties('RecordTtl = 1\nRecordTtl = 2').options).toEqual({ recordTtlMs: 2 })
  })

  // java.util.Properties: a comment ends with its line, a backslash at its end goes nowhere.
  test('a comment does not go on in the next line', () => {
    expect(fromKplProperties('# comment \\\nRegion = x').options).toEqual({ region: 'x' })
  })

  // java.util.Properties: an even number of backslashes at a line's end are backslashes.
  test('two backslashes at the end of a line do not join the next', () => {
    expect(fromKplProperties('TempDirectory = C:\\\\\nRegion = x').options).toEqual({ region: 'x' })
  })

  // java.util.Properties: a carriage return alone ends a line too.
  test('a carriage return alone ends a line', () => {
    expect(fromKplProperties('Region = x\rRecordTtl = 5').options).toEqual({ region: 'x', recordTtlMs: 5 })
  })
})

function sampleOf(entry: OptionEntry): { text: string; value: unknown } {
  if (entry.kind === 'integer') return { text: '77', value: 77 }
  if (entry.kind === 'boolean') return { text: String(!entry.default), value: !entry.default }
  return { text: 'some.text', value: 'some.text' }
}

test.each<[string, unknown, string]>([
  ['nothing', undefined, 'undefined'],
  ['an object of properties', { RecordTtl: '5' }, 'Object'],
  ['the bytes of a file', Buffer.from('RecordTtl=5'), 'Buffer']
])('%s is refused by name', (_, text, kind) => {
  const call = () => fromKplProperties(text as string)

  expect(call).toThrow(new OptionsError([`fromKplProperties takes the file's text, got ${kind}`]))
})
