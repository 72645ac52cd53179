import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { nearestOf } from '../../src/cli/arguments/nearest.ts'
import { durationMs, fraction, instantMs, rateOf, sizeBytes } from '../../src/cli/arguments/units.ts'
import { COMMANDS } from '../../src/cli/commands.ts'
import { CliError, shownError } from '../../src/cli/errors.ts'
import { worstOf } from '../../src/cli/exit-codes.ts'
import { ErrorLines } from '../../src/cli/output/error-lines.ts'
import { LineWriter } from '../../src/cli/output/line-writer.ts'
import { Progress } from '../../src/cli/output/progress.ts'
import { Pacing } from '../../src/cli/put/pacing.ts'
import { RecordFailedError } from '../../src/index.ts'
import { VirtualClock } from '../../src/testing/index.ts'
import { cli } from './fake-service.ts'
import { testHost } from './test-host.ts'

let folder = ''
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'cli-frame-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

describe('the command line', () => {
  test('without a command shows its usage and ends with 2', async () => {
    const ended = await cli([])

    expect([ended.exit, ended.stdout, ended.stderr.includes('Usage: kinesis-producer')]).toEqual([2, '', true])
  })

  test('names every command in its help, and its version', async () => {
    const help = await cli(['--help'])
    const version = await cli(['--version'])

    const missing = COMMANDS.filter(
      ({ name, summary }) => !help.stdout.includes(name) || !help.stdout.includes(summary.slice(0, 20))
    )
    expect([help.exit, missing, version.exit, version.stdout]).toEqual([0, [], 0, '1.2.3\n'])
  })

  test('shows the help of a command for `help put` too', async () => {
    const [asked, flagged] = [await cli(['help', 'put']), await cli(['put', '--help'])]

    expect([asked.exit, asked.stdout]).toEqual([0, flagged.stdout])
  })

  test('tells a wrong flag as JSON too, if that was asked for', async () => {
    const ended = await cli(['put', 's', '--json', '--orderin', 'key'])

    expect([ended.exit, JSON.parse(ended.stdout)]).toEqual([
      2,
      { type: 'summary', command: 'put', durationMs: 0, exit: 2, errors: { CLI_ERR_USAGE: 1 } }
    ])
  })

  test.each([
    [['pot', 's'], "unknown command 'pot' (Did you mean put?)"],
    [['put', 's', '--orderin', 'key'], "unknown option '--orderin' (Did you mean --ordering?)"],
    [['put', 's', '--agregation'], "unknown option '--agregation' (Did you mean --no-aggregation?)"],
    [['put', 's', '--ordering', 'keys'], 'Allowed choices are none, key.'],
    [['put', 's', '--max-line', '1 parsec'], '--max-line: "1 parsec" is not a size; write 512, 64KiB, 1MiB or 5MB'],
    [['put', 's', '--skip', '1', '--count', 'x'], '--count: "x" is not a whole number from 1 on'],
    [['serve', '--port', '70000'], '--port: "70000" is not a whole number from 0 to 65535'],
    [['put'], "missing required argument 'stream'"]
  ])('%j ends with 2', async (argv, message) => {
    const ended = await cli(argv)

    expect([ended.exit, ended.stderr.includes(message) || ended.stderr]).toEqual([2, true])
  })

  test.each([
    ['{"regoin":"x"}', '"regoin" is not a key; did you mean region?'],
    ['{"producer":{"recordTtl":1}}', 'recordTtlMs'],
    ['{"region":1}', 'region must be a text'],
    ['{"region" "x"}', 'ColonExpected at line 1, column 11']
  ])('the config file %s ends with 2 and its place', async (text, message) => {
    const path = join(folder, 'config.jsonc')
    writeFileSync(path, text)

    const ended = await cli(['put', 's', '--config', path, '--local'], { stdin: '' })

    expect([ended.exit, ended.stderr.includes(message) || ended.stderr]).toEqual([2, true])
  })

  test('takes options from flags before variables before the config file', async () => {
    const path = join(folder, 'order.jsonc')
    writeFileSync(path, '{\n// a comment\n"producer":{"recordTtlMs":1,"aggregationMaxBytes":1,"bufferMaxRecords":-1}}')
    const env = { KINESIS_PRODUCER_AGGREGATION_MAX_BYTES: '2', KINESIS_PRODUCER_BUFFER_MAX_RECORDS: '-2' }

    const ended = await cli(['put', 's', '--config', path, '--local', '--set', 'bufferMaxRecords=-3'], {
      stdin: '',
      env
    })

    expect(ended.stderr).toMatch(/aggregationMaxBytes.* 2.*recordTtlMs.* 1;? *.*bufferMaxRecords.*-3|bufferMaxRecords/)
    expect(
      [/recordTtlMs[^;]*\b1\b/, /aggregationMaxBytes[^;]*\b2\b/, /bufferMaxRecords[^;]*-3\b/].map(part =>
        part.test(ended.stderr)
      )
    ).toEqual([true, true, true])
  })

  test('takes a properties file of the KPL, says what has no effect, and refuses what the KPL does not have', async () => {
    const path = join(folder, 'kpl.properties')
    writeFileSync(path, 'RecordTtl=1\nMetricsLevel=none\n')
    const known = await cli(['put', 's', '--kpl-properties', path, '--local'], { stdin: '' })
    writeFileSync(path, 'RecordTtll=1\n')

    const unknown = await cli(['put', 's', '--kpl-properties', path, '--local'], { stdin: '' })

    expect([
      known.exit,
      known.stderr.includes('MetricsLevel has no effect here'),
      known.stderr.includes('recordTtlMs')
    ]).toEqual([2, true, true])
    expect([unknown.exit, unknown.stderr.includes('the KPL has no properties RecordTtll')]).toEqual([2, true])
  })

  test('takes the profile of a flag', async () => {
    const test = testHost({ stdin: '' })
    const { runCli } = await import('../../src/cli/run-cli.ts')

    await runCli(['put', 's', '--profile', 'dev', '--local'], test.host)

    expect(test.profiles).toEqual(['dev'])
  })

  test('refuses an endpoint in clear text on another machine with 2', async () => {
    const ended = await cli(['tail', 's', '--endpoint', 'http://example.com', '--region', 'eu-west-1'])

    expect([ended.exit, ended.stderr.includes('--allow-insecure-endpoint')]).toEqual([2, true])
  })

  test('has no flag for a secret', async () => {
    const helps = await Promise.all(COMMANDS.map(({ name }) => cli([name, '--help'])))

    expect(helps.filter(({ stdout }) => /--\S*(?:secret|access-key|token|password)/.test(stdout))).toEqual([])
  })
})

