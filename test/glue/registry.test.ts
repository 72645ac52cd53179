import { inflateSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { glueRegistry } from '../../src/glue/registry.ts'
import type { GlueRegistryOptions, SchemaRequest } from '../../src/glue/registry-options.ts'
import { OptionsError, SchemaError } from '../../src/model/errors.ts'
import { VirtualClock } from '../../src/testing/index.ts'
import { microtasks } from '../support/harness.ts'
import { thrownBy } from '../support/thrown-by.ts'
import { AVRO_DEFINITION, fakeClient, listeningLogger } from './fixture.ts'
import { hex, VERSION_ID } from './vectors.ts'

const ORDERS: SchemaRequest = { name: 'orders', dataFormat: 'AVRO', definition: AVRO_DEFINITION }
const DAY_MS = 86_400_000

function world(options: Parameters<typeof fakeClient>[0] = {}, registryOptions: Partial<GlueRegistryOptions> = {}) {
  const fake = fakeClient(options)
  const clock = new VirtualClock(1_000_000)
  const { logger, lines } = listeningLogger()
  const registry = glueRegistry({ client: fake.client, clock, logger, retries: 0, ...registryOptions })
  return { ...fake, clock, lines, registry }
}

/** Lets time pass until the promise settles. */
async function settled<T>(clock: VirtualClock, promise: Promise<T>): Promise<T> {
  let isSettled = false
  const watched = promise.finally(() => {
    isSettled = true
  })
  watched.catch(() => {})
  for (let turn = 0; turn < 1000 && !isSettled; turn++) {
    for (let i = 0; i < 5; i++) await microtasks()
    if (!isSettled && clock.nextAtMs !== undefined) clock.runNext()
  }
  return watched
}

async function rejection(promise: Promise<unknown>): Promise<SchemaError> {
  const error = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown
  )
  expect(error).toBeInstanceOf(SchemaError)
  return error as SchemaError
}

describe('a schema that Glue knows', () => {
  test('is looked up once, and is the prefix of its version', async () => {
    const { glue, registry } = world()
    glue.addVersion({ schemaName: 'orders', dataFormat: 'AVRO', definition: AVRO_DEFINITION, versionId: VERSION_ID })

    const schema = await registry.schema(ORDERS)
    await registry.schema({ ...ORDERS })

    const { registryName, name, dataFormat, versionId, prefix } = schema
    expect({ registryName, name, dataFormat, versionId, prefix: hex(prefix) }).toEqual({
      registryName: 'default-registry',
      name: 'orders',
      dataFormat: 'AVRO',
      versionId: VERSION_ID,
      prefix: '0300b7b4a7f09c964e4aa687fb5de9ef0c63'
    })
    expect([glue.callCount(), Object.isFrozen(schema)]).toEqual([1, true])
  })

  test('is one request for 1,000 calls at once, and none for the next 1,000', async () => {
    const { glue, registry } = world()
    glue.addVersion({ schemaName: 'orders', dataFormat: 'AVRO', definition: AVRO_DEFINITION, versionId: VERSION_ID })

    const first = await Promise.all(Array.from({ length: 1000 }, () => registry.schema(ORDERS)))
    const second = await Promise.all(Array.from({ length: 1000 }, () => registry.schema(ORDERS)))

    const ids = new Set([...first, ...second].map(({ versionId }) => versionId))
    expect([glue.callCount(), ids]).toEqual([1, new Set([VERSION_ID])])
  })

  test('is another one with another name, format or definition; at most four are asked for at once', async () => {
    const { glue, registry, most } = world()
    const names = Array.from({ length: 20 }, (_, i) => `schema-${i}`)
    for (const schemaName of names) glue.addVersion({ schemaName, dataFormat: 'AVRO', definition: AVRO_DEFINITION })

    const schemas = await Promise.all(names.map(name => registry.schema({ ...ORDERS, name })))

    expect([new Set(schemas.map(({ versionId }) => versionId)).size, glue.callCount(), most()]).toEqual([20, 20, 4])
  })

  test('is looked up again when others took its place in the cache', async () => {
    const { glue, registry } = world({}, { cacheSize: 2 })
    const names = ['a', 'b', 'c']
    for (const schemaName of names) glue.addVersion({ schemaName, dataFormat: 'AVRO', definition: AVRO_DEFINITION })
    for (const name of ['a', 'b', 'a', 'c']) await registry.schema({ ...ORDERS, name })

    await registry.schema({ ...ORDERS, name: 'a' })
    const kept = glue.callCount()
    await registry.schema({ ...ORDERS, name: 'b' })

    expect([kept, glue.callCount()]).toEqual([3, 4])
  })

  test('is compressed where that is smaller, and only then', async () => {
    const { glue, registry } = world({}, { compression: 'zlib', compressMinBytes: 10 })
    glue.addVersion({ schemaName: 'orders', dataFormat: 'AVRO', definition: AVRO_DEFINITION, versionId: VERSION_ID })
    const { encode } = await registry.schema(ORDERS)
    const repeated = Buffer.alloc(1000, 'x')

    const framed = encode?.(repeated)
    const others = [encode?.(Buffer.from('short')), encode?.(Buffer.from('0123456789abcdefghijkl'))]

    expect(hex(framed!.subarray(0, 18))).toBe('0305b7b4a7f09c964e4aa687fb5de9ef0c63')
    expect([inflateSync(framed!.subarray(18)).equals(repeated), framed!.length < 100]).toEqual([true, true])
    expect(others).toEqual([undefined, undefined])
  })

  test('serializes with the serializer that it was asked for with, and says so without one', async () => {
    const { glue, registry } = world()
    glue.addVersion({ schemaName: 'orders', dataFormat: 'AVRO', definition: AVRO_DEFINITION })
    const serializer = { serialize: (value: number) => Uint8Array.of(value) }

    const schema = await registry.schema({ ...ORDERS, serializer })
    const without = await registry.schema(ORDERS)

    expect(schema.serialize(7)).toEqual(Uint8Array.of(7))
    expect(thrownBy(() => without.serialize(7 as never))).toBeInstanceOf(OptionsError)
  })
})

