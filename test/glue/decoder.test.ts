import { runInNewContext } from 'node:vm'
import { deflateSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { deaggregateAll } from '../../src/consumer/deaggregate.ts'
import { glueDecoder } from '../../src/glue/decoder.ts'
import { glueRegistry } from '../../src/glue/registry.ts'
import type { OptionsError, SchemaError } from '../../src/model/errors.ts'
import { VirtualClock } from '../../src/testing/index.ts'
import { Harness, STREAM } from '../support/harness.ts'
import { thrownBy } from '../support/thrown-by.ts'
import { AVRO_DEFINITION, fakeClient, glueServer, listeningLogger } from './fixture.ts'
import { bytes, FRAMES, NO_FRAMES, UNDECODABLE, VERSION_ID } from './vectors.ts'

const SCHEMA = {
  versionId: VERSION_ID,
  dataFormat: 'AVRO',
  definition: AVRO_DEFINITION,
  name: 'customers',
  registryName: 'default-registry'
}

function world(options: Partial<Parameters<typeof glueDecoder>[0]> = {}) {
  const fake = fakeClient()
  const clock = new VirtualClock(1_000_000)
  const { logger, lines } = listeningLogger()
  fake.glue.addVersion({
    schemaName: 'customers',
    dataFormat: 'AVRO',
    definition: AVRO_DEFINITION,
    versionId: VERSION_ID
  })
  const decoder = glueDecoder({ client: fake.client, clock, logger, retries: 0, ...options })
  return { ...fake, clock, lines, decoder }
}

function recordOf(data: Uint8Array) {
  return { partitionKey: 'k', data, sequenceNumber: '7' }
}

async function rejection(promise: Promise<unknown>): Promise<SchemaError> {
  return promise.then(
    () => undefined,
    (thrown: unknown) => thrown
  ) as Promise<SchemaError>
}

test.each([
  ['null', null, 'null'],
  ['an object without data', {}, 'object'],
  ['a list of records', [recordOf(new Uint8Array())], 'array'],
  ['text', { data: 'text' }, 'object']
])('%s instead of a record is refused, whatever becomes of undecodable ones', async (_, given, kind) => {
  const { decoder } = world()

  const error = await rejection(decoder.decode(given as never))

  expect([error.code, error.message]).toEqual([
    'KPL_ERR_INVALID_INPUT',
    `record must be an object whose data are bytes (deaggregate gives such), got ${kind}`
  ])
})

test('bytes of another realm, such as Jest makes, are bytes', async () => {
  const { decoder } = world()
  const made: Uint8Array = runInNewContext(`new Uint8Array([${bytes(FRAMES[0]!.frame).join()}])`)

  const { data, schema } = await decoder.decode(recordOf(made))

  expect([made instanceof Uint8Array, Buffer.from(data), schema]).toEqual([
    false,
    Buffer.from(bytes(FRAMES[0]!.data)),
    SCHEMA
  ])
})

test('frames that Glue does not know drive no known schema out', async () => {
  const { decoder, glue } = world({ cacheSize: 1 })
  const foreign = Buffer.from(bytes(FRAMES[0]!.frame))
  foreign.fill(0x77, 2, 18)
  await decoder.decode(recordOf(bytes(FRAMES[0]!.frame)))

  await decoder.decode(recordOf(foreign))
  await decoder.decode(recordOf(bytes(FRAMES[0]!.frame)))
  await decoder.decode(recordOf(foreign))

  expect(glue.callCount()).toBe(2)
})

describe('a record with a frame', () => {
  test.each(FRAMES)('comes out with its data and schema, and all else that it has: $what', async ({ frame, data }) => {
    const { decoder } = world()

    const decoded = await decoder.decode(recordOf(bytes(frame)))

    expect(decoded).toEqual({ partitionKey: 'k', sequenceNumber: '7', data: bytes(data), schema: SCHEMA })
  })

  test('has a value where its format has a deserializer, made with the definition of its writer', async () => {
    const { decoder } = world({ deserializers: { AVRO: (data, { definition }) => [data.length, definition] } })

    const { value } = await decoder.decode(recordOf(bytes(FRAMES[2]!.frame)))

    expect(value).toEqual([4, AVRO_DEFINITION])
  })

  test('asks for its version once, whoever asks for it and whenever', async () => {
    const { decoder, glue, clock } = world()
    const record = recordOf(bytes(FRAMES[0]!.frame))

    await Promise.all(Array.from({ length: 100 }, () => decoder.decode(record)))
    clock.advanceTo(clock.nowMs() + 1e9)
    await decoder.decode(record)

    expect(glue.callCount()).toBe(1)
  })
})

describe('a record without a frame', () => {
  test.each([...NO_FRAMES, ['an aggregate', 'f3899ac20a01611a'] as const])(
    'comes out as it is, and nobody is asked: %s',
    async (_, text) => {
      const { decoder, glue } = world({ onUndecodable: 'throw' })
      const record = recordOf(bytes(text))

      const decoded = await decoder.decode(record)

      expect([decoded === record, glue.callCount()]).toEqual([true, 0])
    }
  )
})

describe('a record that cannot be decoded', () => {
  test.each(UNDECODABLE)('passes unchanged, with a warning: %s', async (_, text, message) => {
    const { decoder, lines } = world()
    const record = recordOf(bytes(text))

    const decoded = await decoder.decode(record)

    expect(decoded).toBe(record)
    expect(lines).toEqual([
      {
        message: 'a record with a schema was not decoded',
        fields: { versionId: VERSION_ID, error: `SchemaError: ${message}` }
      }
    ])
  })

  test.each(UNDECODABLE)('is an error when that is asked for: %s', async (_, text, message) => {
    const { decoder } = world({ onUndecodable: 'throw' })

    const error = await rejection(decoder.decode(recordOf(bytes(text))))

    expect([error.code, error.message]).toEqual(['KPL_ERR_SCHEMA_DATA', message])
  })

  test('by its size is an error and no crash: 100 MB of zeros in 100 kB', async () => {
    const { decoder } = world({ onUndecodable: 'throw' })
    const bomb = Buffer.concat([bytes(`0305${VERSION_ID.replaceAll('-', '')}`), deflateSync(Buffer.alloc(100_000_000))])
    const before = process.memoryUsage().rss

    const error = await rejection(decoder.decode(recordOf(bomb)))

    expect([error.code, error.message]).toEqual([
      'KPL_ERR_SCHEMA_DATA',
      'the payload must inflate to at most 10485760 bytes (maxInflatedBytes), got more'
    ])
    expect(process.memoryUsage().rss - before).toBeLessThan(60_000_000)
  })

  test('inflates up to its bound, to the byte', async () => {
    const frameOf = (count: number) =>
      Buffer.concat([bytes(`0305${VERSION_ID.replaceAll('-', '')}`), deflateSync(Buffer.alloc(count, 'x'))])
    const { decoder } = world({ onUndecodable: 'throw', maxInflatedBytes: 1000 })

    const fits = await decoder.decode(recordOf(frameOf(1000)))
    const error = await rejection(decoder.decode(recordOf(frameOf(1001))))

    expect([fits.data.length, error.code]).toEqual([1000, 'KPL_ERR_SCHEMA_DATA'])
  })

  test('for want of its version passes, and its version is asked for once a minute', async () => {
    const { decoder, glue, clock, lines } = world()
    const foreign = recordOf(bytes('0300deadbeefdeadbeefdeadbeefdeadbeef68656c6c6f'))
    const counts: number[] = []

    const decoded: unknown[] = []
    for (const ms of [0, 0, 59_999, 1]) {
      clock.advanceTo(clock.nowMs() + ms)
      decoded.push(await decoder.decode(foreign))
      counts.push(glue.callCount())
    }

    expect([decoded.every(record => record === foreign), counts]).toEqual([true, [1, 1, 1, 2]])
    expect(lines[0]).toEqual({
      message: 'a record with a schema was not decoded',
      fields: {
        versionId: 'deadbeef-dead-beef-dead-beefdeadbeef',
        error:
          'SchemaError: version deadbeef-dead-beef-dead-beefdeadbeef, region eu-west-1: no schema of this account and region has this version; a frame of another account, or no frame at all'
      }
    })
  })

  test('for want of a permission names the action', async () => {
    const { decoder, glue } = world({ onUndecodable: 'throw' })
    glue.addFault({ kind: 'error', code: 'AccessDeniedException', message: 'not allowed' })

    const error = await rejection(decoder.decode(recordOf(bytes(FRAMES[0]!.frame))))

    expect([error.code, error.action, error.message]).toEqual([
      'KPL_ERR_SCHEMA_ACCESS',
      'glue:GetSchemaVersion',
      `version ${VERSION_ID}, region eu-west-1: the IAM action glue:GetSchemaVersion is needed: AccessDeniedException: not allowed`
    ])
  })

  test('for want of a try that Glue takes is asked for again at the next record', async () => {
    const { decoder, glue } = world()
    glue.addFault({ kind: 'error' })
    const record = recordOf(bytes(FRAMES[0]!.frame))

    const first = await decoder.decode(record)
    const second = await decoder.decode(record)

    expect([first === record, second.schema?.name]).toEqual([true, 'customers'])
  })

  test.each(['throws', 'rejects'])(
    'by a deserializer that %s is an error that has its cause, and not the data',
    async how => {
      const cause = new Error('no such enum')
      const throwing = () => {
        if (how === 'rejects') return Promise.reject(cause)
        throw cause
      }
      const { decoder } = world({ onUndecodable: 'throw', deserializers: { AVRO: throwing } })

      const error = await rejection(decoder.decode(recordOf(bytes(FRAMES[2]!.frame))))

      expect([error.code, error.cause, error.message]).toEqual([
        'KPL_ERR_SCHEMA_DATA',
        cause,
        `the deserializer of AVRO threw at data of schema customers, version ${VERSION_ID}`
      ])
    }
  )
})

test('what a producer wrote with two schemas, one compressed, is read back from one aggregate', async () => {
  const server = await glueServer()
  try {
    const plain = glueRegistry({ client: server.client, autoRegister: true })
    const small = glueRegistry({ client: server.client, autoRegister: true, compression: 'zlib' })
    const customers = await plain.schema({ name: 'customers', dataFormat: 'AVRO', definition: AVRO_DEFINITION })
    const notes = await small.schema({ name: 'notes', dataFormat: 'JSON', definition: '{"type":"object"}' })
    const text = JSON.stringify({ note: 'again and '.repeat(100) })
    const harness = await new Harness().warm()
    harness.producer.tryPut({ partitionKey: 'k', data: bytes('06426f62'), schema: customers })
    harness.producer.tryPut({ partitionKey: 'k', data: text, schema: notes })
    harness.producer.tryPut({ partitionKey: 'k', data: 'neither' })
    await harness.settle(harness.producer.flush())
    const decoder = glueDecoder({ client: server.client, onUndecodable: 'throw' })

    const [, aggregate] = harness.kinesis.storedRecords(STREAM)
    const users = [...deaggregateAll([aggregate!.data])]
    const decoded = await Promise.all(users.map(user => decoder.decode(user)))

    expect(decoded.map(({ data, schema }) => [Buffer.from(data).toString(), schema?.name])).toEqual([
      ['\u0006Bob', 'customers'],
      [text, 'notes'],
      ['neither', undefined]
    ])
    expect(users[1]!.data.length).toBeLessThan(100)
  } finally {
    await server.close()
  }
})

test.each([
  [{ client: { send() {} }, onUndecodable: 'skip' }, "onUndecodable must be 'pass' or 'throw', got string"],
  [
    { client: { send() {} }, deserializers: { avro: () => 1 } },
    'deserializers must be an object of functions by format (AVRO, JSON, PROTOBUF), got object'
  ]
])('options that will not do are named: %j', (options, message) => {
  const error = thrownBy(() => glueDecoder(options as never)) as OptionsError

  expect([error.code, error.message]).toEqual(['KPL_ERR_INVALID_OPTIONS', `Invalid options: ${message}`])
})
