import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough, Readable } from 'node:stream'
import { gzipSync } from 'node:zlib'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { runCli } from '../../src/cli/run-cli.ts'
import { FakeKinesis, InMemoryTransport, VirtualClock } from '../../src/testing/index.ts'
import { type FakeService, fakeService, summaryOf } from './fake-service.ts'
import { testHost } from './test-host.ts'

let service: FakeService
let folder = ''
let count = 0

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'cli-put-'))
  service = await fakeService({ orders: 2 })
})

afterAll(async () => {
  await service.close()
  rmSync(folder, { recursive: true })
})

const undo: (() => void)[] = []
afterEach(() => {
  for (const act of undo.splice(0)) act()
})

/** A stream of its own for a test. */
function stream(shards = 1): string {
  const name = `s${++count}`
  service.server.kinesis.createStream({ StreamName: name, ShardCount: shards })
  return name
}

function file(text: string | Uint8Array): string {
  const path = join(folder, `in-${++count}`)
  writeFileSync(path, text)
  return path
}

describe('put', () => {
  test('sends every line of stdin once and tells it in its summary', async () => {
    const name = stream(2)
    const lines = Array.from({ length: 5000 }, (_, n) => String(n))

    const ended = await service.run(['put', name, '--json'], { stdin: lines.join('\n') })

    const stored = service.stored(name).map(text => text.replace(/^.*: /, ''))
    expect(stored.sort()).toEqual([...lines].sort())
    expect({ exit: ended.exit, ...summaryOf(ended) }).toEqual(
      expect.objectContaining({
        exit: 0,
        type: 'summary',
        command: 'put',
        records: 5000,
        delivered: 5000,
        failed: 0,
        skipped: 0,
        errors: {}
      })
    )
  })

  test('goes on behind a record that is refused, and ends with 1', async () => {
    const name = stream()

    const ended = await service.run(['put', name, '--in', 'ndjson', '--key', '.id', '--json'], {
      stdin: '{"id":1}\n{"id":\n{"id":null}\n{"id":4}\n'
    })

    expect(service.stored(name)).toEqual(['1: {"id":1}', '4: {"id":4}'])
    expect([ended.exit, summaryOf(ended)]).toEqual([
      1,
      expect.objectContaining({
        records: 4,
        delivered: 2,
        failed: 2,
        errors: { CLI_ERR_BAD_LINE: 1, CLI_ERR_BAD_KEY: 1 }
      })
    ])
  })

  test.each([
    ['fail', 1, ['1: {"id":1}']],
    ['skip', 0, ['1: {"id":1}']],
    ['random', 0, ['1: {"id":1}', expect.stringMatching(/^[a-z0-9]{4}: \{\}$/)]]
  ])('with --bad-key %s ends with %d for a record without a key', async (policy, exit, stored) => {
    const name = stream()

    const ended = await service.run(['put', name, '--key', '.id', '--bad-key', policy], { stdin: '{"id":1}\n{}\n' })

    expect([ended.exit, service.stored(name)]).toEqual([exit, stored])
  })

  test.each([
    ['fail', 1, ['k: ok']],
    ['skip', 0, ['k: ok']],
    ['truncate', 0, [`k: ${'x'.repeat(99)}`, 'k: ok']]
  ])('with --max-record %s ends with %d for a record of a byte too many', async (policy, exit, stored) => {
    const name = stream()
    const argv = ['put', name, '--key-const', 'k', '--max-record', policy, '--set', 'maxUserRecordBytes=100']

    const ended = await service.run(argv, { stdin: `${'x'.repeat(100)}\nok\n` })

    expect([ended.exit, service.stored(name)]).toEqual([exit, stored])
  })

  test('passes over a line above --max-line, counts it, and never splits it', async () => {
    const name = stream()

    const ended = await service.run(['put', name, '--key-const', 'k', '--max-line', '1KiB'], {
      stdin: `a\n${'x'.repeat(5000)}\nb\n`
    })

    expect([ended.exit, service.stored(name)]).toEqual([1, ['k: a', 'k: b']])
    expect(ended.stderr).toContain('error CLI_ERR_LINE_TOO_LONG: a line is longer than --max-line')
  })

  test('writes what failed to the dead letter file, from which it can be sent', async () => {
    const name = stream()
    const path = join(folder, 'dead.ndjson')
    undo.push(
      service.faults.add({
        match: { operation: 'PutRecords', streamName: name },
        action: { kind: 'failRecords', errorCode: 'ValidationException', records: { everyNth: 2 } },
        times: 1
      })
    )
    const argv = ['put', name, '--in', 'records', '--no-aggregation', '--dead-letter', path]
    const bytes = '{"partitionKey":"b","dataBase64":"/w==","explicitHashKey":"1"}'

    const first = await service.run(argv, { stdin: `${bytes}\n{"partitionKey":"a","data":"1"}\n` })
    const again = await service.run(['put', name, '--in', 'records', path])

    const { partitionKey, dataBase64, explicitHashKey, error } = JSON.parse(readFileSync(path, 'utf8'))
    expect({ partitionKey, dataBase64, explicitHashKey, error }).toEqual({
      partitionKey: 'b',
      dataBase64: '/w==',
      explicitHashKey: '1',
      error: { code: 'KPL_ERR_REJECTED', serviceCode: 'ValidationException', persisted: 'no' }
    })
    expect([first.exit, again.exit, service.stored(name).length]).toEqual([1, 0, 2])
  })

  test.each([
    ['without a usable key', ['--key', '.id'], '{"id":"a"}\n{"n":2}\nno\n', ['{"n":2}', 'no']],
    ['that is not JSON, by random keys', [], '{"id":"a"}\nno\n', ['no']],
    ['without a usable hash key', ['--key-const', 'k', '--hash-key', '.h'], '{"h":1}\n{"h":[]}\n', ['{"h":[]}']]
  ])('writes a record %s to the dead letter file, from which it can be sent', async (_, flags, stdin, dead) => {
    const name = stream()
    const path = join(folder, `dead-${name}.ndjson`)

    const first = await service.run(['put', name, '--in', 'ndjson', '--dead-letter', path, ...flags], { stdin })
    const again = await service.run(['put', name, '--in', 'records', path])

    const stored = service.stored(name).map(text => text.replace(/^.*?: /, ''))
    expect([first.exit, again.exit, stored.slice(1)]).toEqual([1, 0, dead])
  })

  test('says which record it refuses, and how to correct that', async () => {
    const ended = await service.run(['put', stream(), '--in', 'ndjson', '--key', '.id'], { stdin: '{"id":"a"}\nno\n' })

    expect(ended.stderr).toContain(
      'error CLI_ERR_BAD_LINE: a line is not JSON (record 2)\n  fix: correct the line, or choose another --in\n'
    )
  })

  test('tells outcomes in the order of the input', async () => {
    const name = stream(2)

    const ended = await service.run(['put', name, '--out', 'outcomes', '--key', '.k', '--no-aggregation'], {
      stdin: '{"k":"a"}\nno\n{"k":"b"}\n'
    })

    const outcomes = ended.stdout
      .trim()
      .split('\n')
      .map(line => JSON.parse(line))
    expect(outcomes.map(({ n, error, shardId }) => [n, error?.code ?? /^shardId/.test(shardId)])).toEqual([
      [1, true],
      [2, 'CLI_ERR_BAD_KEY'],
      [3, true]
    ])
  })

  test('keeps the order of each key with --ordering key while requests fail', async () => {
    const name = stream(2)
    undo.push(
      service.faults.add({
        match: { operation: 'PutRecords', streamName: name, lastOrdinal: 4 },
        action: { kind: 'failRequest', errorCode: 'InternalFailure', statusCode: 500 }
      })
    )
    const lines = Array.from({ length: 400 }, (_, n) => `${'abcd'[n % 4]}:${n}`)

    const ended = await service.run(['put', name, '--ordering', 'key', '--key-split', ':'], { stdin: lines.join('\n') })

    const ofA = service.stored(name).filter(text => text.startsWith('a: '))
    expect([ended.exit, ofA]).toEqual([
      0,
      lines.filter(line => line.startsWith('a:')).map(line => line.replace(':', ': '))
    ])
  })

  test('reads files one after the other, gzip as what is in it, and sends bytes that are not UTF-8 as they are', async () => {
    const name = stream()
    const paths = [file(gzipSync('a\n')), file(Buffer.from([0xef, 0xbb, 0xbf, 0xff, 0x0a]))]

    const ended = await service.run(['put', name, ...paths, '--key-const', 'k'])

    const data = service.server.kinesis
      .storedRecords(name)
      .map(({ data }) => Buffer.from(data).toString('hex'))
      .join()
    expect([ended.exit, service.stored(name).length, data.includes('efbbbfff')]).toEqual([0, 2, true])
  })

  test('takes the hash key of a path, and the stream of an envelope', async () => {
    const [name, other] = [stream(2), stream()]
    const high = String(2n ** 128n - 1n)

    const first = await service.run(['put', name, '--hash-key', '.h', '--key', '.k', '--json'], {
      stdin: `{"k":"a","h":0}\n{"k":"a","h":${high}}\n{"k":"a"}\n{"k":"a","h":"x"}\n`
    })
    const second = await service.run(['put', name, '--in', 'records'], {
      stdin: `{"partitionKey":"k","data":"d","stream":"${other}"}\n`
    })

    const shards = service.server.kinesis.storedRecords(name).map(({ shardId }) => shardId)
    expect([first.exit, summaryOf(first)['errors'], shards.sort()]).toEqual([
      1,
      { CLI_ERR_BAD_KEY: 1, KPL_ERR_INVALID_RECORD: 1 },
      ['shardId-000000000000', 'shardId-000000000001']
    ])
    expect([second.exit, service.stored(other)]).toEqual([0, ['k: d']])
  })

  test('with --count and --skip sends that part alone', async () => {
    const name = stream()

    const ended = await service.run(['put', name, '--key-const', 'k', '--skip', '2', '--count', '2'], {
      stdin: '1\n2\n3\n4\n5\n'
    })

    expect([ended.exit, service.stored(name)]).toEqual([0, ['k: 3', 'k: 4']])
  })

  test('copies its input with --tee', async () => {
    const ended = await service.run(['put', stream(), '--tee'], { stdin: 'a\nb\n' })

    expect([ended.exit, ended.stdout]).toEqual([0, 'a\nb\n'])
  })

  test('sends nothing in a dry run and shows how the keys spread', async () => {
    const name = stream()

    const ended = await service.run(['put', name, '--key-const', 'k', '--dry-run', '--shards', '4', '--json'], {
      stdin: 'a\nb\n'
    })

    const { shards, delivered, aggregationRatio } = summaryOf(ended)
    expect([ended.exit, service.stored(name), delivered, aggregationRatio]).toEqual([0, [], 2, 2])
    expect(shards).toEqual([expect.objectContaining({ records: 2, kinesisRecords: 1 })])
  })
})