describe('a kept schema whose time is over', () => {
  test('is used at once and refreshed behind', async () => {
    const { glue, registry, clock } = world({}, { cacheTtlMs: 1000 })
    glue.addVersion({ schemaName: 'orders', dataFormat: 'AVRO', definition: AVRO_DEFINITION })
    const first = await registry.schema(ORDERS)
    clock.advanceTo(clock.nowMs() + 1000)

    const second = await registry.schema(ORDERS)
    const third = await registry.schema(ORDERS)
    for (let i = 0; i < 10; i++) await microtasks()
    await registry.schema(ORDERS)

    expect([second.versionId, third.versionId, glue.callCount()]).toEqual([first.versionId, first.versionId, 2])
  })

  test('is kept, with a warning, when the refresh fails, and not asked for again for a minute', async () => {
    const { glue, registry, clock, lines } = world()
    glue.addVersion({ schemaName: 'orders', dataFormat: 'AVRO', definition: AVRO_DEFINITION })
    const first = await registry.schema(ORDERS)
    clock.advanceTo(clock.nowMs() + DAY_MS)
    glue.addFault({ kind: 'error', times: 2, code: 'AccessDeniedException', message: 'no' })

    const versionIds: string[] = []
    const counts: number[] = []
    for (const ms of [0, 59_999, 1, 60_000]) {
      clock.advanceTo(clock.nowMs() + ms)
      versionIds.push((await registry.schema(ORDERS)).versionId)
      for (let i = 0; i < 10; i++) await microtasks()
      counts.push(glue.callCount())
    }

    expect([new Set(versionIds), counts]).toEqual([new Set([first.versionId]), [2, 2, 3, 4]])
    expect(lines.map(({ message }) => message)).toEqual([
      'a schema was not refreshed and is used as it was',
      'a schema was not refreshed and is used as it was'
    ])
  })
})

