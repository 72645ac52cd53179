import { expect, test } from 'vitest'
import { fromGlueProperties } from '../../src/glue/glue-properties.ts'
import { glueRegistry } from '../../src/glue/registry.ts'
import { OptionsError } from '../../src/model/errors.ts'
import { thrownBy } from '../support/thrown-by.ts'
import { fakeClient } from './fixture.ts'

const FILE = `# of the Java library
region=eu-west-1
endpoint=https\\://glue.eu-west-1.amazonaws.com
registry.name=shop
schemaName=orders
dataFormat=avro
compatibility=full
description=Orders of the shop
compression=ZLIB
timeToLiveMillis=60000
cacheSize=50
schemaAutoRegistrationEnabled=true
tags={team=shop, stage=prod}
metadata=owner=ada
avroRecordType=GENERIC_RECORD
protobufMessageType=POJO
secondaryDeserializer=com.example.Old
jsonClassName=com.example.Order
proxyUrl=http://proxy
userAgentApp=shop
assumeRoleArn=arn:aws:iam::1:role/r
assumeRoleSessionName=s
colour=blue
`

test('every property of the Java library goes to our options, to the client, to the schema or to a reason', () => {
  const { options, client, schema, notApplicable, unknown } = fromGlueProperties(FILE)

  expect(options).toEqual({
    registryName: 'shop',
    compatibility: 'FULL',
    description: 'Orders of the shop',
    compression: 'zlib',
    cacheTtlMs: 60_000,
    cacheSize: 50,
    autoRegister: true,
    tags: { team: 'shop', stage: 'prod' },
    metadata: { owner: 'ada' }
  })
  expect({ client, schema, unknown }).toEqual({
    client: { region: 'eu-west-1', endpoint: 'https://glue.eu-west-1.amazonaws.com' },
    schema: { name: 'orders', dataFormat: 'AVRO' },
    unknown: ['colour']
  })
  expect(notApplicable.map(({ property }) => property)).toEqual([
    'avroRecordType',
    'protobufMessageType',
    'secondaryDeserializer',
    'jsonClassName',
    'proxyUrl',
    'userAgentApp',
    'assumeRoleArn',
    'assumeRoleSessionName'
  ])
})

test('what is read is taken by the registry, and what is wrong is named by it', () => {
  const { client } = fakeClient()

  const good = glueRegistry({ ...fromGlueProperties(FILE).options, client })
  const bad = thrownBy(() => glueRegistry({ ...fromGlueProperties('cacheSize=many\ntags=x').options, client }))

  expect(typeof good.schema).toBe('function')
  expect((bad as Error).message).toBe(
    'Invalid options: cacheSize must be a whole number from 1 to 100000, got string; tags must be an object of texts by name, got string'
  )
})

test('what is no text is refused', () => {
  expect(thrownBy(() => fromGlueProperties(undefined as never))).toBeInstanceOf(OptionsError)
})