describe('the exit code of put', () => {
  test.each([
    ['an unknown flag', ['--agregation'], 2, 'Did you mean --no-aggregation?'],
    ['an option that is none', ['--set', 'recordTtl=5'], 2, 'recordTtlMs'],
    ['a region that is no text', ['--set', 'aggregationMaxBytes=x'], 2, 'aggregationMaxBytes'],
    ['two ways to choose the key', ['--key', '.a', '--key-hash', 'md5'], 2, 'only one of --key, --key-hash'],
    ['a file that is not there', ['/nowhere/x'], 4, '/nowhere/x cannot be read: ENOENT'],
    ['a dead letter file that cannot be written', ['--dead-letter', '/nowhere/x'], 4, 'cannot be written: ENOENT'],
    ['gzip that is cut', ['--gunzip'], 4, 'stdin cannot be read'],
    ['a quote in CSV that is not closed', ['--in', 'csv'], 4, 'the CSV cannot be read on: CSV_QUOTE_NOT_CLOSED']
  ])('for %s', async (_, flags, exit, message) => {
    const stdin = flags.includes('csv') ? 'a,"b' : gzipSync('abc').subarray(0, 15)

    const ended = await service.run(['put', stream(), ...flags], { stdin })

    expect([ended.exit, ended.stderr.includes(message) || ended.stderr]).toEqual([exit, true])
  })

  test('is 3 for a stream that is not there, and reading stops', async () => {
    const endless = Readable.from(
      (function* () {
        for (;;) yield Buffer.from('line\n')
      })()
    )

    const ended = await service.run(['put', 'nowhere', '--json', '--set', 'bufferMaxRecords=100'], { stdin: endless })

    expect([ended.exit, ended.stderr.includes('ResourceNotFoundException')]).toEqual([3, true])
  })

  test('is 1 for records that expire, and each code is told at most five times', async () => {
    const name = stream()
    undo.push(
      service.faults.add({ match: { operation: 'PutRecords', streamName: name }, action: { kind: 'throttle' } })
    )

    const ended = await service.run(['put', name, '--set', 'recordTtlMs=300', '--json'], { stdin: 'x\n'.repeat(1000) })

    const told = ended.stderr.split('\n').filter(line => line.startsWith('error KPL_ERR_EXPIRED'))
    expect([ended.exit, summaryOf(ended)['errors'], told.length, told.at(-1)]).toEqual([
      1,
      { KPL_ERR_EXPIRED: 1000 },
      6,
      'error KPL_ERR_EXPIRED: 995 more of the same'
    ])
  })

  test('is 3 when the stream is deleted while an open input gives nothing', async () => {
    const clock = new VirtualClock()
    const kinesis = new FakeKinesis({ nowMs: () => clock.nowMs() })
    kinesis.createStream({ StreamName: 'gone', ShardCount: 1 })
    const stdin = new PassThrough()
    const producerPorts = { clock, transport: new InMemoryTransport({ kinesis, clock }) }
    const host = testHost({ clock, stdin, producerPorts })
    let exit: number | undefined
    stdin.write('a\n')
    void runCli(['put', 'gone', '--region', 'us-east-1'], host.host).then(code => {
      exit = code
    })
    await turning(clock, () => kinesis.storedRecords('gone').length > 0)

    kinesis.deleteStream({ StreamName: 'gone' })
    stdin.write('b\n')
    await turning(clock, () => exit !== undefined)

    expect([exit, host.stderr().includes('ResourceNotFoundException')]).toEqual([3, true])
  })

  test('with --on-failure stop ends at the first failed record', async () => {
    const ended = await service.run(['put', stream(), '--in', 'ndjson', '--on-failure', 'stop', '--json'], {
      stdin: 'no\n{}\n{}\n'
    })

    expect([ended.exit, summaryOf(ended)['records']]).toEqual([1, 1])
  })
})

