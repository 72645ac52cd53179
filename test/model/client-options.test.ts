/** The shapes of what goes to the AWS SDK, at the constructor and in the types. */
import { KinesisClient } from '@aws-sdk/client-kinesis'
import { NodeHttpHandler } from '@smithy/node-http-handler'
import { describe, expect, test } from 'vitest'
import { InvalidRecordError, OptionsError } from '../../src/model/errors.ts'
import type { ProducerOptions } from '../../src/model/options.ts'
import { resolveOptions } from '../../src/model/resolve-options.ts'
import { KinesisProducer } from '../../src/producer/kinesis-producer.ts'
import { DiscardTransport } from '../../src/testing/discard-transport.ts'

const CREDENTIALS = { accessKeyId: 'AKID', secretAccessKey: 'canary' }
const UNSET = '(an unset environment variable?)'
const OF_STS = '(give what is in Credentials, with small first letters)'
const NO_HEADER = 'holds white space, a line end or a character beyond ASCII'
const MUST_HAVE = 'credentials must have accessKeyId and secretAccessKey'

function faultsOf(options: object): readonly string[] {
  try {
    resolveOptions(options)
    return []
  } catch (error) {
    if (!(error instanceof OptionsError)) throw error
    return error.faults
  }
}

describe('what will do', () => {
  test.each<[string, ProducerOptions]>([
    ['credentials', { credentials: CREDENTIALS }],
    ['credentials that expire', { credentials: { ...CREDENTIALS, expiration: new Date(0) } }],
    ['credentials with an empty token', { credentials: { ...CREDENTIALS, sessionToken: '' } }],
    ['credentials with a token', { credentials: { ...CREDENTIALS, sessionToken: 'token' } }],
    ['a provider', { credentials: () => Promise.resolve(CREDENTIALS) }],
    ['a client of the SDK', { client: new KinesisClient({ region: 'us-east-1' }) }],
    ['anything that sends', { client: { send: () => Promise.resolve({}) } }],
    ['a handler of the SDK', { requestHandler: new NodeHttpHandler() }],
    ['options of a handler', { requestHandler: { connectionTimeout: 100, httpsAgent: { maxSockets: 5 } } }],
    ['options without a prototype', { requestHandler: Object.create(null) as Record<string, unknown> }]
  ])('%s', (_, options) => {
    expect(faultsOf(options)).toEqual([])
  })
})

describe('credentials', () => {
  test.each<[string, unknown, string]>([
    [
      'of other names',
      { accessKey: 'canary', secretKey: 'canary' },
      `${MUST_HAVE}: accessKeyId is undefined (accessKey is not read), secretAccessKey is undefined (secretKey is not read)`
    ],
    [
      'of STS',
      { Credentials: { AccessKeyId: 'canary' } },
      `${MUST_HAVE}: accessKeyId is undefined ${OF_STS}, secretAccessKey is undefined ${OF_STS}`
    ],
    [
      'of a file with its line ends',
      { accessKeyId: 'canary\n', secretAccessKey: ' canary', sessionToken: 'canary\r\nx: y' },
      `${MUST_HAVE}: ${['accessKeyId', 'secretAccessKey', 'sessionToken'].map(name => `${name} ${NO_HEADER}`).join(', ')}`
    ],
    ['beyond ASCII', { ...CREDENTIALS, accessKeyId: 'canar\u00ff' }, `${MUST_HAVE}: accessKeyId ${NO_HEADER}`],
    [
      'with the text of an unset token',
      { ...CREDENTIALS, sessionToken: 'undefined' },
      `${MUST_HAVE}: sessionToken is the text of an unset variable`
    ],
    [
      'that expire at a text',
      { ...CREDENTIALS, expiration: '2030-01-01T00:00:00Z' },
      `${MUST_HAVE}: expiration is string, not a date`
    ],
    [
      'that expire at no time',
      { ...CREDENTIALS, expiration: new Date(Number.NaN) },
      `${MUST_HAVE}: expiration is an invalid date`
    ],
    [
      'that are a class',
      class Provider {},
      'credentials must be an identity or a function that gives one, got a class'
    ],
    [
      'of an unset variable',
      { ...CREDENTIALS, accessKeyId: undefined },
      `${MUST_HAVE}: accessKeyId is undefined ${UNSET}`
    ],
    [
      'of its text',
      { ...CREDENTIALS, secretAccessKey: 'undefined' },
      `${MUST_HAVE}: secretAccessKey is the text of an unset variable`
    ],
    ['that are empty', { ...CREDENTIALS, accessKeyId: ' ' }, `${MUST_HAVE}: accessKeyId is an empty string`],
    [
      'of another kind',
      { ...CREDENTIALS, secretAccessKey: Buffer.from('canary') },
      `${MUST_HAVE}: secretAccessKey is Buffer`
    ],
    ['with half a token', { ...CREDENTIALS, sessionToken: 7 }, `${MUST_HAVE}: sessionToken is number, no string`],
    [
      'that are a promise',
      Promise.resolve(CREDENTIALS),
      'credentials must be an identity or a function that gives one, got a promise'
    ]
  ])('%s are a fault that names what is missing, and no value', (_, credentials, fault) => {
    expect(faultsOf({ credentials })).toEqual([fault])
  })
})