describe('a schema that Glue does not know', () => {
  test.each([
    ['schema', (_: ReturnType<typeof world>) => {}, 'the schema does not exist in this registry and region'],
    [
      'version',
      ({ glue }: ReturnType<typeof world>) =>
        void glue.addVersion({ schemaName: 'orders', dataFormat: 'AVRO', definition: '{"type":"string"}' }),
      'the schema has no version with this definition'
    ]
  ])('is not registered unless that is on: no such %s', async (_, prepare, text) => {
    const all = world()
    prepare(all)

    const error = await rejection(all.registry.schema(ORDERS))

    const { code, registryName, schemaName, region, serviceCode, message } = error
    expect({ code, registryName, schemaName, region, serviceCode }).toEqual({
      code: 'KPL_ERR_SCHEMA_NOT_FOUND',
      registryName: 'default-registry',
      schemaName: 'orders',
      region: 'eu-west-1',
      serviceCode: 'EntityNotFoundException'
    })
    expect(message.replace(/[0-9a-f]{12}/, 'HASH')).toBe(
      `registry default-registry, schema orders, region eu-west-1: ${text} (definition sha256 HASH); auto-registration is off (autoRegister)`
    )
    expect(all.glue.callCount()).toBe(1)
  })

  test('is asked for once a minute, however often it is wanted', async () => {
    const { glue, registry, clock } = world()
    await rejection(registry.schema(ORDERS))
    await rejection(registry.schema(ORDERS))
    clock.advanceTo(clock.nowMs() + 59_999)
    await rejection(registry.schema(ORDERS))
    const before = glue.callCount()
    glue.addVersion({ schemaName: 'orders', dataFormat: 'AVRO', definition: AVRO_DEFINITION, versionId: VERSION_ID })
    clock.advanceTo(clock.nowMs() + 1)

    const schema = await registry.schema(ORDERS)

    expect([before, glue.callCount(), schema.versionId]).toEqual([1, 2, VERSION_ID])
  })

  test('is created with all that was said of it, and its metadata written', async () => {
    const { glue, registry } = world({}, { autoRegister: true, metadata: { team: 'shop' }, compatibility: 'FULL' })

    const schema = await registry.schema({ ...ORDERS, streamName: 'orders-stream' })

    expect([glue.callCount('CreateSchema'), glue.metadataOf(schema.versionId)]).toEqual([
      1,
      { 'x-amz-meta-transport': 'orders-stream', team: 'shop' }
    ])
  })

  test('becomes a new version of a schema that is there', async () => {
    const { glue, registry } = world({}, { autoRegister: true })
    const before = glue.addVersion({ schemaName: 'orders', dataFormat: 'AVRO', definition: '{"type":"string"}' })

    const schema = await registry.schema(ORDERS)

    expect(schema.versionId).not.toBe(before)
    expect([glue.callCount('CreateSchema'), glue.callCount('RegisterSchemaVersion')]).toEqual([0, 1])
  })

  test('is one schema for ten producers that create it at once', async () => {
    const { glue, client } = fakeClient()
    const registries = Array.from({ length: 10 }, () => glueRegistry({ client, autoRegister: true, retries: 0 }))

    const schemas = await Promise.all(registries.map(registry => registry.schema(ORDERS)))

    expect(new Set(schemas.map(({ versionId }) => versionId)).size).toBe(1)
    expect(glue.callCount('CreateSchema')).toBeGreaterThan(1)
  })

  test('has two versions when two producers create it at once with two definitions', async () => {
    const { glue, client } = fakeClient()
    const other = { ...ORDERS, definition: '{"type":"string"}' }
    const registries = [ORDERS, other].map(request => glueRegistry({ client, autoRegister: true }).schema(request))

    const schemas = await Promise.all(registries)

    expect(new Set(schemas.map(({ versionId }) => versionId)).size).toBe(2)
    expect([glue.callCount('CreateSchema'), glue.callCount('RegisterSchemaVersion')]).toEqual([2, 1])
  })

  test('is waited for while it is pending', async () => {
    const { glue, registry, clock } = world({ pendingPolls: 3 }, { autoRegister: true })
    const startMs = clock.nowMs()

    const schema = await settled(clock, registry.schema(ORDERS))

    expect([schema.versionId, glue.callCount('GetSchemaVersion'), clock.nowMs() - startMs]).toEqual([
      '00000000-0000-4000-8000-000000000001',
      4,
      12_000
    ])
  })

  test('is given up when it is pending for 30 seconds', async () => {
    const { registry, clock } = world({ pendingPolls: 100 }, { autoRegister: true })

    const error = await rejection(settled(clock, registry.schema(ORDERS)))

    expect([error.code, error.retryable, error.message]).toEqual([
      'KPL_ERR_SCHEMA_PENDING',
      true,
      'registry default-registry, schema orders, version 00000000-0000-4000-8000-000000000001, region eu-west-1: the version was still PENDING after 30 s'
    ])
  })

  test.each([0, 2])('is incompatible when Glue says FAILURE, after %i polls', async pendingPolls => {
    const { registry, clock } = world({ pendingPolls, isIncompatible: () => true }, { autoRegister: true })

    const error = await rejection(settled(clock, registry.schema(ORDERS)))

    expect(error.code).toBe('KPL_ERR_SCHEMA_INCOMPATIBLE')
    expect(error.message).toContain('breaks the compatibility rule of its schema, or is malformed: status FAILURE')
  })

  test('is not created in a registry that is not there', async () => {
    const { glue, registry } = world({}, { autoRegister: true, registryName: 'shop' })

    const error = await rejection(registry.schema(ORDERS))

    expect([error.code, error.registryName, glue.callCount()]).toEqual(['KPL_ERR_SCHEMA_NOT_FOUND', 'shop', 1])
    expect(error.message).toContain('registry shop, schema orders, region eu-west-1: the registry does not exist')
  })

  test('is used without its metadata when those cannot be written', async () => {
    const { glue, registry, lines } = world({}, { autoRegister: true, metadata: { a: '1', b: '2' } })
    glue.addFault({
      kind: 'error',
      operation: 'PutSchemaVersionMetadata',
      code: 'AccessDeniedException',
      message: 'no'
    })

    const schema = await registry.schema(ORDERS)

    expect([schema.name, glue.callCount('PutSchemaVersionMetadata')]).toEqual(['orders', 1])
    expect(lines.map(({ message }) => message)).toEqual(['the metadata of a schema version were not written'])
  })
})

