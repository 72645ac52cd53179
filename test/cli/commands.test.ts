import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { runCli } from '../../src/cli/run-cli.ts'
import { HotKeys } from '../../src/cli/shards/hot-keys.ts'
import { aggregate } from '../../src/consumer/deaggregate.ts'
import { startFakeKinesisServer } from '../../src/testing/index.ts'
import { cli, type FakeService, fakeService, summaryOf } from './fake-service.ts'
import { testHost } from './test-host.ts'

let service: FakeService
let folder = ''
const [AGGREGATE] = [
  ...aggregate([
    { partitionKey: 'a', data: '{}' },
    { partitionKey: 'b', data: Buffer.from([0x1f, 0x8b]), explicitHashKey: '5' }
  ])
]
const BYTES = Buffer.from(AGGREGATE!.data)

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'cli-commands-'))
  service = await fakeService({ orders: 2 })
})

afterAll(async () => {
  await service.close()
  rmSync(folder, { recursive: true })
})

describe('inspect', () => {
  const event = {
    Records: [
      {
        eventSource: 'aws:kinesis',
        kinesis: { partitionKey: 'a', data: BYTES.toString('base64'), sequenceNumber: '1' }
      }
    ]
  }

  test.each<[string, string | Uint8Array]>([
    ['raw bytes', BYTES],
    ['base64', `${BYTES.toString('base64')}\n`],
    ['hex', BYTES.toString('hex')],
    ['a Lambda event', JSON.stringify(event)],
    ['an answer of GetRecords', JSON.stringify({ Records: [{ Data: BYTES.toString('base64'), PartitionKey: 'a' }] })],
    ['a Firehose event', JSON.stringify({ records: [{ recordId: '1', data: BYTES.toString('base64') }] })]
  ])('takes an aggregate apart from %s', async (_, stdin) => {
    const ended = await cli(['inspect', '--json'], { stdin })

    const [record] = ended.stdout.split('\n').map(line => (line === '' ? {} : JSON.parse(line)))
    expect([ended.exit, record.kind, record.md5, record.userRecords]).toEqual([
      0,
      'aggregate',
      'valid',
      [
        { index: 0, partitionKey: 'a', bytes: 2, content: ['probably JSON'], start: '{}' },
        { index: 1, partitionKey: 'b', explicitHashKey: '5', bytes: 2, content: ['gzip'], start: '\\x1f\\x8b' }
      ]
    ])
  })

  test('shows which records a consumer of a range drops', async () => {
    const ended = await cli(['inspect', '--range', '0:100'], { stdin: BYTES })

    expect(ended.stdout).toMatch(/0 {2}key "a".*DROPPED[\s\S]*1 {2}key "b" {2}hash key 5(?!.*DROPPED)/)
  })

  test('tells a plain record with a Glue header, and ends with 1 for a malformed aggregate', async () => {
    const glue = Buffer.concat([Buffer.from('0300b7b4a7f09c964e4aa687fb5de9ef0c63', 'hex'), Buffer.from('{"a":1}')])
    const torn = Buffer.from(BYTES)
    torn[6]! ^= 0xff

    const plain = await cli(['inspect', '--in', 'raw'], { stdin: glue })
    const malformed = await cli(['inspect', '--in', 'raw'], { stdin: torn })

    expect([plain.exit, plain.stdout]).toEqual([
      0,
      'single, Glue schema version b7b4a7f0-9c96-4e4a-a687-fb5de9ef0c63, payload of 7 bytes, 25 bytes\n'
    ])
    expect([malformed.exit, malformed.stdout.startsWith('malformed aggregate')]).toEqual([1, true])
  })

  test('refuses input that is not of the format named, and files that are not there, with 4', async () => {
    const wrong = await cli(['inspect', '--in', 'hex'], { stdin: 'xyz' })
    const missing = await cli(['inspect', '/nowhere/x'])

    expect([wrong.exit, missing.exit]).toEqual([4, 4])
  })
})

