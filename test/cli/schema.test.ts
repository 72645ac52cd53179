import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { FakeGlue, type FakeGlueServer, startFakeGlue } from '../../src/testing/index.ts'
import { AVRO_DEFINITION } from '../glue/fixture.ts'
import { bytes, VERSION_ID } from '../glue/vectors.ts'
import { cli, type FakeService, fakeService, summaryOf } from './fake-service.ts'

const JSON_DEFINITION = '{"type":"object"}'
const PREFIX = `0300${VERSION_ID.replaceAll('-', '')}`
const ALL = ['--from', 'oldest', '--no-follow']
let service: FakeService
let glue: FakeGlueServer
let folder = ''
let count = 0

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'cli-schema-'))
  service = await fakeService({})
  writeFileSync(join(folder, 'order.json'), JSON_DEFINITION)
  writeFileSync(join(folder, 'customer.avsc'), AVRO_DEFINITION)
  writeFileSync(join(folder, 'order.txt'), JSON_DEFINITION)
})

beforeEach(async () => {
  await glue?.close()
  glue = await startFakeGlue({ glue: new FakeGlue() })
})

afterAll(async () => {
  await glue.close()
  await service.close()
  rmSync(folder, { recursive: true })
})

function stream(): string {
  const name = `s${++count}`
  service.server.kinesis.createStream({ StreamName: name, ShardCount: 1 })
  return name
}

function schemaFlags(file = 'order.json', ...more: readonly string[]): string[] {
  return ['--schema', join(folder, file), '--glue-endpoint', glue.endpoint, ...more]
}

function storedHex(name: string): string[] {
  return service.server.kinesis.storedRecords(name).map(({ data }) => Buffer.from(data).toString('hex'))
}

describe('put --schema', () => {
  test('writes every record with the version of a schema of the name of the stream', async () => {
    const name = stream()
    const version = { schemaName: name, dataFormat: 'JSON', definition: JSON_DEFINITION, versionId: VERSION_ID }
    glue.glue.addVersion(version)

    const ended = await service.run(['put', name, ...schemaFlags(), '--no-aggregation'], {
      stdin: '{"a":1}\n{"a":2}\n'
    })

    expect([ended.exit, storedHex(name)]).toEqual([0, [`${PREFIX}7b2261223a317d`, `${PREFIX}7b2261223a327d`]])
    expect(glue.glue.callCount()).toBe(1)
  })

  test('ends with 3 and sends nothing when the registry does not have the definition', async () => {
    const name = stream()

    const ended = await service.run(['put', name, ...schemaFlags('order.json', '--registry', 'default-registry')], {
      stdin: '{"a":1}\n'
    })

    expect([ended.exit, storedHex(name)]).toEqual([3, []])
    expect(ended.stderr).toContain(`error KPL_ERR_SCHEMA_NOT_FOUND: registry default-registry, schema ${name}`)
    expect(ended.stderr).toContain(
      '  fix: check --schema-name, --registry and --region; or register it: --auto-register\n'
    )
    expect(ended.stderr).toContain('auto-registration is off')
  })

  test('registers with --auto-register, by its own name and rule, and compresses where that is smaller', async () => {
    const name = stream()
    const more = ['--auto-register', '--schema-name', 'orders', '--compatibility', 'NONE', '--compress', 'zlib']
    const long = JSON.stringify({ text: 'again and '.repeat(100) })

    const ended = await service.run(['put', name, ...schemaFlags('order.json', ...more), '--no-aggregation'], {
      stdin: `${long}\n{}\n`
    })

    const [first = '', second] = storedHex(name)
    expect([ended.exit, first.slice(0, 4), second?.slice(0, 4), first.length < long.length]).toEqual([
      0,
      '0305',
      '0300',
      true
    ])
    expect(glue.glue.callCount('CreateSchema')).toBe(1)
  })

  test('counts the frame in a dry run and asks nobody', async () => {
    const name = stream()
    const stdin = `${'x'.repeat(100)}\n`

    const runs = await Promise.all([
      service.run(['put', name, '--dry-run', '--max-record', 'skip', '--set', 'maxUserRecordBytes=110', '--json'], {
        stdin
      }),
      service.run(
        [
          'put',
          name,
          '--dry-run',
          '--max-record',
          'skip',
          '--set',
          'maxUserRecordBytes=110',
          '--json',
          ...schemaFlags()
        ],
        { stdin }
      )
    ])

    expect([runs.map(run => summaryOf(run)['skipped']), glue.glue.callCount()]).toEqual([[0, 1], 0])
  })

  test('keeps failed records without their frame, so that they can be sent again with one', async () => {
    const name = stream()
    const path = join(folder, 'dead.ndjson')
    const version = { schemaName: name, dataFormat: 'JSON', definition: JSON_DEFINITION, versionId: VERSION_ID }
    glue.glue.addVersion(version)
    const failing = ['--set', 'maxUserRecordBytes=110', '--dead-letter', path, '--key-const', 'k']
    const text = 'x'.repeat(100)

    await service.run(['put', name, ...schemaFlags(), ...failing], { stdin: `${text}\n` })
    const ended = await service.run(['put', name, '--in', 'records', path, ...schemaFlags()])

    expect(JSON.parse(readFileSync(path, 'utf8')).data).toBe(text)
    expect([ended.exit, storedHex(name)]).toEqual([0, [`${PREFIX}${'78'.repeat(100)}`]])
  })

  test.each([
    [['--schema', 'order.txt'], '--schema: the ending of the file is none of .avsc, .json and .proto'],
    [['--auto-register'], '--auto-register needs --schema FILE'],
    [['--schema-name', 'orders'], '--schema-name needs --schema FILE']
  ])('ends with 2 for %j', async (flags, message) => {
    const given = flags.map(flag => (flag === 'order.txt' ? join(folder, flag) : flag))

    const ended = await service.run(['put', 'orders', ...given], { stdin: 'x\n' })

    expect([ended.exit, ended.stderr.split('\n')[0]]).toEqual([2, `error CLI_ERR_USAGE: ${message}`])
  })

  test('ends with 4 for a file that is not there', async () => {
    const ended = await service.run(['put', 'orders', ...schemaFlags('none.json')], { stdin: 'x\n' })

    expect([ended.exit, ended.stderr.startsWith('error CLI_ERR_INPUT')]).toEqual([4, true])
  })
})

