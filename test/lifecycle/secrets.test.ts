import { beforeAll, describe, expect, test } from 'vitest'
import { type ChildRun, MAX_PROGRAM_MS, runProgram } from './child-program.ts'
import type { SecretsReport } from './programs/secrets.ts'
import { CANARIES, canariesIn, Witness } from './programs/witness.ts'

let run: ChildRun<SecretsReport>
beforeAll(async () => {
  run = await runProgram<SecretsReport>('secrets')
}, MAX_PROGRAM_MS)

/** What happens, and a code that shows that it did. */
const SCENARIOS: readonly (readonly [string, string])[] = [
  ['nobody listens', 'ECONNREFUSED'],
  ['a 400 for the stream', 'ResourceNotFoundException'],
  ['a 400 for the request', 'ValidationException'],
  ['a 403 for the permission', 'AccessDeniedException'],
  ['an expired token', 'ExpiredTokenException'],
  ['a 500', 'InternalFailure'],
  ['a reset', 'ECONNRESET'],
  ['a redirect that repeats the token', 'UnexpectedRedirect'],
  ['a page that repeats the request', 'MalformedAnswer'],
  ['a proxy error that repeats the request', 'Http502'],
  ['JSON of another shape that repeats the request', 'MalformedAnswer'],
  ['JSON that breaks off', 'MalformedAnswer'],
  ['too many answers', 'RecordCountMismatch'],
  ['a provider whose error has the credentials as a field and as its cause', 'KPL_ERR_CANNOT_SEND'],
  ['a provider that gives half of the credentials', 'KPL_ERR_CANNOT_SEND'],
  ['a handler whose error has the request', 'KPL_ERR_CANNOT_SEND'],
  ['a client whose error has its input', 'KPL_ERR_CLOSE_TIMEOUT'],
  ['options of wrong kinds', 'KPL_ERR_INVALID_OPTIONS'],
  ['an endpoint with a password', 'KPL_ERR_INVALID_OPTIONS'],
  ['a region that is a secret', 'KPL_ERR_INVALID_OPTIONS'],
  ['records that are refused', 'KPL_ERR_RECORD_TOO_LARGE'],
  ['a full buffer', 'KPL_ERR_BUFFER_FULL'],
  ['a time to live that is over', 'KPL_ERR_EXPIRED'],
  ['a close that runs out of time', 'KPL_ERR_CLOSE_TIMEOUT'],
  ['throttled, and told so', 'ProvisionedThroughputExceededException'],
  ['TLS with someone who does not speak it', 'EPROTO'],
  ['a 403 that repeats the token', 'AccessDeniedException'],
  ['a 403 that repeats the secret', 'AccessDeniedException'],
  ['a signature that does not match', 'InvalidSignatureException'],
  ['a provider that throws the secret', 'KPL_ERR_CANNOT_SEND'],
  ['a 400 that repeats the partition key', 'ValidationException'],
  ['a 400 that repeats the body', 'SerializationException'],
  ['an answer for a record that repeats its key', 'InternalFailure']
]

describe('no credential, no payload and no partition key is told by errors, loggers, inspection or JSON after', () => {
  test.each(SCENARIOS)('%s', (name, code) => {
    const { found, codes, textCount } = run.report.scenarios[name]!

    expect(found).toEqual([])
    expect(codes).toContain(code)
    expect(textCount).toBeGreaterThan(0)
  })

  test('nothing else: these are all scenarios', () => {
    const names = SCENARIOS.map(([name]) => name)

    expect(Object.keys(run.report.scenarios).sort()).toEqual(names.sort())
  })
})

test('nor by warnings, diagnostics events, stdout or stderr', () => {
  const { stdout, stderr, report } = run

  expect(report.eventsFound).toEqual([])
  expect(report.unhandled).toEqual([])
  expect(canariesIn(`${stdout}${stderr}${report.warnings.join('\n')}`)).toEqual([])
})

test('the witness sees a canary in whatever form it is printed', () => {
  const { payload, partitionKey, secretAccessKey, sessionToken } = CANARIES
  const seen = (value: unknown) => {
    const witness = new Witness()
    witness.error(value)
    return [...new Set([...witness.found].map(found => found.split(' in ')[0]))]
  }

  expect([
    seen(new Error(`${payload}!`)),
    seen(new Error('outer', { cause: new Error('inner', { cause: { partitionKey } }) })),
    seen(Buffer.from(`some bytes before ${payload}`)),
    seen({ data: Buffer.from(payload) }),
    seen({ data: new Uint8Array(Buffer.from(payload)) }),
    seen(Buffer.from(`x${secretAccessKey}y`).toString('base64')),
    seen(Buffer.from(`xy${sessionToken}`).toString('base64')),
    seen(Object.defineProperty({}, 'hidden', { value: secretAccessKey, enumerable: false }))
  ]).toEqual([
    ['payload'],
    ['partitionKey'],
    ['payload'],
    ['payload'],
    ['payload'],
    ['secretAccessKey'],
    ['sessionToken'],
    ['secretAccessKey']
  ])
})
