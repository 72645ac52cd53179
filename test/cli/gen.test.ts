import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { FAKER_NAMES, KDG_ALIASES, NO_EQUIVALENT } from '../../src/cli/gen/aliases.ts'
import { builtinHelpers } from '../../src/cli/gen/builtins.ts'
import { dateFormat } from '../../src/cli/gen/dates.ts'
import { DueTimes } from '../../src/cli/gen/due-times.ts'
import { fakerHelpers } from '../../src/cli/gen/faker.ts'
import { LatencyHistogram } from '../../src/cli/gen/latency-histogram.ts'
import { LoadSeconds } from '../../src/cli/gen/load-seconds.ts'
import { profileOf, rateAt } from '../../src/cli/gen/profile.ts'
import { constantRate, profileRate } from '../../src/cli/gen/schedule.ts'
import { slicedSchedule } from '../../src/cli/gen/slice.ts'
import { compileTemplate } from '../../src/cli/gen/template.ts'
import { seededRandom } from '../../src/testing/index.ts'
import { cli, type FakeService, fakeService, summaryOf } from './fake-service.ts'

let service: FakeService
let folder = ''
const AT_MS = Date.UTC(2026, 10, 27, 21, 8, 4, 57)

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'cli-gen-'))
  service = await fakeService({ orders: 2 })
})

afterAll(async () => {
  await service.close()
  rmSync(folder, { recursive: true })
})

/** A stream of its own. */
function streamOf(name: string): string {
  service.server.kinesis.createStream({ StreamName: name, ShardCount: 2 })
  return name
}

/** The texts of the first records of a template. */
function made(text: string, count = 1, seed = 'seed'): string[] {
  const template = compileTemplate(text, builtinHelpers(), () => '')
  const random = seededRandom(seed)
  return Array.from({ length: count }, (_, n) => template({ random, n, nowMs: AT_MS, simMs: AT_MS }))
}

describe('a template', () => {
  test.each([
    ['text without tags', ['text without tags']],
    ['{{seq}} {{seq(10,5)}}', ['0 10', '1 15', '2 20']],
    ['{{{{name}} is not a tag', ['{{name}} is not a tag']],
    ['{{random.arrayElement(["{{seq}}"])}}', ['{{seq}}']],
    ['{{random.arrayElement(["a)}}b"])}}', ['a)}}b']],
    ['{{random.arrayElement([{"a":{"b":1}}])}}', ['{"a":{"b":1}}']],
    ['{{ date.utc(YYYY-MM-DD) }}', ['2026-11-27']],
    ['{{date.utc("HH:mm [o\'clock]")}}', ["21:08 o'clock"]],
    ['{{now}}', [String(AT_MS)]],
    ['a\nb', ['a\nb']]
  ])('%s', (text, expected) => {
    expect(made(text, expected.length)).toEqual(expected)
  })

  test.each([
    ['{{', 'line 1, column 1: a name is expected behind {{'],
    ['a\n {{seq(1}}', 'line 2, column 7: a bracket is not closed'],
    ['{{seq}', 'line 1, column 6: }} is expected'],
    ['{{nothing}}', 'line 1, column 1: nothing is not a helper'],
    ['{{constructor}}', 'line 1, column 1: constructor is not a helper'],
    ['{{seq(a)}}', 'line 1, column 1: the arguments of seq are not JSON values'],
    ['{{seq("a")}}', 'line 1, column 1: seq takes numbers'],
    ['{{random.arrayElement([])}}', 'line 1, column 1: random.arrayElement takes a list: ["a","b"]'],
    [
      '{{random.weightedArrayElement({"weights":[1],"data":[]})}}',
      'line 1, column 1: random.weightedArrayElement takes {"weights":[...],"data":[...]} of one length'
    ],
    ['{{date.utc("YYYY Q")}}', 'line 1, column 1: date.utc takes no token Q; write [Q] for the letter']
  ])('%s is refused with its place', (text, message) => {
    expect(() => made(text)).toThrow(message)
  })

  test('gives the same bytes for the same seed, and others for another', () => {
    const text = '{{uuid}} {{random.number(1000)}} {{gauss}} {{walk({"name":"a"})}} {{random.hex(8)}}'

    expect(made(text, 50)).toEqual(made(text, 50))
    expect(made(text, 50)).not.toEqual(made(text, 50, 'other'))
  })

  test('draws numbers, weights and skews as they are asked for', () => {
    const numbers = new Set(made('{{random.number({"min":1,"max":2,"precision":0.5})}}', 500))
    const dice = new Set(made('{{random.number(3)}}', 500))
    const weighted = made('{{random.weightedArrayElement({"weights":[1,9],"data":["a","b"]})}}', 5000).filter(
      text => text === 'a'
    )
    const first = made('{{zipf({"n":1000,"s":1})}}', 5000).filter(text => text === '0')

    expect([[...numbers].sort(), [...dice].sort()]).toEqual([
      ['1.0', '1.5', '2.0'],
      ['0', '1', '2', '3']
    ])
    expect([weighted.length > 400 && weighted.length < 600, first.length > 500 && first.length < 850]).toEqual([
      true,
      true
    ])
  })
})

