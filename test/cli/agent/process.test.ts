import { describe, expect, test } from 'vitest'
import { InstanceMetadata } from '../../../src/cli/agent/process/instance-metadata.ts'
import { processSteps, STEPS } from '../../../src/cli/agent/process/process-steps.ts'

const CONTEXT = { hostName: 'server-1', wallMs: () => Date.UTC(2026, 10, 28, 0, 30, 0, 7) }
const PLACE = 'agent.jsonc: flows[0].process'
const MISMATCH = { code: 'CLI_ERR_BAD_LINE', message: 'a line does not match the format of its log' }

test('no step changes nothing, and the data is not copied', () => {
  const data = Buffer.from('a\n')

  const made = processSteps([], PLACE, CONTEXT)({ data, path: '/a.log', startOffset: 0 })

  expect(made).toEqual(data)
})

test('steps run in their order, and the newline at the end stays where it was', () => {
  const steps = [{ singleLine: {} }, { wrap: {} }, { addFields: { from: '$path' } }]

  expect(run(steps, 'a\n  b\r\n')).toBe('{"data":"ab","from":"/var/log/a.log"}\r\n')
})

test('a step that drops a record ends the list', () => {
  const steps = [{ log: { match: '^(a)$', fields: ['a'], onMismatch: 'drop' } }, { wrap: {} }]

  expect([run(steps, 'b'), run(steps, 'a')]).toEqual(['drop', '{"data":"{\\"a\\":\\"a\\"}"}'])
})

describe('singleLine', () => {
  test.each([
    [{}, ' a \n\t b\r\n\nc ', 'abc'],
    [{ escape: true }, ' a \n b', 'a\\nb'],
    [{ trim: false }, ' a \n b', ' a  b'],
    [{}, ' a ', 'a'],
    [{}, '', '']
  ])('with %j', (options, text, line) => {
    expect(run([{ singleLine: options }], text)).toBe(line)
  })

  test('leaves bytes that are not UTF-8 as they are', () => {
    const step = processSteps([{ singleLine: {} }], PLACE, CONTEXT)

    const made = step({ data: Buffer.from([0xff, 0x0a, 0x80]), path: '', startOffset: 0 })

    expect(made).toEqual(Buffer.from([0xff, 0x80]))
  })
})

describe('csv', () => {
  const csv = { fields: ['name', 'count'] }

  test.each([
    ['plain columns', csv, 'a,007', '{"name":"a","count":"007"}'],
    ['a number that a double cannot hold', csv, 'a,9007199254740993', '{"name":"a","count":"9007199254740993"}'],
    ['quotes', csv, '"a, ""b""",2', '{"name":"a, \\"b\\"","count":"2"}'],
    ['a newline within quotes', csv, '"a\nb",2', '{"name":"a\\nb","count":"2"}'],
    ['a quote within a column', csv, 'a"b,2', '{"name":"a\\"b","count":"2"}'],
    ['a column that is missing', csv, 'a', '{"name":"a","count":null}'],
    ['an empty column', csv, 'a,', '{"name":"a","count":""}'],
    ['a column too many', csv, 'a,b,c', '{"name":"a","count":"b"}'],
    ['another delimiter', { ...csv, delimiter: '||' }, 'a||b', '{"name":"a","count":"b"}'],
    ['quotes that mean nothing', { ...csv, quotes: false }, '"a,b"', '{"name":"\\"a","count":"b\\""}'],
    ['a name that objects treat in another way', { fields: ['__proto__'] }, 'a', '{"__proto__":"a"}']
  ])('takes %s', (_, options, line, json) => {
    expect(run([{ csv: options }], line)).toBe(json)
  })

  test.each([
    ['fail', { code: 'CLI_ERR_BAD_LINE', message: 'a line is not one row of CSV' }],
    ['raw', '"a,b'],
    ['drop', 'drop']
  ])('meets a quote without its end with %s', (onMismatch, made) => {
    expect(run([{ csv: { ...csv, onMismatch } }], '"a,b')).toEqual(made)
  })

  test('takes two rows for a fault', () => {
    expect(run([{ csv }], 'a,b\nc,d')).toEqual({ code: 'CLI_ERR_BAD_LINE', message: 'a line is not one row of CSV' })
  })
})

