/** Which places the transport agrees to talk to. */
import { describe, expect, test } from 'vitest'
import { endpointFault, regionFault } from '../../src/model/endpoint-policy.ts'
import { OptionsError } from '../../src/model/errors.ts'
import { resolveOptions } from '../../src/model/resolve-options.ts'

const NOT_A_URL =
  'must be a URL such as https://kinesis.eu-west-1.amazonaws.com, or http://localhost:4566 on this machine'
const NOT_HTTPS = 'must be https unless it is on this machine or allowInsecureEndpoint is set'
const NOT_BARE = 'must not hold a path, a query or a fragment'
const HAS_USER = 'must not hold a user name or a password'

describe('an endpoint', () => {
  test.each([
    ['https://kinesis.eu-west-1.amazonaws.com'],
    ['https://vpce-1.kinesis.eu-west-1.vpce.amazonaws.com:443/'],
    ['http://127.0.0.1:4567'],
    ['http://127.1:4567'],
    ['http://localhost:4567'],
    ['http://[::1]:4567']
  ])('%s will do', endpoint => {
    const fault = endpointFault(endpoint, false)

    expect(fault).toBe(undefined)
  })

  test.each([
    ['kinesis.eu-west-1.amazonaws.com', NOT_A_URL],
    ['', NOT_A_URL],
    ['localhost:4566', 'must be a URL: give http://localhost:4566'],
    ['127.0.0.1:4566', 'must be a URL: give http://127.0.0.1:4566'],
    ['[::1]:4566', 'must be a URL: give http://[::1]:4566'],
    ['localhost', 'must be a URL: give http://localhost'],
    ['user:4566', NOT_A_URL],
    ['kinesis.example:443', NOT_A_URL],
    ['http://localhost:0', 'must not have port 0'],
    ['ftp://kinesis.example', 'must be an https URL'],
    ['http://kinesis.example', NOT_HTTPS],
    ['http://127.0.0.1.example', NOT_HTTPS],
    ['http://localhost.example', NOT_HTTPS],
    ['https://user:secret@kinesis.example', HAS_USER],
    ['https://kinesis.example/path', NOT_BARE],
    ['https://kinesis.example?query', NOT_BARE]
  ])('%s will not', (endpoint, expected) => {
    const fault = endpointFault(endpoint, false)

    expect(fault).toBe(expected)
  })

  test('may be plain http anywhere when that is allowed', () => {
    const fault = endpointFault('http://kinesis.example', true)

    expect(fault).toBe(undefined)
  })
})

test.each([
  ['us-east-1', undefined],
  ['us-gov-west-1', undefined],
  ['ap-southeast-10', undefined],
  ['us-east-1\r\nx: y', 'must look like eu-west-1'],
  ['us-east-1.evil.example', 'must look like eu-west-1'],
  [`us${'-east'.repeat(200_000)}`, 'must look like eu-west-1']
])('judges a region', (region, expected) => {
  const fault = regionFault(region)

  expect(fault).toBe(expected)
})

test('a bad endpoint and a bad region are said at once with every other fault, without their text', () => {
  const open = () =>
    resolveOptions({
      endpoint: 'https://user:secret@kinesis.example',
      region: 'nowhere',
      recordTtlMs: 1,
      wireFormat: 'cbor',
      client: { send: () => Promise.resolve() }
    })

  expect(open).toThrow(
    new OptionsError([
      'region must look like eu-west-1',
      'recordTtlMs must be from 100 to Infinity ms, got 1',
      'endpoint belongs to the client: give it there, not beside client',
      "wireFormat belongs to the producer's own client: your own client writes JSON",
      `endpoint ${HAS_USER}`
    ])
  )
})