test.each([
  ['YYYY-MM-DDTHH:mm:ssZ', '2026-11-27T21:08:04+00:00'],
  ['YY M D H m s S SS SSS', '26 11 27 21 8 4 0 05 057'],
  ['hh h A a ddd dddd MMM MMMM DDDD', '09 9 PM pm Fri Friday Nov November 331'],
  ['ZZ X x', `+0000 ${Math.floor(AT_MS / 1000)} ${AT_MS}`]
])('a date in %s', (format, text) => {
  expect(dateFormat(format, 'utc')(AT_MS)).toBe(text)
})

describe('names of faker', () => {
  test('resolve on the faker that is installed, and give text', async () => {
    const table = await fakerHelpers('seed', undefined, undefined)
    const context = { random: seededRandom(1), n: 0, nowMs: 0, simMs: 0 }
    const needs: Readonly<Record<string, unknown[]>> = {
      'random.objectElement': [{ a: 'x' }],
      'helpers.objectValue': [{ a: 'x' }],
      'helpers.arrayElement': [['x']],
      'helpers.shuffle': [['x']],
      'helpers.slugify': ['a b'],
      'date.between': ['2026-01-01', '2026-01-02']
    }

    const bad = Object.keys(FAKER_NAMES).filter(name => {
      const text = table[name]?.(needs[name] ?? [])(context)
      return text === undefined || text === '' || text === 'undefined'
    })

    expect(bad).toEqual([])
  })

  test('take their arguments as the Kinesis Data Generator gives them', async () => {
    const table = { ...(await fakerHelpers('seed', undefined, Date.UTC(2026, 0, 1))), ...builtinHelpers() }
    const context = { random: seededRandom(1), n: 0, nowMs: 0, simMs: 0 }
    const textOf = (name: string, ...args: unknown[]) => table[name]!(args)(context)

    expect([
      /^2026-01-01T/.test(textOf('date.between', '2026-01-01T00:00:00Z', '2026-01-01T00:00:01Z')),
      /^202[45]/.test(textOf('date.past', 1)),
      /^[5-7]\.\d{2}$/.test(textOf('finance.amount', 5, 7, 2)),
      textOf('internet.password', 9).length,
      textOf('address.stateAbbr').length,
      /^\(\.\.\.\d{4}\)$/.test(textOf('finance.mask')),
      /^a-\d\d-[A-Z]$/.test(textOf('helpers.replaceSymbols', 'a-##-?')),
      /^\d-\?$/.test(textOf('helpers.replaceSymbolWithNumber', '#-?'))
    ]).toEqual([true, true, true, 9, 2, true, true, true])
  })

  test('of the Kinesis Data Generator are in the table or told to have no equivalent', () => {
    const both = Object.keys(KDG_ALIASES).filter(name => NO_EQUIVALENT.has(name))

    expect(both).toEqual([])
  })

  test('are seeded, and of the locale that is asked for', async () => {
    const argv = ['gen', 's', '--template', '{{name.firstName}} {{address.city}}', '--sample', '5', '--seed', 'x']

    const [first, second, german] = [await cli(argv), await cli(argv), await cli([...argv, '--locale', 'de'])]

    expect(first.stdout).toBe(second.stdout)
    expect(german.stdout).not.toBe(first.stdout)
  })
})