describe('shards', () => {
  test('lists ranges, and says which shard a key goes to as the service does', async () => {
    const ended = await service.run(['shards', 'orders', '--of-key', 'abc', '--of-hash-key', '0', '--json'])

    const answer = service.server.kinesis.putRecord({
      StreamName: 'orders',
      Data: Buffer.from('x'),
      PartitionKey: 'abc'
    })
    const { shards, keys, status } = summaryOf(ended)
    expect([ended.exit, status, keys]).toEqual([
      0,
      'ACTIVE',
      [
        { key: 'abc', shardId: answer.ShardId },
        { key: '0', shardId: 'shardId-000000000000' }
      ]
    ])
    expect(shards).toEqual([
      expect.objectContaining({ shardId: 'shardId-000000000000', state: 'open', percent: 50, startingHashKey: '0' }),
      expect.objectContaining({ shardId: 'shardId-000000000001', state: 'open', percent: 50 })
    ])
  })

  test('shows closed shards and parents with --all', async () => {
    service.server.kinesis.createStream({ StreamName: 'split', ShardCount: 1 })
    service.server.kinesis.reshard('split', 2)

    const ended = await service.run(['shards', 'split', '--all'])

    expect(ended.stdout).toMatch(/000000 {2}closed[\s\S]*000001 {2}open.*from shardId-000000000000/)
  })

  test('counts how the keys of a file spread and names the hottest', async () => {
    const path = join(folder, 'keys')
    writeFileSync(
      path,
      `${'{"k":"hot"}\n'.repeat(90)}${Array.from({ length: 10 }, (_, n) => `{"k":"${n}"}`).join('\n')}\nno\n`
    )

    const ended = await service.run(['shards', 'orders', '--from', path, '--key', '.k', '--json'])

    const { records, withoutKey, hottest, byShard } = summaryOf(ended)
    const sum = Object.values(Object(byShard)).reduce((total: number, count) => total + Number(count), 0)
    expect([records, withoutKey, sum, Object(hottest)[0]]).toEqual([101, 1, 100, { key: 'hot', count: 90, error: 0 }])
  })

  test('keeps a frequent key however many rare ones come', () => {
    const keys = new HotKeys()

    for (let n = 0; n < 20_000; n++) keys.add(n % 10 === 0 ? 'hot' : `rare-${n}`)

    const [hottest] = keys.hottest(1)
    expect([hottest?.key, hottest!.count - hottest!.error <= 2000 && hottest!.count >= 2000]).toEqual(['hot', true])
  })

  test('ends with 3 for a stream that is not there and with 2 for a hash key that is none', async () => {
    const missing = await service.run(['shards', 'nowhere'])
    const wrong = await service.run(['shards', 'orders', '--of-hash-key', String(2n ** 128n)])

    expect([missing.exit, wrong.exit]).toEqual([3, 2])
  })
})

describe('serve', () => {
  test('says where it is, serves streams with faults, and ends at a signal with the port free', async () => {
    const test = testHost()
    const argv = ['serve', '--port', '0', '--stream', 'a:3', '--fault', 'PutRecords:500:100%', '--seed', '1']
    const ended = runCli(argv, test.host)
    while (!test.stdout().includes('\n')) await new Promise(resolve => setImmediate(resolve))
    const { endpoint } = JSON.parse(test.stdout())

    const listed = await cli(['shards', 'a', '--local', '--endpoint', endpoint, '--json'])
    const put = await cli(['put', 'a', '--local', '--endpoint', endpoint, '--set', 'recordTtlMs=300'], { stdin: 'x' })
    test.signal('SIGINT')
    const exit = await ended
    const again = await startFakeKinesisServer({ port: Number(new URL(endpoint).port) })
    await again.close()

    expect([listed.exit, put.exit, exit]).toEqual([0, 1, 0])
    expect(Object(summaryOf(listed)['shards']).length).toBe(3)
  })

  test.each([
    ['an address that others can reach', ['--host', '0.0.0.0'], 2, 'add --expose'],
    ['a fault that is none', ['--fault', 'Nothing:500:1%'], 2, '--fault is OPERATION'],
    ['a key without a certificate', ['--tls-key', 'x'], 2, 'belong together']
  ])('refuses %s', async (_, flags, exit, message) => {
    const ended = await cli(['serve', '--port', '0', ...flags])

    expect([ended.exit, ended.stderr.includes(message) || ended.stderr]).toEqual([exit, true])
  })

  test.each([
    ['a name that is none', ['--stream', 'a b:1'], '--stream: 1 validation error'],
    [
      'two streams of one name',
      ['--stream', 'a', '--stream', 'a'],
      '--stream: Stream a under account 000000000000 already exists'
    ]
  ])('refuses %s with 2', async (_, flags, message) => {
    const ended = await cli(['serve', '--port', '0', ...flags])

    expect([ended.exit, ended.stderr.includes(message) || ended.stderr]).toEqual([2, true])
  })

  test('ends with 4 when the port is taken', async () => {
    const ended = await cli(['serve', '--port', String(service.server.port)])

    expect([ended.exit, ended.stderr.includes('EADDRINUSE')]).toEqual([4, true])
  })
})