describe('a registered version without its metadata', () => {
  test('is warned of when it is gone, and is not when it has the pair already', async () => {
    const { glue, registry, lines } = world({}, { autoRegister: true, metadata: { a: '1' } })
    const operation = 'PutSchemaVersionMetadata'
    glue.addFault({ kind: 'error', operation, code: 'AlreadyExistsException', message: 'The pair exists.' })
    glue.addFault({
      kind: 'error',
      operation,
      code: 'EntityNotFoundException',
      message: 'Schema version is not found.'
    })

    await registry.schema(ORDERS)
    const before = lines.length
    await registry.schema({ ...ORDERS, name: 'others' })

    expect([before, lines.map(({ message }) => message)]).toEqual([
      0,
      ['the metadata of a schema version were not written']
    ])
  })
})

describe('an answer that has another shape', () => {
  const GOOD = 'b7b4a7f0-9c96-4e4a-a687-fb5de9ef0c63'

  test('is not kept: the next call asks again', async () => {
    const versionIds = ['no uuid', GOOD]
    const client = { send: async () => ({ SchemaVersionId: versionIds.shift(), Status: 'AVAILABLE' }) }
    const registry = glueRegistry({ client, clock: new VirtualClock(), retries: 0 })

    const error = await rejection(registry.schema(ORDERS))
    const schema = await registry.schema(ORDERS)

    expect([error.code, schema.versionId]).toEqual(['KPL_ERR_SCHEMA_UNAVAILABLE', GOOD])
  })

  test('does not take the place of a schema that is kept', async () => {
    const versionIds = [GOOD, 'no uuid']
    const client = { send: async () => ({ SchemaVersionId: versionIds.shift(), Status: 'AVAILABLE' }) }
    const clock = new VirtualClock(1_000_000)
    const { logger, lines } = listeningLogger()
    const registry = glueRegistry({ client, clock, logger, retries: 0, cacheTtlMs: 1000 })
    await registry.schema(ORDERS)
    clock.advanceTo(clock.nowMs() + 1000)

    await registry.schema(ORDERS)
    for (let i = 0; i < 10; i++) await microtasks()
    const schema = await registry.schema(ORDERS)

    expect([schema.versionId, lines.length]).toEqual([GOOD, 1])
  })

  test.each([
    ['an error whose name is no text', Object.assign(new Error('m'), { name: 5 }), 'GetSchemaByDefinition failed'],
    ['an answer that is no JSON', new SyntaxError('"{"secret" is no JSON'), 'failed: the answer is no JSON']
  ])('is a schema error that quotes nothing: %s', async (_, thrown, text) => {
    const client = { send: async () => Promise.reject(thrown) }
    const registry = glueRegistry({ client, clock: new VirtualClock(), retries: 0 })

    const error = await rejection(registry.schema(ORDERS))

    expect(error.code).toBe('KPL_ERR_SCHEMA_UNAVAILABLE')
    expect(error.message).toContain(text)
    expect(error.message).not.toContain('secret')
  })
})

test('a request that changes while it is under way gives what was asked for', async () => {
  const { glue, registry } = world()
  glue.addVersion({ schemaName: 'orders', dataFormat: 'AVRO', definition: AVRO_DEFINITION })
  const request = { ...ORDERS }

  const asked = registry.schema(request)
  request.name = 'others'

  expect((await asked).name).toBe('orders')
})

