import {
  CreateSchemaCommand,
  GetSchemaByDefinitionCommand,
  GetSchemaVersionCommand,
  GlueClient,
  PutSchemaVersionMetadataCommand,
  RegisterSchemaVersionCommand
} from '@aws-sdk/client-glue'
import { afterEach, describe, expect, test } from 'vitest'
import { glueRegistry } from '../../src/glue/registry.ts'
import { FakeGlue, startFakeGlue } from '../../src/testing/index.ts'
import { AVRO_DEFINITION, glueServer } from '../glue/fixture.ts'

const open: { close(): Promise<void> }[] = []
afterEach(async () => {
  for (const server of open.splice(0)) await server.close()
})

async function started(options: Parameters<typeof glueServer>[0] = {}) {
  const server = await glueServer(options)
  open.push(server)
  return server
}

const CREATE = {
  RegistryId: { RegistryName: 'default-registry' },
  SchemaName: 'orders',
  DataFormat: 'AVRO',
  Compatibility: 'BACKWARD',
  SchemaDefinition: AVRO_DEFINITION
} as const

async function thrownName(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => 'nothing',
    (error: Error) => `${error.name}: ${error.message}`
  )
}

describe('the fake Glue', () => {
  test('speaks the five operations with the SDK', async () => {
    const { client, glue } = await started()
    const SchemaId = { SchemaName: 'orders', RegistryName: 'default-registry' }
    const spaced = AVRO_DEFINITION.replaceAll(',', ', ')

    const created = await client.send(new CreateSchemaCommand(CREATE))
    const found = await client.send(new GetSchemaByDefinitionCommand({ SchemaId, SchemaDefinition: spaced }))
    const added = await client.send(
      new RegisterSchemaVersionCommand({ SchemaId, SchemaDefinition: '{"type":"string"}' })
    )
    const version = await client.send(new GetSchemaVersionCommand({ SchemaVersionId: added.SchemaVersionId }))
    const MetadataKeyValue = { MetadataKey: 'team', MetadataValue: 'shop' }
    await client.send(new PutSchemaVersionMetadataCommand({ SchemaVersionId: added.SchemaVersionId, MetadataKeyValue }))

    expect([created.SchemaVersionStatus, found.SchemaVersionId === created.SchemaVersionId, found.Status]).toEqual([
      'AVAILABLE',
      true,
      'AVAILABLE'
    ])
    expect([added.VersionNumber, version.SchemaDefinition, version.DataFormat, version.SchemaArn]).toEqual([
      2,
      '{"type":"string"}',
      'AVRO',
      'arn:aws:glue:us-east-1:000000000000:schema/default-registry/orders'
    ])
    expect(glue.metadataOf(added.SchemaVersionId!)).toEqual({ team: 'shop' })
  })

  test('refuses as the service does', async () => {
    const { client } = await started()
    await client.send(new CreateSchemaCommand(CREATE))
    const ofOther = { SchemaId: { SchemaName: 'other', RegistryName: 'default-registry' } }
    const ofOrders = { SchemaId: { SchemaName: 'orders', RegistryName: 'default-registry' } }

    const refusals = await Promise.all([
      thrownName(client.send(new CreateSchemaCommand(CREATE))),
      thrownName(client.send(new GetSchemaByDefinitionCommand({ ...ofOther, SchemaDefinition: '{}' }))),
      thrownName(client.send(new GetSchemaByDefinitionCommand({ ...ofOrders, SchemaDefinition: '{}' }))),
      thrownName(client.send(new CreateSchemaCommand({ ...CREATE, RegistryId: { RegistryName: 'shop' } }))),
      thrownName(client.send(new GetSchemaVersionCommand({ SchemaVersionId: 'none' })))
    ])

    expect(refusals).toEqual([
      'AlreadyExistsException: Schema already exists. SchemaName: orders',
      'EntityNotFoundException: Schema is not found.',
      'EntityNotFoundException: Schema version is not found.',
      'EntityNotFoundException: Registry is not found. RegistryName: shop',
      'EntityNotFoundException: Schema version is not found.'
    ])
  })

  test('throttles, cuts and fails as it is told, and the registry gets through', async () => {
    const { client, glue } = await started()
    glue.addFault({ kind: 'error', operation: 'GetSchemaByDefinition' })
    glue.addFault({ kind: 'reset', operation: 'CreateSchema' })
    glue.addFault({ kind: 'error', operation: 'CreateSchema', code: 'InternalServiceException', statusCode: 500 })
    const registry = glueRegistry({ client, autoRegister: true })

    const schema = await registry.schema({ name: 'orders', dataFormat: 'AVRO', definition: AVRO_DEFINITION })

    expect([schema.versionId, glue.callCount('GetSchemaByDefinition'), glue.callCount('CreateSchema')]).toEqual([
      '00000000-0000-4000-8000-000000000001',
      2,
      3
    ])
  })

  test('never answers where it is told so, and closes all the same', async () => {
    const server = await startFakeGlue()
    server.glue.addFault({ kind: 'silence' })
    const credentials = { accessKeyId: 'any', secretAccessKey: 'any' }
    const client = new GlueClient({ endpoint: server.endpoint, region: 'us-east-1', credentials, maxAttempts: 1 })

    const asked = thrownName(client.send(new GetSchemaVersionCommand({ SchemaVersionId: 'none' })))
    while (server.glue.callCount() === 0) await new Promise(resolve => setImmediate(resolve))
    await server.close()

    expect(await asked).not.toBe('nothing')
    client.destroy()
  })

  test('keeps what it knows when its server is closed and started again', async () => {
    const glue = new FakeGlue()
    const first = await startFakeGlue({ glue })
    const versionId = glue.addVersion({ schemaName: 'orders', dataFormat: 'AVRO', definition: AVRO_DEFINITION })
    await first.close()

    const { client } = await started({ glue })
    const version = await client.send(new GetSchemaVersionCommand({ SchemaVersionId: versionId }))

    expect(version.SchemaDefinition).toBe(AVRO_DEFINITION)
  })

  test('answers what is no JSON and what is no operation with the errors of the service', async () => {
    const { endpoint } = await started()
    const post = async (operation: string, body: string): Promise<unknown> => {
      const answer = await fetch(endpoint, {
        method: 'POST',
        body,
        headers: { 'x-amz-target': `AWSGlue.${operation}`, 'content-type': 'application/x-amz-json-1.1' }
      })
      return [answer.status, ((await answer.json()) as { readonly __type: string }).__type]
    }

    const answers = [await post('GetSchemaVersion', '{'), await post('GetTables', '{}')]

    expect(answers).toEqual([
      [400, 'SerializationException'],
      [400, 'UnknownOperationException']
    ])
  })
})