describe('a profile', () => {
  const PROFILE = profileOf(
    {
      timeZone: 'utc',
      default: { mean: 10, sd: 0 },
      hours: { sun: [...Array(23).fill(null), 100], mon: [200, ...Array(23).fill(0)] }
    },
    'p'
  )
  const SUNDAY_MS = Date.UTC(2026, 10, 29)

  test('moves in a straight line from Sunday 23:00 to Monday 00:00', () => {
    const at = (hour: number) => rateAt(PROFILE, SUNDAY_MS + hour * 3_600_000).mean

    expect([at(0), at(23), at(23.5), at(24), at(24.5)]).toEqual([10, 100, 150, 200, 100])
  })

  test.each([
    [{ hour: {} }, '"hour" is not a key; did you mean hours?'],
    [{ hours: { monday: [] } }, 'p: hours: "monday" is not a key; did you mean'],
    [{ hours: { mon: [1] } }, 'hours.mon must have 24 entries'],
    [{ hours: { mon: [...Array(23).fill(1), -1] } }, 'hours.mon[23]'],
    [{ timeZone: 'Europe' }, 'timeZone is "local" or "utc"']
  ])('%o is refused', (value, message) => {
    expect(() => profileOf(value, 'p')).toThrow(message)
  })

  test('makes an absolute schedule whose sum is that of its seconds', () => {
    const schedule = profileRate(PROFILE, SUNDAY_MS + 12 * 3_600_000, seededRandom(1))

    expect([0, 500, 1000, 2500, 60_000].map(ms => schedule.dueAt(ms))).toEqual([0, 5, 10, 25, 600])
  })
})

test('a constant rate is due by the clock, whatever happened in between', () => {
  expect([0, 9, 10, 2500].map(ms => constantRate(100).dueAt(ms))).toEqual([0, 0, 1, 250])
})

test('a record was due in the part of the slice that is its own', () => {
  const times = new DueTimes()
  times.add(50, 10)
  times.add(100, 20)

  expect([0, 25, 75].map(n => times.of(n))).toEqual([0, 5, 15])
})

test('slices have each record once, and none before it is due', () => {
  const schedule = constantRate(1000)
  const counts = (elapsedMs: number) =>
    [0, 1, 2].map(index => slicedSchedule(schedule, { index, count: 3 }).dueAt(elapsedMs))

  expect([counts(0), counts(1), counts(2), counts(10)]).toEqual([
    [0, 0, 0],
    [1, 0, 0],
    [1, 1, 0],
    [4, 3, 3]
  ])
})

test('seconds of several slices become one sample each, in order, though one is late and one ends early', () => {
  const latencies = (ms: number) => {
    const histogram = new LatencyHistogram()
    histogram.add(ms)
    return histogram.data
  }
  const second = (at: number, ms: number) => ({
    second: at,
    due: 1,
    delivered: 1,
    throttled: 2,
    failed: 3,
    latencies: latencies(ms)
  })
  const seconds = new LoadSeconds(2)
  for (const each of [second(0, 10), second(1, 10), second(2, 10), second(0, 20)]) seconds.add(each)
  const early = seconds.samples.length

  seconds.finish()

  const told = seconds.samples.map(({ second: at, due, delivered, throttled, failed, p99Ms }) => [
    at,
    due,
    delivered,
    throttled,
    failed,
    Math.round(p99Ms)
  ])
  expect([early, told]).toEqual([
    1,
    [
      [0, 2, 2, 4, 6, 20],
      [1, 1, 1, 2, 3, 10],
      [2, 1, 1, 2, 3, 10]
    ]
  ])
})

test('percentiles are right to a bucket of 2.2 %', () => {
  const histogram = new LatencyHistogram()
  for (let ms = 1; ms <= 1000; ms++) histogram.add(ms)

  const [p50, p99, p100] = [50, 99, 100].map(percent => histogram.percentileMs(percent))

  expect([p50! >= 500 && p50! < 512, p99! >= 990 && p99! <= 1000, p100]).toEqual([true, true, 1000])
})