describe('a call that fails', () => {
  test('for want of a permission names the action', async () => {
    const { glue, registry } = world()
    const message =
      'User: arn:aws:iam::1:user/u is not authorized to perform: glue:GetSchemaByDefinition on resource: r'
    glue.addFault({ kind: 'error', code: 'AccessDeniedException', message })

    const error = await rejection(registry.schema(ORDERS))

    expect([error.code, error.action, error.serviceCode]).toEqual([
      'KPL_ERR_SCHEMA_ACCESS',
      'glue:GetSchemaByDefinition',
      'AccessDeniedException'
    ])
    expect(error.message).toBe(
      `registry default-registry, schema orders, region eu-west-1: the IAM action glue:GetSchemaByDefinition is needed: AccessDeniedException: ${message}`
    )
  })

  test.each([
    [
      'credentials',
      Object.assign(new Error('Could not load credentials from any providers'), { name: 'CredentialsProviderError' }),
      'CredentialsProviderError: no credentials: Could not load credentials from any providers'
    ],
    ['a region', new Error('Region is missing'), 'RegionMissing: give the GlueClient a region, or set AWS_REGION']
  ])('for want of %s is not tried again, and blames no permission', async (_, thrown, text) => {
    let callCount = 0
    const send = async (): Promise<never> => {
      callCount++
      throw thrown
    }
    const registry = glueRegistry({ client: { send } })

    const error = await rejection(registry.schema(ORDERS))

    expect([error.code, error.retryable, callCount]).toEqual(['KPL_ERR_SCHEMA_ACCESS', false, 1])
    expect(error.message).toBe(`registry default-registry, schema orders, region unknown: ${text}`)
  })

  test('by throttling is made again, and is no answer that is kept', async () => {
    const { glue, registry } = world({}, { retries: 1 })
    glue.addVersion({ schemaName: 'orders', dataFormat: 'AVRO', definition: AVRO_DEFINITION, versionId: VERSION_ID })
    glue.addFault({ kind: 'error', times: 3 })

    const error = await rejection(registry.schema(ORDERS))
    const schema = await registry.schema(ORDERS)

    expect([error.code, error.retryable, error.serviceCode]).toEqual([
      'KPL_ERR_SCHEMA_UNAVAILABLE',
      true,
      'ThrottlingException'
    ])
    expect([schema.versionId, glue.callCount()]).toEqual([VERSION_ID, 4])
  })

  test('without an answer ends with its time', async () => {
    const clock = new VirtualClock(1_000_000)
    const client = { send: () => new Promise<never>(() => {}) }
    const registry = glueRegistry({ client, clock, retries: 0, requestTimeoutMs: 5000 })

    const error = await rejection(settled(clock, registry.schema(ORDERS)))

    expect([error.code, error.message, clock.nowMs()]).toEqual([
      'KPL_ERR_SCHEMA_UNAVAILABLE',
      'registry default-registry, schema orders, region unknown: GetSchemaByDefinition failed: TimeoutError: no answer came within 5000 ms',
      1_005_000
    ])
  })

  test('never shows the definition, though Glue quotes it', async () => {
    const canary = 'canary-definition'
    const { glue, registry } = world({}, { autoRegister: true })
    glue.addVersion({ schemaName: 'orders', dataFormat: 'AVRO', definition: '{"type":"string"}' })

    const error = await rejection(registry.schema({ ...ORDERS, definition: canary }))

    expect([error.code, error.cause]).toEqual(['KPL_ERR_SCHEMA_INCOMPATIBLE', undefined])
    expect(JSON.stringify([error.message, error.stack, { ...error }])).not.toContain(canary)
  })
})

describe('options and requests', () => {
  test.each([
    [{}, 'client is missing'],
    [{ client: {} }, 'client must be an object with send(), got object'],
    [
      {
        client: { send() {} },
        autoRegister: 'yes',
        metadata: Object.fromEntries(Array.from({ length: 11 }, (_, i) => [i, '']))
      },
      'autoRegister must be true or false, got string; metadata must be an object of texts by name, at most 10, got object'
    ],
    [{ client: { send() {} }, cacheSze: 1 }, 'cacheSze is not an option, did you mean cacheSize?']
  ])('that will not do are named: %j', (options, message) => {
    const error = thrownBy(() => glueRegistry(options as never)) as OptionsError

    expect([error.code, error.message]).toEqual(['KPL_ERR_INVALID_OPTIONS', `Invalid options: ${message}`])
  })

  test('of a definition that is too long says how long it may be, and asks nobody', async () => {
    const { glue, registry } = world()

    const error = await registry
      .schema({ ...ORDERS, definition: 'x'.repeat(170_001) })
      .catch((thrown: unknown) => thrown)

    expect([(error as Error).message, glue.callCount()]).toEqual([
      'Invalid options: definition must be text of 1 to 170000 characters, got string',
      0
    ])
  })
})