describe('log', () => {
  test.each([
    [
      'common',
      '10.0.0.1 - ann.b [03/Nov/2026:10:00:00 +0100] "GET /a?b=\\"c\\" HTTP/1.1" 200 -',
      {
        host: '10.0.0.1',
        ident: null,
        authuser: 'ann.b',
        datetime: '03/Nov/2026:10:00:00 +0100',
        request: 'GET /a?b=\\"c\\" HTTP/1.1',
        response: '200',
        bytes: null
      }
    ],
    [
      'combined',
      '::1 - - [03/Nov/2026:10:00:00 +0000] "-" 408 0 "-" "Mozilla/5.0 (X11)"',
      {
        host: '::1',
        ident: null,
        authuser: null,
        datetime: '03/Nov/2026:10:00:00 +0000',
        request: null,
        response: '408',
        bytes: '0',
        referer: null,
        agent: 'Mozilla/5.0 (X11)'
      }
    ],
    [
      'apache-error',
      '[Tue Nov 03 10:00:00.123456 2026] [core:error] [pid 12:tid 34] [client 10.0.0.1:4567] AH00126: Invalid URI',
      {
        timestamp: 'Tue Nov 03 10:00:00.123456 2026',
        module: 'core',
        severity: 'error',
        processid: '12',
        threadid: '34',
        client: '10.0.0.1:4567',
        message: 'AH00126: Invalid URI'
      }
    ],
    [
      'apache-error',
      '[Tue Nov 03 10:00:00 2026] [notice] caught SIGTERM',
      {
        timestamp: 'Tue Nov 03 10:00:00 2026',
        module: null,
        severity: 'notice',
        processid: null,
        threadid: null,
        client: null,
        message: 'caught SIGTERM'
      }
    ],
    [
      'syslog',
      'Nov  3 10:00:00 <3.6> web /usr/sbin/cron[7]: (root) CMD (a: b)',
      {
        timestamp: 'Nov  3 10:00:00',
        hostname: 'web',
        program: '/usr/sbin/cron',
        processid: '7',
        message: '(root) CMD (a: b)'
      }
    ],
    [
      'rfc3339syslog',
      '2026-11-03T10:00:00.25+01:00 web kernel: up',
      { timestamp: '2026-11-03T10:00:00.25+01:00', hostname: 'web', program: 'kernel', processid: null, message: 'up' }
    ]
  ])('reads the format %s', (format, line, fields) => {
    expect(JSON.parse(String(run([{ log: { format } }], line)))).toEqual(fields)
  })

  test.each([
    ['common', '10.0.0.1 - - [03/Nov/2026:10:00:00 +0100] "GET /" 200 5 more'],
    ['combined', '10.0.0.1 - - [03/Nov/2026:10:00:00 +0100] "GET /" 200 5'],
    ['apache-error', 'Tue Nov 03 10:00:00 2026 [notice] a'],
    ['syslog', '2026-11-03T10:00:00Z web kernel: up'],
    ['rfc3339syslog', 'Nov  3 10:00:00 web kernel: up']
  ])('the format %s does not take %s', (format, line) => {
    expect(run([{ log: { format } }], line)).toEqual(MISMATCH)
  })

  test.each([
    ['common', `a a a [03/Nov/2026:10:00:00 +0100] "${'\\"'.repeat(30_000)}`],
    ['combined', `a a a [03/Nov/2026:10:00:00 +0100] "a" 200 1 "${'a'.repeat(30_000)}" "${'b'.repeat(30_000)}`],
    ['apache-error', `[Tue Nov 03 10:00:00 2026] [${'a-'.repeat(30_000)}`],
    ['syslog', `Nov  3 10:00:00 ${'a'.repeat(30_000)} ${'b'.repeat(30_000)}`],
    ['rfc3339syslog', `2026-11-03T10:00:00.${'0'.repeat(60_000)}`]
  ])('the format %s is linear on a line made to be slow', (format, line) => {
    const before = process.cpuUsage()

    const made = run([{ log: { format } }], line)

    const { user, system } = process.cpuUsage(before)
    expect([made, user + system < 200_000]).toEqual([MISMATCH, true])
  })

  test.each([
    ['named groups', { match: '(?i)^level=(?<level>\\w+) code=(?<code>\\d+)?' }, '{"level":"WARN","code":null}'],
    ['fields', { match: '^LEVEL=(\\w+)', fields: ['severity'] }, '{"severity":"WARN"}']
  ])('takes an expression with %s', (_, options, json) => {
    expect(run([{ log: options }], 'LEVEL=WARN code=')).toBe(json)
  })

  test('gives the fields of a format other names', () => {
    const log = { format: 'rfc3339syslog', fields: ['t', 'h', 'p', 'id', 'm'] }

    expect(run([{ log }], '2026-11-03T10:00:00Z web a: b')).toBe(
      '{"t":"2026-11-03T10:00:00Z","h":"web","p":"a","id":null,"m":"b"}'
    )
  })

  test('is not tried on more than 64 KiB', () => {
    expect(run([{ log: { match: '(a)', fields: ['a'] } }], 'a'.repeat(65_537))).toEqual(MISMATCH)
  })

  test('writes U+FFFD for bytes that are not UTF-8', () => {
    const step = processSteps([{ log: { match: '^(.*)$', fields: ['a'] } }], PLACE, CONTEXT)

    const made = step({ data: Buffer.from([0x61, 0xff]), path: '', startOffset: 0 })

    expect(made).toEqual(Buffer.from('{"a":"a\ufffd"}'))
  })
})