describe('gen', () => {
  test('puts what the template says, by the rate, and tells latencies', async () => {
    const argv = [
      'gen',
      'orders',
      '--template',
      '{"id":{{seq}}}',
      '--key',
      '.id',
      '--rate',
      '1000/s',
      '--count',
      '100',
      '--json'
    ]

    const ended = await service.run(argv)

    const ids = service
      .stored('orders')
      .map(text => text.replace(/: .*/, ''))
      .sort((a, b) => Number(a) - Number(b))
    expect([ended.exit, ids]).toEqual([0, Array.from({ length: 100 }, (_, n) => String(n))])
    expect(summaryOf(ended)).toEqual(expect.objectContaining({ records: 100, delivered: 100, failed: 0, behind: 0 }))
  })

  test('in simulated time sends the same bytes for the same seed', async () => {
    const argv = [
      '--template',
      '{{seq}} {{date.simTime}} {{uuid}}',
      '--rate',
      '2/s',
      '--seed',
      '7',
      '--sim-start',
      '2026-11-29T00:00:00Z',
      '--sim-end',
      '2026-11-29T00:00:20Z',
      '--sim-wait',
      '1ms'
    ]
    for (const name of ['sim1', 'sim2']) service.server.kinesis.createStream({ StreamName: name, ShardCount: 1 })

    const ended = [await service.run(['gen', 'sim1', ...argv]), await service.run(['gen', 'sim2', ...argv])]

    expect(ended.map(({ exit }) => exit)).toEqual([0, 0])
    expect([service.stored('sim1').length, service.stored('sim1')]).toEqual([40, service.stored('sim2')])
  })

  test('with workers makes each record of the sequence once, and its figures add up', async () => {
    const stream = streamOf('workers')
    const argv = [
      'gen',
      stream,
      '--template',
      '{{seq}}',
      '--rate',
      'max',
      '--count',
      '1000',
      '--workers',
      '3',
      '--json'
    ]

    const ended = await service.run(argv)

    const { records, delivered, failed, behind, bytes, exit } = summaryOf(ended)
    const numbers = service.stored(stream).map(record => Number(record.split(': ')[1]))
    expect([records, delivered, failed, behind, bytes, exit]).toEqual([1000, 1000, 0, 0, 2890, 0])
    expect(numbers.sort((a, b) => a - b)).toEqual(Array.from({ length: 1000 }, (_, n) => n))
  })

  test('with workers sends the same set of bytes for the same seed and simulated time', async () => {
    const template =
      '{"n":{{seq}},"id":"{{uuid}}","at":"{{date.simTime}}","v":{{walk({"name":"a","start":1,"step":1})}}}'
    const simulated = ['--sim-start', '2026-01-01', '--sim-end', '2026-01-02', '--sim-tick', '12h', '--sim-wait', '1ms']
    const run = async (stream: string, workers: string, seed: string) => {
      const flags = ['--template', template, '--rate', '0.01/s', '--seed', seed, '--workers', workers, ...simulated]
      await service.run(['gen', streamOf(stream), ...flags])
      return service.stored(stream).sort()
    }

    const first = await run('same-1', '3', 'x')
    const second = await run('same-2', '3', 'x')
    const otherSeed = await run('same-3', '3', 'y')
    const otherCount = await run('same-4', '2', 'x')

    expect(second).toEqual(first)
    expect([first.length, otherSeed.length, otherCount.length]).toEqual([864, 864, 864])
    expect([otherSeed[0] === first[0], otherCount[0] === first[0]]).toEqual([false, false])
  })

  test('with workers keeps the rate of the whole, and reports all of it', async () => {
    const stream = streamOf('rate')
    const argv = ['gen', stream, '--template', '{{seq}}', '--rate', '300/s', '--duration', '400ms', '--workers', '4']

    const ended = await service.run([...argv, '--report', '-', '--json'])

    expect([summaryOf(ended)['records'], summaryOf(ended)['exit']]).toEqual([120, 0])
    expect(ended.stderr).toContain('rate asked for')
  })

  test('with workers counts failures over all of them, and ends with 3 when the stream is not there', async () => {
    const argv = [
      'gen',
      'missing',
      '--template',
      '{{seq}}',
      '--rate',
      'max',
      '--count',
      '30',
      '--workers',
      '3',
      '--json'
    ]

    const ended = await service.run(argv)

    const { records, failed, exit, errors } = summaryOf(ended)
    expect([
      exit,
      records === failed,
      Object.values(Object(errors)).reduce((a, b) => Number(a) + Number(b), 0)
    ]).toEqual([3, true, failed])
  })

  test('with workers stops in all of them when one finds no key', async () => {
    const argv = [
      'gen',
      streamOf('no-key'),
      '--template',
      '{{seq}}',
      '--key',
      '.id',
      '--rate',
      '100/s',
      '--workers',
      '3'
    ]

    const ended = await service.run(argv)

    expect([ended.exit, ended.stderr.split('\n')[0]]).toEqual([
      2,
      'error CLI_ERR_USAGE: a generated record has no usable key'
    ])
  })

  test('says that it falls behind when the producer is full for a second, and ends with 1', async () => {
    service.server.kinesis.createStream({ StreamName: 'slow', ShardCount: 1 })
    const undo = service.faults.add({
      match: { operation: 'PutRecords', streamName: 'slow' },
      action: { kind: 'delay', delayMs: 300 }
    })

    const ended = await service.run([
      'gen',
      'slow',
      '--template',
      '{{seq}}',
      '--rate',
      '2000/s',
      '--duration',
      '2s',
      '--set',
      'bufferMaxRecords=100',
      '--json'
    ])
    undo()

    const { records, delivered, behind, latencyMs } = summaryOf(ended)
    expect([
      ended.exit,
      records === delivered,
      Number(records) + Number(behind),
      Number(Object(latencyMs).p99) > 900
    ]).toEqual([1, true, 4000, true])
  })

  test('writes a report as one page that needs nothing else', async () => {
    const path = join(folder, 'load.html')

    const ended = await service.run([
      'gen',
      'orders',
      '--template',
      '{{uuid}}',
      '--rate',
      'max',
      '--count',
      '2000',
      '--report',
      path
    ])

    const page = existsSync(path) ? readFileSync(path, 'utf8') : ''
    expect(ended.exit).toBe(0)
    expect(ended.stderr).toMatch(/acknowledged {2,}2,000[\s\S]*p99[\s\S]*2,000 records: 2,000 acknowledged/)
    expect([page.match(/<polyline/g)?.length, /https?:|<script|NaN|undefined/.test(page)]).toEqual([6, false])
  })

  test.each([
    [
      'a stream that is not there',
      ['gen', 'nowhere', '--template', 'x', '--count', '1', '--rate', 'max'],
      3,
      'ResourceNotFoundException'
    ],
    [
      'an unknown helper',
      ['gen', 's', '--template', '{{nme.firstName}}', '--sample', '1'],
      2,
      'did you mean name.firstName?'
    ],
    [
      'a helper without equivalent',
      ['gen', 's', '--template', '{{address.cityPrefix}}', '--sample', '1'],
      2,
      'faker 10 has nothing like it'
    ],
    [
      'a profile with a wrong key',
      ['gen', 's', '--template', 'x', '--rate-profile', 'PROFILE'],
      2,
      'did you mean smoothing?'
    ],
    [
      'a key that records do not have',
      ['gen', 's', '--template', '{}', '--key', '.id', '--sample', '1'],
      2,
      'has no usable key'
    ],
    ['no template', ['gen', 's'], 2, '--template'],
    [
      'a file that is not there',
      ['gen', 's', '--template', 'orders.tmpl', '--sample', '1'],
      4,
      'orders.tmpl is no file'
    ],
    ['a path that is not there', ['gen', 's', '--template', './orders', '--sample', '1'], 4, './orders is no file']
  ])('ends for %s with its code', async (_, argv, exit, message) => {
    const profile = join(folder, 'profile.json')
    writeFileSync(profile, '{"smothing":true} // a comment')

    const ended = await service.run(argv.map(word => (word === 'PROFILE' ? profile : word)))

    expect([ended.exit, ended.stderr.includes(message) || ended.stderr]).toEqual([exit, true])
  })
})
