import { expect, test } from 'vitest'
import { kinesisHandler, type LambdaUserRecord } from '../../../src/consumer/lambda.ts'
import { glueDecoder } from '../../../src/glue/decoder.ts'
import type { SchemaError } from '../../../src/model/errors.ts'
import { kinesisEvent, lambdaContext } from '../../../src/testing/index.ts'
import { AVRO_DEFINITION, fakeClient } from '../../glue/fixture.ts'
import { bytes, FRAMES, VERSION_ID } from '../../glue/vectors.ts'
import { SILENT } from '../../support/silent.ts'

function glue() {
  const fake = fakeClient()
  const version = { schemaName: 'customers', dataFormat: 'AVRO', definition: AVRO_DEFINITION, versionId: VERSION_ID }
  fake.glue.addVersion(version)
  return fake.client
}

const AVRO = bytes(FRAMES[2]!.frame)
const BROKEN = bytes(`0305${VERSION_ID.replaceAll('-', '')}00`)

test('a handler is given what its decoder makes of each user record of an aggregate', async () => {
  const seen: unknown[][] = []
  const decoder = glueDecoder({
    client: glue(),
    deserializers: { AVRO: data => Buffer.from(data.subarray(1)).toString() }
  })
  const handler = kinesisHandler(
    ({ partitionKey, data, value, schema, id, source }: LambdaUserRecord) => {
      seen.push([
        partitionKey,
        Buffer.from(data).toString('hex'),
        value,
        schema?.name,
        id.length > 0,
        source !== undefined
      ])
    },
    { decoder }
  )
  const event = kinesisEvent([
    { partitionKey: 'a', data: AVRO },
    { partitionKey: 'b', data: 'plain' }
  ])

  const answer = await handler(event, lambdaContext())

  expect(answer).toEqual({ batchItemFailures: [] })
  // Different keys run at once.
  expect(seen.sort(([left], [right]) => (String(left) < String(right) ? -1 : 1))).toEqual([
    ['a', '06426f62', 'Bob', 'customers', true, true],
    ['b', '706c61696e', undefined, undefined, true, true]
  ])
})

test('a record that its decoder rejects is delivered again, and its handler is not called for it', async () => {
  const handled: string[] = []
  const errors: unknown[] = []
  const decoder = glueDecoder({ client: glue(), onUndecodable: 'throw' })
  const onError = (error: unknown) => void errors.push((error as SchemaError).code)
  const handler = kinesisHandler(({ partitionKey }) => void handled.push(partitionKey), { decoder, onError })
  const event = kinesisEvent([
    { partitionKey: 'a', data: AVRO },
    { partitionKey: 'b', data: BROKEN }
  ])

  const answer = await handler(event, lambdaContext())

  const { sequenceNumber } = event.Records.at(-1)!.kinesis
  expect([handled, errors, answer]).toEqual([
    ['a'],
    ['KPL_ERR_SCHEMA_DATA'],
    { batchItemFailures: [{ itemIdentifier: sequenceNumber }] }
  ])
})

test('a record that passes undecoded is handled as it is', async () => {
  const seen: unknown[] = []
  const decoder = glueDecoder({ client: glue(), logger: SILENT })
  const handler = kinesisHandler(({ data, schema }) => void seen.push([data, schema]), { decoder })

  await handler(kinesisEvent([{ partitionKey: 'b', data: BROKEN }]), lambdaContext())

  expect(seen).toEqual([[BROKEN, undefined]])
})

test('what is not decoded when the time is up is not handled after the answer', async () => {
  let release = () => {}
  const released = new Promise<void>(resolve => {
    release = resolve
  })
  const handled: string[] = []
  const ending = new AbortController()
  const decoder = {
    decode: async (record: LambdaUserRecord) => {
      await released
      return record
    }
  }
  const handler = kinesisHandler(({ partitionKey }) => void handled.push(partitionKey), {
    decoder,
    timeoutSignal: () => ending.signal,
    onError: () => {}
  })
  const event = kinesisEvent([{ partitionKey: 'a', data: 'x' }])

  const answered = handler(event, lambdaContext())
  ending.abort()
  const answer = await answered
  release()
  await new Promise(resolve => setImmediate(resolve))

  const itemIdentifier = event.Records[0]!.kinesis.sequenceNumber
  expect([answer, handled]).toEqual([{ batchItemFailures: [{ itemIdentifier }] }, []])
})
