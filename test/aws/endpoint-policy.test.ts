/** Which places the transport agrees to talk to. */
import { describe, expect, test } from 'vitest'
import { endpointFaults } from '../../src/aws/endpoint-policy.ts'
import { createAwsTransport } from '../../src/aws/transport.ts'
import { OptionsError } from '../../src/model/errors.ts'

const NOT_A_URL = 'endpoint must be a URL such as https://kinesis.eu-west-1.amazonaws.com'
const NOT_HTTPS = 'endpoint must be https unless it is on this machine or allowInsecureEndpoint is set'
const NOT_BARE = 'endpoint must not hold a path, a query or a fragment'
const HAS_USER = 'endpoint must not hold a user name or a password'

describe('an endpoint', () => {
  test.each([
    ['https://kinesis.eu-west-1.amazonaws.com'],
    ['https://vpce-1.kinesis.eu-west-1.vpce.amazonaws.com:443/'],
    ['http://127.0.0.1:4567'],
    ['http://127.1:4567'],
    ['http://localhost:4567'],
    ['http://[::1]:4567']
  ])('%s will do', endpoint => {
    const faults = endpointFaults({ endpoint, allowInsecureEndpoint: false })

    expect(faults).toEqual([])
  })

  test.each([
    ['kinesis.eu-west-1.amazonaws.com', NOT_A_URL],
    ['', NOT_A_URL],
    ['ftp://kinesis.example', 'endpoint must be an https URL'],
    ['http://kinesis.example', NOT_HTTPS],
    ['http://127.0.0.1.example', NOT_HTTPS],
    ['http://localhost.example', NOT_HTTPS],
    ['https://user:secret@kinesis.example', HAS_USER],
    ['https://kinesis.example/path', NOT_BARE],
    ['https://kinesis.example?query', NOT_BARE]
  ])('%s will not', (endpoint, fault) => {
    const faults = endpointFaults({ endpoint, allowInsecureEndpoint: false })

    expect(faults).toEqual([fault])
  })

  test('may be plain http anywhere when that is allowed', () => {
    const faults = endpointFaults({ endpoint: 'http://kinesis.example', allowInsecureEndpoint: true })

    expect(faults).toEqual([])
  })
})

test.each([
  ['us-east-1', []],
  ['us-gov-west-1', []],
  ['ap-southeast-10', []],
  ['us-east-1\r\nx: y', ['region must look like eu-west-1']],
  ['us-east-1.evil.example', ['region must look like eu-west-1']],
  [`us${'-east'.repeat(200_000)}`, ['region must look like eu-west-1']]
])('judges a region', (region, expected) => {
  const faults = endpointFaults({ region, allowInsecureEndpoint: false })

  expect(faults).toEqual(expected)
})

test('a transport with a bad endpoint and a bad region is told both at once, without their text', () => {
  const open = () =>
    createAwsTransport({
      endpoint: 'https://user:secret@kinesis.example',
      region: 'nowhere',
      allowInsecureEndpoint: false,
      wireFormat: 'json',
      connectTimeoutMs: 100,
      requestTimeoutMs: 100,
      maxInFlightRequests: 1,
      warn: () => {}
    })

  expect(open).toThrow(new OptionsError(['region must look like eu-west-1', HAS_USER]))
})