describe('a client', () => {
  test.each<[string, unknown, string]>([
    ['without send', {}, 'client must have a send method'],
    ['with a send that is no function', { send: 'canary' }, 'client must have a send method'],
    ['that is a class', KinesisClient, 'client must have a send method: give an instance, not its class'],
    [
      'of another service',
      { send() {}, config: { serviceId: 'DynamoDB' } },
      'client must be a client of Kinesis, got one of another service'
    ]
  ])('%s is a fault', (_, client, fault) => {
    expect(faultsOf({ client })).toEqual([fault])
  })
})

describe('a request handler', () => {
  class Agent {}
  const OR_OPTIONS = 'requestHandler must have a handle method, or be plain options such as { httpsAgent }, got'

  test.each<[string, unknown, string]>([
    ['with a handle that is no function', { handle: 'canary' }, 'requestHandler must have a handle method'],
    ['that is an agent', new Agent(), `${OR_OPTIONS} Agent`],
    ['that is a list', [], `${OR_OPTIONS} array`],
    ['that is a function', () => {}, `${OR_OPTIONS} function`],
    ['that is a class', NodeHttpHandler, `${OR_OPTIONS} function: give an instance, not its class`],
    [
      'of another HTTP client',
      { dispatch() {}, timeout: 5 },
      'requestHandler has no handle method, so it must be options of a handler; unknown: dispatch, timeout; known: httpAgent, httpsAgent, ' +
        'connectionTimeout, requestTimeout, throwOnRequestTimeout, socketTimeout, socketAcquisitionWarningTimeout, logger'
    ],
    [
      'with the URL of a proxy for an agent',
      { httpsAgent: 'http://canary' },
      'requestHandler must have an agent, or options of one, as httpsAgent'
    ]
  ])('%s is a fault', (_, requestHandler, fault) => {
    expect(faultsOf({ requestHandler })).toEqual([fault])
  })
})

test('every fault comes at once, those of several options too, but none of an option that has a fault already', () => {
  const options = {
    region: 'nowhere',
    endpoint: 'localhost:4566',
    streamName: 'arn:aws:kinesis:eu-west-1:123456789012:stream/orders',
    credentials: { accessKeyId: '' },
    client: {},
    wireFormat: 'cbor',
    retryBaseMs: 'long',
    retryCapMs: 1,
    recordTtlMs: 100
  }

  expect(faultsOf(options)).toEqual([
    'region must look like eu-west-1',
    `${MUST_HAVE}: accessKeyId is an empty string, secretAccessKey is undefined ${UNSET}`,
    'client must have a send method',
    'retryBaseMs must be a whole number of ms, got string',
    'recordMaxBufferedTimeMs must be less than recordTtlMs (100 ms), got 100',
    'endpoint must be a URL: give http://localhost:4566'
  ])
})

describe('an ARN', () => {
  const WEST = 'arn:aws:kinesis:eu-west-1:123456789012:stream/orders'
  const ELSEWHERE = "is an ARN of the region eu-west-1, and the producer's region is us-east-1"

  test.each<[string, string | undefined, readonly string[]]>([
    [WEST, 'eu-west-1', []],
    [WEST, undefined, []],
    [WEST, 'us-east-1', [`streamName ${ELSEWHERE}`]],
    ['arn:aws-cn:kinesis:cn-north-1:123456789012:stream/orders', 'cn-north-1', []],
    ['arn:aws-us-gov:kinesis:us-gov-west-1:123456789012:stream/orders', 'us-gov-west-1', []],
    ['arn:aws-iso-b:kinesis:us-isob-east-1:123456789012:stream/orders', undefined, []],
    ['arn:aws-new:kinesis:zz-new-1:123456789012:stream/orders', undefined, []],
    [
      'arn:aws:kinesis:cn-north-1:123456789012:stream/orders',
      'cn-north-1',
      ['streamName is an ARN of the partition aws, and its region cn-north-1 is in aws-cn']
    ],
    [
      'arn:aws-cn:kinesis:eu-west-1:123456789012:stream/orders',
      undefined,
      ['streamName is an ARN of the partition aws-cn, and its region eu-west-1 is in aws']
    ]
  ])('%s in the region %s', (streamName, region, faults) => {
    expect(faultsOf({ streamName, region })).toEqual(faults)
  })

  test('of another region than the producer is refused with its record', async () => {
    const options = { region: 'us-east-1', streamName: 'orders' }
    const producer = new KinesisProducer(options, { transport: new DiscardTransport() })

    const error: unknown = await producer
      .put({ streamName: WEST, partitionKey: 'k', data: 'x' })
      .catch((thrown: unknown) => thrown)
    await producer.close()

    expect(error).toEqual(new InvalidRecordError('KPL_ERR_INVALID_RECORD', 'streamName', ELSEWHERE))
  })
})

test('the types are those of the SDK', () => {
  const options: ProducerOptions[] = [
    // @ts-expect-error -- the names of another SDK
    { credentials: { accessKey: 'a', secretKey: 'b' } },
    // @ts-expect-error -- an unset variable
    { credentials: { accessKeyId: process.env['UNSET'], secretAccessKey: 'b' } },
    // @ts-expect-error -- no client
    { client: {} },
    // @ts-expect-error -- no handler
    { requestHandler: 7 }
  ]

  expect(options.map(faultsOf).every(faults => faults.length === 1)).toBe(true)
})