describe('doctor', () => {
  test('passes where all is right, and warns of what it did not try', async () => {
    const ended = await service.run(['doctor', 'orders', '--json'])

    expect([ended.exit, checksOf(ended.stdout)]).toEqual([
      0,
      {
        node: 'pass',
        region: 'pass',
        credentials: 'pass',
        stream: 'pass',
        shards: 'pass',
        write: 'warn',
        clock: 'pass',
        latency: 'pass'
      }
    ])
  })

  test.each([
    ['18.20.8', 'fail'],
    ['20.18.3', 'fail'],
    ['20.19.0', 'pass'],
    ['21.7.3', 'fail'],
    ['22.11.0', 'fail'],
    ['22.12.0', 'pass'],
    ['26.9.0', 'pass']
  ])('says of Node.js %s: %s', async (nodeVersion, status) => {
    const ended = await service.run(['doctor', 'orders', '--json'], { nodeVersion })

    expect(checksOf(ended.stdout)['node']).toBe(status)
  })

  test('writes one record with --write and reads with --read', async () => {
    service.server.kinesis.createStream({ StreamName: 'probe', ShardCount: 1 })

    const ended = await service.run(['doctor', 'probe', '--write', '--read', '--json'])

    const { write, read } = checksOf(ended.stdout)
    expect([ended.exit, write, read, service.stored('probe')]).toEqual([0, 'pass', 'pass', ['doctor: x']])
  })

  test.each([
    ['DescribeStreamSummary', [], 'allow the IAM action kinesis:DescribeStreamSummary on the stream orders'],
    ['ListShards', [], 'allow the IAM action kinesis:ListShards on the stream orders'],
    ['PutRecords', ['--write'], 'allow the IAM action kinesis:PutRecords on the stream orders'],
    ['GetRecords', ['--read'], 'allow the IAM action kinesis:GetRecords on the stream orders']
  ])('names the IAM action %s that is missing', async (operation, flags, fix) => {
    const undo = service.faults.add({
      match: { operation },
      action: {
        kind: 'failRequest',
        errorCode: 'AccessDeniedException',
        statusCode: 400,
        errorMessage: 'User is not authorized'
      }
    })

    const ended = await service.run(['doctor', 'orders', ...flags])
    undo()

    expect([ended.exit, ended.stdout.includes(fix) || ended.stdout]).toEqual([1, true])
  })

  test.each([
    [-600_000, 'fail', 1, /(?:599|600|601) s behind the service.*NTP/],
    [120_000, 'warn', 0, /(?:119|120|121) s ahead of the service.*NTP/]
  ])('measures a clock that is %d ms off', async (skewMs, status, exit, message) => {
    const { clock } = testHost().host

    const ended = await service.run(['doctor', 'orders', '--json'], { wallMs: () => clock.nowMs() + skewMs })

    expect([ended.exit, checksOf(ended.stdout)['clock'], message.test(ended.stdout)]).toEqual([exit, status, true])
  })

  test('says that a stream is not in this region, and which that is', async () => {
    const ended = await service.run(['doctor', 'nowhere'])

    expect([ended.exit, ended.stdout.includes('there is no stream nowhere in us-east-1')]).toEqual([1, true])
  })

  test('names the region that an ARN is of', async () => {
    const ended = await service.run(['doctor', 'arn:aws:kinesis:eu-west-1:000000000000:stream/orders'])

    expect([ended.exit, ended.stdout.includes('fix: give --region eu-west-1')]).toEqual([1, true])
  })

  test('fails for a stream that is going away or being made', async () => {
    const server = await startFakeKinesisServer()
    const { FakeKinesis } = await import('../../src/testing/index.ts')
    await server.close()
    const kinesis = new FakeKinesis({ nowMs: () => testHost().host.clock.nowMs(), creatingMs: 60_000 })
    kinesis.createStream({ StreamName: 'young', ShardCount: 1 })
    const slow = await startFakeKinesisServer({ kinesis })

    const ended = await cli(['doctor', 'young', '--local', '--endpoint', slow.endpoint])
    await slow.close()

    expect([
      ended.exit,
      ended.stdout.includes('young is CREATING') && ended.stdout.includes('wait until it is ACTIVE')
    ]).toEqual([1, true])
  })

  test('ends with 3 when nobody listens', async () => {
    const ended = await cli(['doctor', 'orders', '--local', '--endpoint', 'http://127.0.0.1:1'])

    expect([ended.exit, ended.stdout.includes('ECONNREFUSED')]).toEqual([3, true])
  })
})

function checksOf(stdout: string): Record<string, string> {
  const lines = stdout
    .trim()
    .split('\n')
    .map(line => JSON.parse(line))
  return Object.fromEntries(lines.filter(({ type }) => type === 'check').map(({ id, status }) => [id, status]))
}