describe('addFields', () => {
  test.each([
    ['an object', '{"a":1.0}', '{"a":1.0,"n":[1]}'],
    ['an empty object', ' { } ', ' { "n":[1]} '],
    ['a field that is there', '{"n":2}', '{"n":2}'],
    ['a field that is there, spelled with an escape', '{"\\u006e":2}', '{"\\u006e":2}'],
    ['a value that is its name', '{"a":"n"}', '{"a":"n","n":[1]}'],
    ['a field of that name farther in', '{"a":{"n":2}}', '{"a":{"n":2},"n":[1]}']
  ])('with %s', (_, line, made) => {
    expect(run([{ addFields: { n: [1] } }], line)).toBe(made)
  })

  test('knows the host, the path, the offset and the time', () => {
    const fields = { h: '$host', p: '$path', o: '$offset', t: '$time', d: '$$host', n: null }

    expect(run([{ addFields: fields }], '{}')).toBe(
      '{"h":"server-1","p":"/var/log/a.log","o":42,"t":"2026-11-28T00:30:00.007Z","d":"$host","n":null}'
    )
  })

  test.each(['a', '[1]', '{"a":1', '{"a":1}}', ''])('takes %s for a fault', line => {
    expect(run([{ addFields: { n: 1 } }], line)).toEqual({
      code: 'CLI_ERR_BAD_LINE',
      message: 'a line is no JSON object, so addFields cannot add to it'
    })
  })
})

test.each([
  [{}, '{"data":"a \\"b\\""}'],
  [{ metadata: { app: 'web' } }, '{"metadata":{"app":"web"},"data":"a \\"b\\""}'],
  [{ metadata: 1, timestamp: true }, '{"ts":"2026-11-28T00:30:00.007Z","metadata":1,"data":"a \\"b\\""}'],
  [{ brackets: true }, '{a "b"}']
])('wrap with %j', (options, made) => {
  expect(run([{ wrap: options }], 'a "b"')).toBe(made)
})

describe('ec2', () => {
  const DOCUMENT = {
    accountId: '1',
    availabilityZone: 'eu-west-1a',
    imageId: 'ami-1',
    instanceId: 'i-1',
    region: 'eu-west-1'
  }
  const ANSWERS: Readonly<Record<string, string>> = {
    'PUT /latest/api/token': 'token',
    'GET /latest/dynamic/instance-identity/document': JSON.stringify(DOCUMENT),
    'GET /latest/meta-data/tags/instance': 'Name\na/b',
    'GET /latest/meta-data/tags/instance/Name': 'web',
    'GET /latest/meta-data/tags/instance/a%2Fb': 'c'
  }
  const FIELDS =
    '"privateIp":null,"availabilityZone":"eu-west-1a","instanceId":"i-1","instanceType":null,"accountId":"1","amiId":"ami-1","region":"eu-west-1"'

  function metadata(answers: Readonly<Record<string, string>>) {
    const asked: string[] = []
    const given: Record<string, string> = { ...answers }
    let nowMs = CONTEXT.wallMs()
    const service: typeof fetch = async (url, { method, headers } = {}) => {
      const call = `${method} ${new URL(String(url)).pathname}`
      const isAllowed = method === 'PUT' || Object(headers)['x-aws-ec2-metadata-token'] === 'token'
      asked.push(call)
      const body = given[call]
      return body === undefined || !isAllowed ? new Response('', { status: 404 }) : new Response(body)
    }
    const instance = new InstanceMetadata({ fetch: service, wallMs: () => nowMs })
    const step = processSteps([{ ec2: { ttl: '10s' } }], PLACE, { ...CONTEXT, instance })
    const text = (line: string) => {
      const made = step({ data: Buffer.from(line), path: '', startOffset: 0 })
      return made instanceof Uint8Array ? Buffer.from(made).toString() : made
    }
    return { instance, asked, given, text, wait: (ms: number) => (nowMs += ms) }
  }

  test('adds what the metadata service says, with the tags', async () => {
    const { instance, text } = metadata(ANSWERS)
    await instance.ready()

    expect(text('{"a":1,"region":"x"}')).toBe(
      `{"a":1,"region":"x",${FIELDS.replace(',"region":"eu-west-1"', '')},"metadataTimestamp":"2026-11-28T00:30:00.007Z","tags":{"Name":"web","a/b":"c"}}`
    )
  })

  test('has no tags where the instance does not give them', async () => {
    const { 'GET /latest/meta-data/tags/instance': _, ...answers } = ANSWERS
    const { instance, text } = metadata(answers)
    await instance.ready()

    expect(text('{}')).toBe(`{${FIELDS},"metadataTimestamp":"2026-11-28T00:30:00.007Z","tags":{}}`)
  })

  test('asks anew once its answer is old, keeps it meanwhile, and when the service is gone', async () => {
    const { instance, asked, given, text, wait } = metadata(ANSWERS)
    await instance.ready()
    const first = asked.length
    wait(9_999)
    const before = text('{}')
    const young = asked.length
    delete given['PUT /latest/api/token']
    wait(1)

    const after = text('{}')

    await Promise.resolve()
    expect([young - first, asked.length - young, after]).toEqual([0, 1, before])
  })

  test('is refused where there is no metadata service', async () => {
    const { instance, asked } = metadata({})

    await expect(instance.ready()).rejects.toThrow('the step ec2 found no metadata service (IMDSv2)')
    expect(asked).toEqual(['PUT /latest/api/token', 'PUT /latest/api/token', 'PUT /latest/api/token'])
  })

  test('is a fault for a line that is no JSON object', async () => {
    const { instance, text } = metadata(ANSWERS)
    await instance.ready()

    expect(text('a')).toEqual({
      code: 'CLI_ERR_BAD_LINE',
      message: 'a line is no JSON object, so ec2 cannot add to it'
    })
  })
})

