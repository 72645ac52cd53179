import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { aggregate } from '../../src/consumer/deaggregate.ts'
import { systemClock } from '../../src/system.ts'
import { cli, type FakeService, fakeService, summaryOf } from './fake-service.ts'

let service: FakeService
let folder = ''
let count = 0
const ALL = ['--from', 'oldest', '--no-follow']

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'cli-tail-'))
  service = await fakeService({})
})

afterAll(async () => {
  await service.close()
  rmSync(folder, { recursive: true })
})

/** A stream with these user records in one aggregate, in one shard. */
function streamOf(records: readonly { readonly partitionKey: string; readonly data: string | Uint8Array }[]): string {
  const name = `t${++count}`
  service.server.kinesis.createStream({ StreamName: name, ShardCount: 1 })
  put(name, records)
  return name
}

function put(
  name: string,
  records: readonly { readonly partitionKey: string; readonly data: string | Uint8Array }[]
): void {
  for (const { data, partitionKey } of aggregate(records)) {
    service.server.kinesis.putRecord({ StreamName: name, Data: data, PartitionKey: partitionKey })
  }
}

const THREE = [
  { partitionKey: 'a', data: '{"type":"x","n":12345678901234567890}' },
  { partitionKey: 'b', data: 'text' },
  { partitionKey: 'a', data: Buffer.from([0xff, 0x00]) }
]