describe('a signal', () => {
  /** Throttles everything; returns how many requests it has met. */
  function throttle(name: string): () => number {
    let met = 0
    const when = () => met++ >= 0
    undo.push(
      service.faults.add({ match: { operation: 'PutRecords', streamName: name, when }, action: { kind: 'throttle' } })
    )
    return () => met
  }

  /** An input that stays open, and a put that has read its first lines. */
  function running(name: string, flags: readonly string[] = []) {
    const stdin = new PassThrough()
    stdin.write('a\nb\n')
    const { test: host, ended } = service.start(
      ['put', name, '--json', '--out', 'outcomes', '--key-const', 'k', ...flags],
      { stdin }
    )
    return { host, ended }
  }

  test('lets put finish what it has read and end with 0', async () => {
    const name = stream()
    const { host, ended } = running(name)
    await until(() => host.stdout().split('\n').length > 2)

    host.signal('SIGTERM')

    const { exit } = await ended
    expect([exit, service.stored(name)]).toEqual([0, ['k: a', 'k: b']])
  })

  test('ends with 143 when the drain deadline passes before the answers', async () => {
    const name = stream()
    const met = throttle(name)
    const { host, ended } = running(name, ['--drain', '250ms'])
    await until(() => met() > 0)

    host.signal('SIGTERM')

    const result = await ended
    expect([result.exit, summaryOf(result)['errors']]).toEqual([143, { KPL_ERR_CLOSE_TIMEOUT: 2 }])
  })

  test('SIGUSR2 shows where the work is and ends nothing', async () => {
    const name = stream()
    const { host, ended } = running(name)
    await until(() => host.stdout().split('\n').length > 2)

    host.signal('SIGUSR2')
    host.signal('SIGTERM')

    const { exit, stderr } = await ended
    expect([exit, stderr.includes('{"type":"status","records":2,"bytes":2}')]).toEqual([0, true])
  })

  test('that comes twice ends the process at once and says what is open', async () => {
    const name = stream()
    const met = throttle(name)
    const { host, ended } = running(name, ['--drain', '250ms'])
    await until(() => met() > 0)

    host.signal('SIGINT')
    host.signal('SIGINT')

    await until(() => host.exits.length > 0)
    expect([host.exits, host.stderr().includes('stopped at once; 2 records are not acknowledged')]).toEqual([
      [130],
      true
    ])
    await ended
  })
})

test('put says once that it reads from the terminal', async () => {
  const stdin = Object.assign(Readable.from([Buffer.from('a\n')]), { isTTY: true })

  const ended = await service.run(['put', stream()], { stdin })

  expect(ended.stderr).toMatch(/^reading from the terminal; end with Ctrl\+D\n1 records: 1 acknowledged/)
})

/** Turns of the event loop, each a little later on the clock, until something is so. */
async function turning(clock: VirtualClock, isSo: () => boolean): Promise<void> {
  while (!isSo()) {
    clock.advanceBy(50)
    await new Promise(resolve => setImmediate(resolve))
  }
}

/** Turns of the event loop until something is so. */
async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise(resolve => setImmediate(resolve))
}