test('gen --schema writes generated records with their frame', async () => {
  const name = stream()
  const more = ['--template', '{"n":{{seq}}}', '--rate', 'max', '--count', '2', '--set', 'aggregationEnabled=false']

  const ended = await service.run(['gen', name, ...more, ...schemaFlags('order.json', '--auto-register')])

  const frames = storedHex(name)
  expect([ended.exit, frames.length, new Set(frames.map(frame => frame.slice(0, 36))).size]).toEqual([0, 2, 1])
  expect(Buffer.from(frames[0]!.slice(36), 'hex').toString()).toMatch(/^\{"n":\d\}$/)
})

describe('tail --decode glue', () => {
  function written(): string {
    const name = stream()
    glue.glue.addVersion({
      schemaName: 'customers',
      dataFormat: 'JSON',
      definition: JSON_DEFINITION,
      versionId: VERSION_ID
    })
    const packed = gzipSync('{"a":2}')
    const data = [bytes(`${PREFIX}7b2261223a317d`), Buffer.from('plain'), Buffer.concat([bytes(PREFIX), packed])]
    for (const Data of data) service.server.kinesis.putRecord({ StreamName: name, Data, PartitionKey: 'k' })
    return name
  }
  const decode = () => ['--decode', 'glue', '--glue-endpoint', glue.endpoint]

  test('prints data without their frames, before gzip is unpacked', async () => {
    const ended = await service.run(['tail', written(), ...ALL, ...decode(), '--gunzip'])

    expect([ended.exit, ended.stdout]).toEqual([0, '{"a":1}\nplain\n{"a":2}\n'])
    expect(glue.glue.callCount()).toBe(1)
  })

  test('names the schema of a record in JSON', async () => {
    const ended = await service.run(['tail', written(), ...ALL, ...decode(), '--out', 'json', '--count', '2'])

    const lines = ended.stdout.trim().split('\n')
    const shown = lines.map(line => {
      const { schema, json, data } = JSON.parse(line)
      return { schema, json, data }
    })
    expect(shown).toEqual([
      { schema: { versionId: VERSION_ID, name: 'customers', dataFormat: 'JSON' }, json: { a: 1 } },
      { data: 'plain' }
    ])
  })

  test('shows the id alone without a permission, and says which one', async () => {
    const name = written()
    glue.glue.addFault({ kind: 'error', code: 'AccessDeniedException', message: 'no', times: 100 })

    const ended = await service.run(['tail', name, ...ALL, ...decode(), '--out', 'json', '--count', '1'])

    const { schema, dataBase64 } = JSON.parse(ended.stdout.trim())
    expect([schema, Buffer.from(dataBase64, 'base64').toString('hex')]).toEqual([
      { versionId: VERSION_ID },
      `${PREFIX}7b2261223a317d`
    ])
    expect(ended.stderr).toContain('the IAM action glue:GetSchemaVersion is needed')
  })
})

test('inspect shows the frame of every user record', async () => {
  const frame = bytes(`0305${VERSION_ID.replaceAll('-', '')}7801010700f8ff7b2261223a317d082a0209`)

  const ended = await cli(['inspect', '--in', 'raw'], { stdin: frame })

  expect([ended.exit, ended.stdout]).toEqual([
    0,
    `single, Glue schema version ${VERSION_ID}, zlib, payload of 18 bytes, 36 bytes\n`
  ])
})

describe('doctor --schema', () => {
  test('finds the version without registering anything', async () => {
    const name = stream()
    const known = { schemaName: name, dataFormat: 'AVRO', definition: AVRO_DEFINITION, versionId: VERSION_ID }
    glue.glue.addVersion(known)

    const ended = await service.run(['doctor', name, ...schemaFlags('customer.avsc')])

    expect(ended.stdout).toContain(`${name} (AVRO) of default-registry has this definition: version ${VERSION_ID}`)
    expect([glue.glue.callCount(), glue.glue.callCount('GetSchemaByDefinition')]).toEqual([1, 1])
  })

  test.each([
    ['EntityNotFoundException', 'Schema is not found.', 'or register it: put --auto-register'],
    ['AccessDeniedException', 'no', 'allow the IAM action glue:GetSchemaByDefinition']
  ])('fails for %s with what to do', async (code, message, fix) => {
    glue.glue.addFault({ kind: 'error', code, message, times: 10 })

    const ended = await service.run(['doctor', ...schemaFlags('customer.avsc', '--schema-name', 'customers')])

    expect([ended.exit, ended.stdout.includes(fix)]).toEqual([1, true])
  })

  test('needs the name of a schema', async () => {
    const ended = await service.run(['doctor', ...schemaFlags('customer.avsc')])

    expect([ended.exit, ended.stderr.includes('--schema needs the STREAM or --schema-name NAME')]).toEqual([2, true])
  })
})