describe('tail', () => {
  test.each<[string, readonly string[], string]>([
    ['as text, base64 marked', [], '{"type":"x","n":12345678901234567890}\ntext\nbase64:/wA=\n'],
    [
      'by a format',
      ['--format', '%n\\t%k\\t%u\\t%s'],
      '1\ta\t0\tshardId-000000000000\n2\tb\t1\tshardId-000000000000\n3\ta\t2\tshardId-000000000000\n'
    ],
    ['of one key', ['--key', 'b'], 'text\n'],
    ['that match', ['--grep', 'te.t'], 'text\n'],
    ['by a field', ['--filter', '.type=x', '--format', '%k'], 'a\n'],
    ['by a field that is not so', ['--filter', '.type!=x', '--format', '%k'], ''],
    ['up to a count', ['--count', '2', '--format', '%k'], 'a\nb\n']
  ])('prints records %s', async (_, flags, stdout) => {
    const ended = await service.run(['tail', streamOf(THREE), ...ALL, ...flags])

    expect([ended.exit, ended.stdout, ended.stderr]).toEqual([0, stdout, ''])
  })

  test('a shard that the stream does not have ends with 2, and names those that it has', async () => {
    const stream = streamOf(THREE)

    const ended = await service.run(['tail', stream, ...ALL, '--shard', 'shardId-9'])

    const message = `--shard: stream ${stream} has no shard "shardId-9"; it has shardId-000000000000`
    expect([ended.exit, ended.stdout]).toEqual([2, ''])
    expect(ended.stderr).toContain(`error CLI_ERR_USAGE: ${message}`)
  })

  test('prints JSON whose numbers keep their digits, and bytes as base64', async () => {
    const ended = await service.run(['tail', streamOf(THREE), ...ALL, '--out', 'json'])

    const lines = ended.stdout.trim().split('\n')
    expect(lines[0]).toContain('"json":{"type":"x","n":12345678901234567890}}')
    expect(
      lines.map(line => JSON.parse(line)).map(({ data, dataBase64, json }) => data ?? dataBase64 ?? json.type)
    ).toEqual(['x', 'text', '/wA='])
  })

  test('prints envelopes that put takes: what comes back is what was there', async () => {
    const name = streamOf(THREE)
    const copy = streamOf([])
    const { stdout } = await service.run(['tail', name, ...ALL, '--out', 'records'])

    const ended = await service.run(['put', copy, '--in', 'records'], { stdin: stdout })

    expect([ended.exit, service.stored(copy)]).toEqual([0, service.stored(name)])
  })

  test('reads parents before children across a split', async () => {
    const name = streamOf([{ partitionKey: 'a', data: '1' }])
    service.server.kinesis.reshard(name, 2)
    put(name, [{ partitionKey: 'a', data: '2' }])
    service.server.kinesis.reshard(name, 1)
    put(name, [{ partitionKey: 'a', data: '3' }])

    const ended = await service.run(['tail', name, ...ALL])

    expect(ended.stdout).toBe('1\n2\n3\n')
  })

  test('goes on behind its checkpoint, and neither skips nor repeats', async () => {
    const name = streamOf(THREE)
    const argv = ['tail', name, ...ALL, '--format', '%n %k', '--checkpoint', join(folder, 'place')]

    const first = await service.run([...argv, '--count', '2'])
    const second = await service.run(argv)
    put(name, [{ partitionKey: 'd', data: '4' }])
    const third = await service.run(argv)

    expect([first.stdout, second.stdout, third.stdout]).toEqual(['1 a\n2 b\n', '1 a\n', '1 d\n'])
  })

  test('prints what arrived until a time, of all shards, and ends', async () => {
    const name = streamOf([{ partitionKey: 'a', data: 'early' }])
    const toMs = Math.ceil(systemClock.nowMs()) + 1
    while (systemClock.nowMs() <= toMs + 1) await new Promise(resolve => setImmediate(resolve))
    put(name, [{ partitionKey: 'a', data: 'late' }])

    const past = await service.run(['tail', name, '--from', 'oldest', '--to', String(toMs)])
    const both = await service.run(['tail', name, ...ALL, '--to', String(toMs), '--checkpoint', join(folder, 'x')])

    expect([past.exit, past.stdout, both.exit]).toEqual([0, 'early\n', 2])
  })

  test('refuses a checkpoint that is damaged or of another stream with 4', async () => {
    const path = join(folder, 'damaged')
    const name = streamOf(THREE)
    writeFileSync(path, '{')
    const damaged = await service.run(['tail', name, ...ALL, '--checkpoint', path])
    writeFileSync(path, '{"stream":"other","position":{"shards":{}}}')

    const other = await service.run(['tail', name, ...ALL, '--checkpoint', path])

    expect([damaged.exit, other.exit]).toEqual([4, 4])
    expect(damaged.stderr + other.stderr).toMatch(/is damaged[\s\S]*is of another stream/)
  })

  test('ends with 3 for a checkpoint of a stream that was made anew, or starts again if that is wanted', async () => {
    const name = streamOf(THREE)
    const path = join(folder, 'stale')
    const argv = ['tail', name, ...ALL, '--format', '%k', '--checkpoint', path]
    await service.run(argv)
    const saved = JSON.parse(readFileSync(path, 'utf8'))
    const [shardId = ''] = Object.keys(saved.position.shards)
    // A place that is in no incarnation of the shard.
    writeFileSync(path, JSON.stringify({ ...saved, position: { shards: { [shardId]: '1:0' } } }))

    const failed = await service.run(argv)
    const restarted = await service.run([...argv, '--on-expired', 'oldest'])

    expect([failed.exit, restarted.exit, restarted.stdout]).toEqual([3, 0, 'a\nb\na\n'])
  })

  test('takes CloudWatch Logs subscriptions apart and unpacks gzip', async () => {
    const event = { messageType: 'DATA_MESSAGE', logEvents: [{ message: 'one' }, { message: 'two' }] }
    const name = streamOf([
      {
        partitionKey: 'a',
        data: gzipSync(JSON.stringify({ messageType: 'CONTROL_MESSAGE', logEvents: [{ message: 'no' }] }))
      },
      { partitionKey: 'a', data: gzipSync(JSON.stringify(event)) }
    ])

    const logs = await service.run(['tail', name, ...ALL, '--cwlogs'])
    const unpacked = await service.run([
      'tail',
      name,
      ...ALL,
      '--gunzip',
      '--filter',
      '.messageType=DATA_MESSAGE',
      '--format',
      '%k'
    ])

    expect([logs.stdout, unpacked.stdout]).toEqual(['one\ntwo\n', 'a\n'])
  })

  test('drops copies that carry one dedupe tag', async () => {
    const name = streamOf([])
    await service.run(['put', name, '--dedupe', '--key-const', 'k'], { stdin: 'once\n' })
    const [stored] = service.server.kinesis.storedRecords(name)
    service.server.kinesis.putRecord({ StreamName: name, Data: stored!.data, PartitionKey: 'k' })

    const all = await service.run(['tail', name, ...ALL])
    const once = await service.run(['tail', name, ...ALL, '--dedupe'])

    expect([all.stdout, once.stdout]).toEqual(['once\nonce\n', 'once\n'])
  })

  test('shows a malformed aggregate as it is, says so, and with --strict ends with 1', async () => {
    const name = streamOf([])
    const [whole] = [...aggregate(THREE)]
    // The digest is right, and the body is none.
    const { createHash } = await import('node:crypto')
    const body = Buffer.from([0xff, 0xff])
    const data = Buffer.concat([whole!.data.subarray(0, 4), body, createHash('md5').update(body).digest()])
    service.server.kinesis.putRecord({ StreamName: name, Data: data, PartitionKey: 'k' })

    const ended = await service.run(['tail', name, ...ALL, '--strict', '--json', '--meta-only'])

    expect([ended.exit, ended.stderr.includes('KPL_ERR_MALFORMED_ENVELOPE'), summaryOf(ended)['malformed']]).toEqual([
      1,
      true,
      1
    ])
  })

  test('escapes control characters on a terminal only', async () => {
    const name = streamOf([{ partitionKey: 'a', data: '\u001b[2Jx' }])

    const terminal = await service.run(['tail', name, ...ALL, '--progress', 'none'], { isTTY: true })
    const pipe = await service.run(['tail', name, ...ALL])

    expect([terminal.stdout, pipe.stdout]).toEqual(['\\u001b[2Jx\n', '\u001b[2Jx\n'])
  })

  test('follows until nobody reads stdout any more, and ends with 0', async () => {
    const name = streamOf(THREE)
    const { test: host, ended } = service.start(['tail', name, '--from', 'oldest', '--format', '%k'])
    while (host.stdout() === '') await new Promise(resolve => setImmediate(resolve))

    host.closeStdout()

    expect((await ended).exit).toBe(0)
  })

  test('ends when no record came for --idle-exit', async () => {
    const ended = await service.run([
      'tail',
      streamOf(THREE),
      '--from',
      'oldest',
      '--idle-exit',
      '300ms',
      '--format',
      '%k'
    ])

    expect([ended.exit, ended.stdout]).toEqual([0, 'a\nb\na\n'])
  })

  test('tells a person once that a call fails and is tried again', async () => {
    const name = streamOf(THREE)
    const undo = service.faults.add({
      match: { operation: 'ListShards', streamName: name },
      action: { kind: 'failRequest', errorCode: 'LimitExceededException', statusCode: 400 },
      // The SDK tries each call three times by itself.
      times: 9
    })

    const ended = await service.run(['tail', name, ...ALL, '--format', '%k'])
    undo()

    expect([ended.exit, ended.stdout, ended.stderr.match(/ListShards failed 3 times in a row/g)?.length]).toEqual([
      0,
      'a\nb\na\n',
      1
    ])
  })

  test('ends with 3 at once when there is no region', async () => {
    vi.stubEnv('AWS_REGION', undefined)
    vi.stubEnv('AWS_DEFAULT_REGION', undefined)
    vi.stubEnv('AWS_CONFIG_FILE', '/nowhere')

    const ended = [await cli(['tail', 's']), await cli(['shards', 's'])]
    vi.unstubAllEnvs()

    expect(ended.map(({ exit, stderr }) => [exit, stderr.includes('no region is set')])).toEqual([
      [3, true],
      [3, true]
    ])
  })

  test.each([
    ['a stream that is not there', ['tail', 'nowhere'], 3],
    ['a wrong expression', ['tail', 'x', '--grep', '('], 2],
    ['a wrong filter', ['tail', 'x', '--filter', 'a'], 2],
    ['a wrong format', ['tail', 'x', '--format', '%z'], 2],
    ['a wrong time', ['tail', 'x', '--from', 'yesterday'], 2]
  ])('ends for %s with the code of it', async (_, argv, exit) => {
    expect((await service.run(argv)).exit).toBe(exit)
  })
})