describe('units', () => {
  test('are read as people write them', () => {
    const NOW_MS = Date.UTC(2026, 10, 27)

    expect(['512', '64KiB', '1MiB', '5MB', '1.5kb'].map(sizeBytes)).toEqual([512, 65_536, 1_048_576, 5_000_000, 1500])
    expect(['250ms', '30s', '15m', '1h', '7d'].map(durationMs)).toEqual([250, 30_000, 900_000, 3_600_000, 604_800_000])
    expect(
      ['2026-11-27', '2026-11-27T01:00:00+01:00', '1795737600', '1795737600000', '-15m'].map(text =>
        instantMs(text, NOW_MS)
      )
    ).toEqual([NOW_MS, NOW_MS, 1_795_737_600_000, 1_795_737_600_000, NOW_MS - 900_000])
    expect(['500', '500/s', '2MB/s', 'max'].map(rateOf)).toEqual([
      { per: 'records', perSecond: 500 },
      { per: 'records', perSecond: 500 },
      { per: 'bytes', perSecond: 2_000_000 },
      { per: 'records', perSecond: Number.POSITIVE_INFINITY }
    ])
    expect(['10%', '0.1'].map(fraction)).toEqual([0.1, 0.1])
  })

  test.each([
    () => sizeBytes('5 bananas'),
    () => durationMs('30'),
    () => instantMs('2026-13-01', 0),
    () => instantMs('yesterday', 0),
    () => rateOf('0/s'),
    () => rateOf('fast'),
    () => fraction('200%')
  ])('that are none are refused: %s', act => {
    expect(act).toThrow(CliError)
  })
})

test('the nearest name is one with a slip, and there is none for another word', () => {
  const names = ['region', 'endpoint', 'producer']

  expect(['regoin', 'endpiont', 'produser', 'flows'].map(name => nearestOf(name, names))).toEqual([
    'region',
    'endpoint',
    'producer',
    undefined
  ])
})

describe('exit codes', () => {
  test.each<[unknown, number]>([
    [new CliError('CLI_ERR_STATE', 'x'), 4],
    [new CliError('CLI_ERR_CONFIG', 'x'), 2],
    [new TypeError('a bug'), 5],
    ['a text that was thrown', 5],
    [failed('KPL_ERR_EXPIRED'), 1],
    [failed('KPL_ERR_REJECTED', 'AccessDeniedException'), 3],
    [failed('KPL_ERR_REJECTED', 'ValidationException'), 1],
    [failed('KPL_ERR_CANNOT_SEND'), 3],
    [Object.assign(new Error('x'), { name: 'ResourceNotFoundException' }), 3],
    [Object.assign(new Error('x'), { code: 'ECONNREFUSED' }), 3],
    [Object.assign(new Error('x'), { code: 'ENOSPC' }), 4],
    [new Error('outer', { cause: Object.assign(new Error('x'), { name: 'ExpiredTokenException' }) }), 3]
  ])('%s', (error, exit) => {
    expect(shownError(error).exit).toBe(exit)
  })

  test('of which the worst is told', () => {
    expect([worstOf([0, 1, 4]), worstOf([3, 2]), worstOf([]), worstOf([1, 143, 5])]).toEqual([4, 3, 0, 143])
  })
})

function failed(
  code: 'KPL_ERR_EXPIRED' | 'KPL_ERR_REJECTED' | 'KPL_ERR_CANNOT_SEND',
  serviceCode?: string
): RecordFailedError {
  return new RecordFailedError({ code, message: 'x', persisted: 'no', attempts: [], serviceCode })
}