test.each<[unknown, string]>([
  [[{ ec2: {} }], `${PLACE}[0].ec2 needs an EC2 instance`],
  [[{ ec2: { ttl: '1' } }], `${PLACE}[0].ec2.ttl must be a time, such as 1h`],
  [{}, `${PLACE} must be a list of steps`],
  [[{}], `${PLACE}[0] takes exactly one of ${Object.keys(STEPS).join(', ')}`],
  [[{ wrap: {}, csv: {} }], `${PLACE}[0] takes exactly one of ${Object.keys(STEPS).join(', ')}`],
  [[{ singleline: {} }], `${PLACE}[0]: "singleline" is not a key; did you mean singleLine?`],
  [[{ singleLine: { trims: true } }], `${PLACE}[0].singleLine: "trims" is not a key; did you mean trim?`],
  [[{ singleLine: { trim: 1 } }], `${PLACE}[0].singleLine.trim must be true or false`],
  [[{ csv: {} }], `${PLACE}[0].csv.fields must be a list of names`],
  [[{ csv: { fields: ['a', 'a'] } }], `${PLACE}[0].csv.fields has "a" twice`],
  [[{ csv: { fields: ['a'], delimiter: '' } }], `${PLACE}[0].csv.delimiter must be a text that is not empty`],
  [[{ log: {} }], `${PLACE}[0].log takes exactly one of format, match`],
  [
    [{ log: { format: 'commen' } }],
    `${PLACE}[0].log.format must be one of common, combined, apache-error, syslog, rfc3339syslog; did you mean common?`
  ],
  [[{ log: { format: 'syslog', fields: ['a'] } }], `${PLACE}[0].log.fields has 1 names, the format has 5`],
  [[{ log: { match: 'a' } }], `${PLACE}[0].log.match has 0 groups: name them all, or give fields`],
  [[{ log: { match: '(a)(?<b>b)' } }], `${PLACE}[0].log.match has 2 groups: name them all, or give fields`],
  [[{ log: { match: '(a' } }], `${PLACE}[0].log.match is no regular expression: Unterminated group`],
  [
    [{ log: { match: '(a)', fields: ['a'], onMismatch: 'rawr' } }],
    `${PLACE}[0].log.onMismatch must be one of fail, raw, drop; did you mean raw?`
  ],
  [[{ addFields: {} }], `${PLACE}[0].addFields has no field`],
  [
    [{ addFields: { a: '$hots' } }],
    `${PLACE}[0].addFields.a must be one of $host, $path, $offset, $time; $$ stands for $`
  ],
  [[{ wrap: { brackets: true, timestamp: true } }], `${PLACE}[0].wrap.brackets goes with no other option`]
])('%j is refused with its place', (steps, message) => {
  expect(() => processSteps(steps, PLACE, CONTEXT)).toThrow(
    expect.objectContaining({ code: 'CLI_ERR_CONFIG', message })
  )
})

function run(steps: unknown, text: string): unknown {
  const record = { data: Buffer.from(text), path: '/var/log/a.log', startOffset: 42 }
  const made = processSteps(steps, PLACE, CONTEXT)(record)
  return made instanceof Uint8Array ? Buffer.from(made).toString() : made
}
