/** TLS that is not as it should be: never downgraded, and nothing certain is called uncertain. */
import { readFileSync } from 'node:fs'
import { afterEach, describe, expect, test } from 'vitest'
import { NameService } from './name-service.ts'
import { again, CLEAN, failed, openWorld, type Scenario, testEach } from './scenario.ts'
import {
  BLACK_HOLE,
  END_AT_FIRST_BYTES,
  endAfterHead,
  RESET_AT_FIRST_BYTES,
  resetAfterAnswerBytes,
  resetInsteadOfAnswer,
  STRANGER,
  silence,
  truncate
} from './toxics.ts'

const key = readFileSync(new URL('../testing/self-signed-key.pem', import.meta.url))
const cert = readFileSync(new URL('../testing/self-signed-cert.pem', import.meta.url))
const expiredCert = readFileSync(new URL('expired-cert.pem', import.meta.url))
const tls = { key, cert }
const TRUSTED = { tls, ca: cert }
/** This machine under a name that the certificate does not hold. */
const ELSEWHERE = { host: 'elsewhere.localhost', lookup: new NameService().lookup }
/** No shard map comes, so that a second passes before anything is sent. */
const COLD_TTL_MS = 1_300

function refused(code: string): Scenario['expected'] {
  return { ...failed('KPL_ERR_EXPIRED no', code), requests: 0 }
}

afterEach(() => {
  delete process.env['NODE_TLS_REJECT_UNAUTHORIZED']
})

describe('a certificate', () => {
  testEach([
    { name: 'that is trusted will do', options: TRUSTED, expected: {} },
    {
      name: 'that nobody vouches for: nothing is sent, and nothing is stored for certain',
      options: { tls, recordTtlMs: COLD_TTL_MS },
      isCold: true,
      expected: refused('DEPTH_ZERO_SELF_SIGNED_CERT')
    },
    {
      name: 'of another host: nothing is sent, and nothing is stored for certain',
      options: { ...TRUSTED, ...ELSEWHERE, recordTtlMs: COLD_TTL_MS },
      isCold: true,
      expected: refused('ERR_TLS_CERT_ALTNAME_INVALID')
    },
    {
      name: 'that has expired: nothing is sent, and nothing is stored for certain',
      options: { tls: { key, cert: expiredCert }, ca: expiredCert, recordTtlMs: COLD_TTL_MS },
      isCold: true,
      expected: refused('CERT_HAS_EXPIRED')
    }
  ])

  test('is checked although the environment says not to', async () => {
    process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0'
    const world = await openWorld({ tls, recordTtlMs: COLD_TTL_MS })
    world.spoil([])
    world.put(8)
    await world.producer.flush()

    const outcome = await world.outcome()

    expect(outcome).toEqual({ ...CLEAN, ...refused('DEPTH_ZERO_SELF_SIGNED_CERT') })
    expect(world.proxy.requests).toEqual([])
  })
})

describe('a handshake', () => {
  testEach([
    {
      name: 'that ends early stored nothing for certain',
      options: { tls, recordTtlMs: COLD_TTL_MS },
      isCold: true,
      everyConnection: END_AT_FIRST_BYTES,
      expected: refused('ECONNRESET')
    },
    {
      name: 'that is reset stored nothing for certain',
      options: { tls, recordTtlMs: COLD_TTL_MS },
      isCold: true,
      everyConnection: RESET_AT_FIRST_BYTES,
      expected: refused('ECONNRESET')
    },
    {
      name: 'with somebody who does not speak TLS stored nothing for certain',
      options: { tls, recordTtlMs: COLD_TTL_MS },
      isCold: true,
      everyConnection: STRANGER,
      expected: refused('EPROTO')
    },
    {
      name: 'that hangs stored nothing for certain',
      options: { tls, connectTimeoutMs: 100, requestTimeoutMs: 300, recordTtlMs: 1_900 },
      isCold: true,
      everyConnection: BLACK_HOLE,
      expected: refused('TimeoutError')
    },
    {
      name: 'that fails once costs one attempt',
      options: TRUSTED,
      connections: [END_AT_FIRST_BYTES],
      expected: { histories: ['ECONNRESET, stored'] }
    },
    {
      name: 'that hangs does not hold up close beyond its deadline',
      options: { tls },
      isCold: true,
      everyConnection: BLACK_HOLE,
      closeMs: 200,
      expected: { ...failed('KPL_ERR_CLOSE_TIMEOUT no', ''), requests: 0 }
    }
  ])
})

describe('inside TLS', () => {
  testEach([
    {
      name: 'a reset before the answer may have stored the records',
      options: TRUSTED,
      toxics: [resetInsteadOfAnswer('applied')],
      expected: again('ECONNRESET', 2)
    },
    {
      name: 'a reset in the answer may have stored the records',
      options: TRUSTED,
      toxics: [resetAfterAnswerBytes(100)],
      expected: again('ECONNRESET', 2)
    },
    {
      name: 'an answer that is cut in good order may have stored the records',
      options: TRUSTED,
      toxics: [truncate(20)],
      expected: again('ECONNRESET', 2)
    },
    {
      name: 'an answer without a body may have stored the records',
      options: TRUSTED,
      toxics: [endAfterHead()],
      expected: again('ECONNRESET', 2)
    },
    {
      name: 'silence may have stored the records',
      options: { ...TRUSTED, requestTimeoutMs: 400 },
      toxics: [silence('applied')],
      expected: again('TimeoutError', 2)
    }
  ])
})