test('the same error 100,000 times is five lines in ten seconds, and a count', () => {
  const clock = new VirtualClock()
  const { host, stderr } = testHost({ clock })
  const lines = new ErrorLines(host)
  for (let n = 0; n < 100_000; n++) lines.tell('CODE', `failure ${n}\u001b[2J`, 'mend it')
  clock.advanceBy(10_000)
  lines.tell('CODE', 'later')

  lines.close()

  expect(stderr().split('\n')).toEqual([
    'error CODE: failure 0 [2J',
    '  fix: mend it',
    'error CODE: failure 1 [2J',
    'error CODE: failure 2 [2J',
    'error CODE: failure 3 [2J',
    'error CODE: failure 4 [2J',
    'error CODE: 99995 more of the same',
    'error CODE: later',
    ''
  ])
  expect(lines.counts).toEqual({ CODE: 100_001 })
})

describe('progress', () => {
  const READING = { records: 12_000, bytes: 3_000_000, figures: { throttled: 7 } }

  test.each([
    ['auto', true, 1000, '\r\u001b[2K12,000 records  48,000/s  12.0 MB/s  7 throttled'],
    ['auto', false, 30_000, '12,000 records  400/s  0.1 MB/s  7 throttled\n'],
    [
      'json',
      false,
      1000,
      '{"type":"progress","records":12000,"bytes":3000000,"recordsPerSecond":12000,"bytesPerSecond":3000000,"throttled":7}\n'
    ],
    ['none', true, 60_000, '']
  ] as const)('in mode %s, terminal %s', (progress, isTTY, ms, text) => {
    const clock = new VirtualClock()
    const { host, stderr } = testHost({ clock, isTTY })
    const shown = new Progress(host, { progress })
    shown.start(() => READING)

    clock.advanceBy(ms)

    expect(stderr().startsWith(text) ? text : stderr()).toBe(text)
  })

  test('is silent with --quiet, and after it was stopped but for the line that it clears', () => {
    const clock = new VirtualClock()
    const quiet = testHost({ clock, isTTY: true })
    const stopped = testHost({ clock, isTTY: true })
    new Progress(quiet.host, { progress: 'auto', quiet: true }).start(() => READING)
    const progress = new Progress(stopped.host, { progress: 'auto' })
    progress.start(() => READING)
    clock.advanceBy(250)
    const drawn = stopped.stderr()

    progress.stop()
    clock.advanceBy(60_000)

    expect([quiet.stderr(), stopped.stderr()]).toEqual(['', `${drawn}\r\u001b[2K`])
  })
})

test('a rate lets records through by the clock, and a tenth of a second at most at once', () => {
  const clock = new VirtualClock()
  const pacing = new Pacing({ per: 'records', perSecond: 100 }, clock)
  const first = [1, 1, 1].map(bytes => pacing.takeMs(bytes))
  clock.advanceBy(60_000)

  const later = Array.from({ length: 12 }, () => pacing.takeMs(1)).filter(waitMs => waitMs <= 0)

  expect([first, later.length]).toEqual([[0, 10, 20], 11])
})

test('a piece stays as it is until the system has taken it, though lines come meanwhile', async () => {
  const { host } = testHost()
  const takes: (() => string)[] = []
  const write = (chunk: string | Uint8Array) =>
    new Promise<void>(resolve => {
      takes.push(() => {
        resolve()
        return Buffer.from(chunk).toString()
      })
    })
  const lines = new LineWriter({ ...host.stdout, write })
  const taken: string[] = []
  for (const line of ['a', 'b', 'c', 'd']) {
    lines.add(`${line}\n`)
    void lines.flush()
    lines.add(`${line}${line}\n`)
    await Promise.resolve()
  }

  const ended = lines.flush()
  for (let n = 0; n < 5; n++) {
    await vi.waitFor(() => expect(takes.length).toBe(1))
    taken.push(takes.shift()!())
  }

  await ended
  expect([taken, lines.accepted]).toEqual([['a\n', 'aa\nb\n', 'bb\nc\n', 'cc\nd\n', 'dd\n'], 8])
})

test('a line longer than a piece, and text of any length in UTF-8, leave whole', async () => {
  const { host, stdout } = testHost()
  const lines = new LineWriter(host.stdout)
  const parts = ['\u{1f600}'.repeat(40_000), 'x'.repeat(200_000), '\u00e9']
  const isFull = parts.map(part => lines.add(part))

  await lines.flush()

  expect([isFull, stdout() === parts.join('')]).toEqual([[true, true, true], true])
})

test('lines leave in order, in large pieces, and count once they were taken', async () => {
  const { host, stdout } = testHost()
  const lines = new LineWriter(host.stdout)
  for (let n = 0; n < 3; n++) lines.add(`${n}\n`)
  const before = [stdout(), lines.accepted]

  await lines.flush()

  expect([before, stdout(), lines.accepted]).toEqual([['', 0], '0\n1\n2\n', 3])
})
