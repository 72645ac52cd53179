/** What keeps a request here, in its own words; and what only looks like it. */
import { inspect } from 'node:util'
import { KinesisClient } from '@aws-sdk/client-kinesis'
import { afterEach, describe, expect, test } from 'vitest'
import type { ProducerOptions } from '../../src/model/options.ts'
import type { Transport } from '../../src/model/ports.ts'
import { resolveOptions } from '../../src/model/resolve-options.ts'
import { classifyRequestError } from '../../src/model/service-errors.ts'
import { VirtualClock } from '../../src/testing/index.ts'
import {
  answering,
  CREDENTIALS,
  closeAll,
  onClose,
  putAnswer,
  request,
  STREAM,
  transportError,
  transportOver,
  transportTo
} from './fixture.ts'

afterEach(closeAll)

const ENDPOINT = 'https://kinesis.example'
/** What users give need not be what its type says. */
type Any = never

interface Seen {
  readonly verdict: string
  readonly persisted: string
  readonly message: string
  readonly cause: string
}

async function seen(transport: Transport): Promise<Seen> {
  const error = await transportError(transport.putRecords(request()))
  const { persisted, message, cause } = error
  return { verdict: classifyRequestError(error), persisted, message, cause: String(cause) }
}

function thrown(error: Error): never {
  throw error
}

function local(message: string, cause: string): Seen {
  return { verdict: 'local', persisted: 'no', message, cause }
}

/** Sets variables of the environment until the test is over. */
function environment(variables: Readonly<Record<string, string>>): void {
  const unset = ['AWS_REGION', 'AWS_DEFAULT_REGION', 'AWS_PROFILE', 'AWS_ENDPOINT_URL']
  const all = { ...Object.fromEntries(unset.map(name => [name, undefined])), ...variables }
  for (const [name, value] of Object.entries(all)) {
    const before = process.env[name]
    onClose(() => (before === undefined ? delete process.env[name] : (process.env[name] = before)))
    if (value === undefined) delete process.env[name]
    else process.env[name] = value
  }
}

describe('a client of the user', () => {
  test.each<[string, () => unknown, string, string]>([
    [
      'throws',
      () => {
        throw new Error('serializerMiddleware is not found')
      },
      'serializerMiddleware is not found',
      'Error: serializerMiddleware is not found'
    ],
    ['rejects with an error', () => Promise.reject(new TypeError('no')), 'no', 'TypeError: no'],
    ['rejects with a text', () => Promise.reject('no luck'), 'no luck', 'Error: no luck'],
    ['rejects with nothing', () => Promise.reject(), 'undefined was thrown', 'Error'],
    ['rejects with an object', () => Promise.reject({ why: 'canary' }), 'object was thrown', 'Error'],
    [
      'rejects with an object that throws',
      () =>
        Promise.reject({
          get message() {
            throw new Error('canary')
          }
        }),
      'object was thrown',
      'Error'
    ],
    ...[undefined, null, 7, {}].map((output): [string, () => unknown, string, string] => {
      const kind = output === null ? 'null' : typeof output
      const text = `The client answered with ${kind}, and never looked at the request.`
      return [`answers with ${kind}`, () => output, text, `TypeError: ${text}`]
    })
  ])('that %s without a look at the request sent nothing', async (_, send, text, cause) => {
    const client = { send: send as () => Promise<unknown> }

    expect(await seen(transportOver(client))).toEqual(local(`ClientFault: ${text}`, cause))
  })

  test('that throws after a look at the request had nothing to wait for, so it sent nothing', async () => {
    const client = {
      send: ({ input }: { input: object }) => {
        throw new Error(`refused: ${Object.keys(input).length} fields`)
      }
    }

    expect(await seen(transportOver(client as Any))).toMatchObject({ verdict: 'local', persisted: 'no' })
  })

  test('that rejects after a look at the request may have sent it', async () => {
    const client = {
      send: async ({ input }: { input: object }) => {
        throw new Error(`lost: ${Object.keys(input).length} fields`)
      }
    }

    expect(await seen(transportOver(client as Any))).toEqual({
      verdict: 'ambiguous',
      persisted: 'maybe',
      message: 'Error: lost: 2 fields',
      cause: 'undefined'
    })
  })

  test('that stands in for the service is believed when it throws the codes of the service', async () => {
    const denied = { name: 'AccessDeniedException', $fault: 'client', $metadata: { httpStatusCode: 400 } }
    const throttled = { name: 'ThrottlingException' }
    const errors = [denied, throttled].map(fields => Object.assign(new Error('no'), fields))
    const sends = errors.flatMap(error => [() => Promise.reject(error), () => thrown(error)])

    const verdicts = await Promise.all(sends.map(async send => (await seen(transportOver({ send }))).verdict))

    expect(verdicts).toEqual(['refused', 'refused', 'throttled', 'throttled'])
  })

  test.each(['initialize', 'serialize', 'build', 'finalizeRequest'] as const)(
    'whose middleware throws at the step %s sent nothing',
    async step => {
      const client = new KinesisClient({ endpoint: ENDPOINT, region: 'us-east-1', credentials: CREDENTIALS })
      onClose(() => client.destroy())
      const broken = (): never => {
        throw new Error('no tenant')
      }
      client.middlewareStack.add(() => broken, { step: step as 'initialize', name: 'broken' })

      expect(await seen(transportOver(client))).toEqual(local('ClientFault: no tenant', 'Error: no tenant'))
    }
  )

  test('for another region than the ARN of the stream sends nothing', async () => {
    const client = new KinesisClient({ endpoint: ENDPOINT, region: 'us-east-1', credentials: CREDENTIALS })
    onClose(() => client.destroy())
    const streamArn = 'arn:aws:kinesis:eu-west-1:123456789012:stream/orders'

    const { message, persisted } = await transportError(
      transportOver(client).putRecords({ ...request(), stream: { streamArn } })
    )

    expect([persisted, message]).toEqual([
      'no',
      "OtherRegion: the stream is an ARN of the region eu-west-1, and the producer's region is us-east-1; nothing was sent."
    ])
  })
})

describe('a request handler', () => {
  const boom = (): never => {
    throw new Error('no proxy')
  }
  const thrownText = (): never => {
    throw 'out of order'
  }
  const NO_RESPONSE = 'The request handler gave no response with a status.'

  test.each<[string, (request: { body: unknown }) => unknown, string]>([
    ['throws', boom, 'Error: no proxy'],
    ['rejects', async () => boom(), 'Error: no proxy'],
    ['rejects with null', () => Promise.reject(null), 'Error: The request handler threw null.'],
    ['rejects with nothing', () => Promise.reject(), 'Error: The request handler threw undefined.'],
    ['throws a text', () => thrownText(), 'Error: The request handler threw out of order.'],
    ['gives nothing', () => undefined, `TypeError: ${NO_RESPONSE}`],
    ['gives something else', async () => ({ response: {} }), `TypeError: ${NO_RESPONSE}`]
  ])('that %s without a look at the body sent nothing', async (_, handle, cause) => {
    const text = cause.slice(cause.indexOf(':') + 2)

    expect(await seen(transportTo(ENDPOINT, { requestHandler: { handle } }))).toEqual(
      local(`ClientFault: ${text}`, cause)
    )
  })

  test.each<[string, (request: { body: unknown }) => unknown]>([
    ['throws', ({ body }) => boom.call(body)],
    ['rejects', async ({ body }) => boom.call(body)],
    ['copies the request, and throws', request => boom.call({ ...request })],
    ['gives nothing', ({ body }) => void body]
  ])('that %s after a look at the body may have sent it', async (_, handle) => {
    const { verdict, persisted } = await seen(transportTo(ENDPOINT, { requestHandler: { handle } }))

    expect([verdict, persisted]).toEqual(['ambiguous', 'maybe'])
  })

  test('that goes on after it failed finds nothing to send any more', async () => {
    let goOn: () => unknown = () => undefined
    const handle = async (sent: { body: unknown }) => {
      goOn = () => sent.body
      return boom()
    }

    const { persisted } = await seen(transportTo(ENDPOINT, { requestHandler: { handle } }))

    expect([persisted, goOn()]).toEqual(['no', new Uint8Array(0)])
  })

  test('that meets the network is not at fault', async () => {
    const refused = Object.assign(new Error('connect ECONNREFUSED ::1:443'), {
      code: 'ECONNREFUSED',
      syscall: 'connect'
    })
    const handle = async ({ body }: { body: unknown }) => {
      throw Object.assign(new TypeError('fetch failed', { cause: refused }), { body })
    }

    expect(await seen(transportTo(ENDPOINT, { requestHandler: { handle } }))).toEqual({
      verdict: 'outage',
      persisted: 'no',
      message: 'ECONNREFUSED: fetch failed: connect ECONNREFUSED ::1:443',
      cause: 'undefined'
    })
  })
})

function unreadable(): object {
  const { proxy, revoke } = Proxy.revocable({}, {})
  revoke()
  return proxy
}

describe('credentials', () => {
  const failing = (error: unknown) => ({ credentials: () => Promise.reject(error) })
  const giving = (identity: unknown) => ({ credentials: () => Promise.resolve(identity as Any) })
  const UNSET = '(an unset environment variable?)'

  test.each<[string, Pick<ProducerOptions, 'credentials'>, string]>([
    ['whose provider throws', failing(new Error('the vault is sealed')), 'no credentials: the vault is sealed'],
    ['whose provider rejects with a text', failing('sealed'), 'no credentials: sealed'],
    [
      'whose provider rejects with a value that cannot be read',
      failing(unreadable()),
      'no credentials: an error without a text'
    ],
    [
      'whose provider was refused by another service',
      failing(
        Object.assign(new Error('denied'), { name: 'AccessDenied', $metadata: { httpStatusCode: 403, attempts: 3 } })
      ),
      'no credentials: denied'
    ],
    [
      'whose file is not there',
      failing(Object.assign(new Error('ENOENT: no such file'), { code: 'ENOENT', syscall: 'open' })),
      'no credentials: ENOENT: no such file'
    ],
    [
      'that are empty',
      giving({}),
      `the credentials provider gave no credentials: accessKeyId is undefined ${UNSET}, secretAccessKey is undefined ${UNSET}; nothing was sent.`
    ],
    [
      'that are nothing',
      giving(undefined),
      'the credentials provider gave no credentials: they are undefined; nothing was sent.'
    ],
    [
      'without a secret',
      giving({ accessKeyId: 'AKID', secretAccessKey: ' ' }),
      'the credentials provider gave no credentials: secretAccessKey is an empty string; nothing was sent.'
    ]
  ])('%s keep a request here', async (_, options, text) => {
    const { verdict, persisted, message } = await seen(transportTo(ENDPOINT, options as Any))

    expect([verdict, persisted, message]).toEqual(['local', 'no', `CredentialsProviderError: ${text}`])
  })

  test.each<[string, unknown, string, string]>([
    [
      'no network',
      new TypeError('fetch failed', {
        cause: Object.assign(new Error('getaddrinfo ENOTFOUND vault'), { code: 'ENOTFOUND', syscall: 'getaddrinfo' })
      }),
      'outage',
      'ENOTFOUND: fetch failed: getaddrinfo ENOTFOUND vault'
    ],
    ['a time-out', Object.assign(new Error('too late'), { name: 'TimeoutError' }), 'outage', 'TimeoutError: too late'],
    [
      'a service in trouble',
      Object.assign(new Error('sorry'), { name: 'ServiceUnavailable', $metadata: { httpStatusCode: 503 } }),
      'outage',
      'ServiceUnavailable: sorry'
    ],
    [
      'a busy service',
      Object.assign(new Error('slower'), { name: 'ThrottlingException' }),
      'throttled',
      'ThrottlingException: slower'
    ]
  ])('whose provider meets %s may come later', async (_, error, verdict, message) => {
    expect(await seen(transportTo(ENDPOINT, failing(error)))).toMatchObject({ verdict, persisted: 'no', message })
  })

  test('that the SDK finds nowhere are told with where it looked, and with what says why', async () => {
    const error = Object.assign(new Error('Could not load credentials from any providers'), {
      name: 'CredentialsProviderError'
    })

    expect(await seen(transportTo(ENDPOINT, failing(error)))).toEqual(
      local(
        'CredentialsProviderError: no credentials: Could not load credentials from any providers: the environment, the files of ' +
          'AWS_PROFILE and the container or instance gave none, and the SDK does not say why; the provider itself, such as ' +
          'fromContainerMetadata(), says it when it is given as credentials',
        'CredentialsProviderError: Could not load credentials from any providers'
      )
    )
  })

  test('that hang are given up before the request is, and named', async () => {
    const clock = new VirtualClock()
    const credentials = () => new Promise<never>(() => {})
    const outcome = seen(transportTo(ENDPOINT, { credentials, clock, requestTimeoutMs: 1000 }))
    for (let i = 0; i < 20; i++) await new Promise(resolve => setImmediate(resolve))

    clock.advanceTo(900)

    expect((await outcome).message).toBe(
      'CredentialsProviderError: the credentials provider did not answer within 900 ms; nothing was sent.'
    )
  })
})

describe('the environment', () => {
  test.each<[string, Readonly<Record<string, string>>, string]>([
    ['no region', {}, 'RegionMissing: Region is missing: set the option region, or AWS_REGION in the environment'],
    [
      'a region that cannot be',
      { AWS_REGION: 'not a region!' },
      'RegionMissing: Region not accepted: region="not a region!" is not a valid hostname component: set the option region, ' +
        'or AWS_REGION in the environment'
    ],
    [
      'an empty region',
      { AWS_REGION: '' },
      'RegionMissing: Region not accepted: region="" is not a valid hostname component: set the option region, ' +
        'or AWS_REGION in the environment'
    ],
    [
      'an endpoint that is no URL',
      { AWS_REGION: 'us-east-1', AWS_ENDPOINT_URL: 'not a url' },
      'ClientFault: Invalid URL: the endpoint of a client or of AWS_ENDPOINT_URL begins with https:// or http://'
    ],
    ...['localhost:4566', `https://${'a'.repeat(64)}.com`, 'https://kinesis..example'].map(
      (url): [string, Readonly<Record<string, string>>, string] => [
        `the endpoint ${url}`,
        { AWS_REGION: 'us-east-1', AWS_ENDPOINT_URL: url },
        'InvalidEndpoint: the endpoint of the environment has no possible host, or is no https URL ' +
          '(http://localhost:4566 for a server on this machine); nothing was sent.'
      ]
    ),
    [
      'an insecure endpoint',
      { AWS_REGION: 'us-east-1', AWS_ENDPOINT_URL: 'http://kinesis.example' },
      'InsecureEndpoint: the environment names a plain http endpoint, which is used on this machine only unless ' +
        'allowInsecureEndpoint is set; nothing was sent.'
    ]
  ])('with %s keeps a request here', async (_, variables, message) => {
    environment({ AWS_CONFIG_FILE: '/nowhere', AWS_SHARED_CREDENTIALS_FILE: '/nowhere', ...variables })
    const { region, ...options } = { ...resolveOptions({ credentials: CREDENTIALS }), region: undefined }

    const { verdict, persisted, message: told } = await seen(transportTo(undefined, { ...options, region } as Any))

    expect([verdict, persisted, told]).toEqual(['local', 'no', message])
  })
})

test('an endpoint that is no Kinesis does not know the operation, now or later', async () => {
  const { endpoint } = await answering(404, '{"__type":"UnknownOperationException","message":"no"}')

  expect(await seen(transportTo(endpoint))).toEqual(
    local('UnknownOperationException: no', 'UnknownOperationException: no')
  )
})

test('a port that speaks plain HTTP is said to do so to who speaks TLS', async () => {
  const { endpoint } = await answering(200, putAnswer(1))

  const { verdict, message } = await seen(transportTo(endpoint.replace('http:', 'https:')))

  expect([verdict, message.slice(message.indexOf('(the'))]).toEqual([
    'outage',
    '(the endpoint seems to speak plain HTTP on this port, so its URL may have to begin with http://)'
  ])
})

test('the cause is a copy with name, code, text and frames, and nothing else of the original', async () => {
  const secret = 'wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY'
  const original = Object.assign(new RangeError(`bad secret ${secret} for key of the record`), {
    code: 'ERR_OUT_OF_RANGE',
    secret,
    cause: { secret }
  })
  const client = { send: () => Promise.reject(original) }
  const { cause } = await transportError(transportOver(client).putRecords(request()))

  const text = inspect(cause, { depth: 10, showHidden: true })

  expect([cause instanceof Error, text.includes(secret), text.split('\n')[0]]).toEqual([
    true,
    false,
    'Error [RangeError]: bad secret [redacted] for [key] of the record'
  ])
  expect(text).toContain("code: 'ERR_OUT_OF_RANGE'")
  expect(text).toMatch(/ {4}at .*local-faults\.test\.ts/)
})

test('a listing is not tried again for what is wrong here', async () => {
  let callCount = 0
  const client = { send: () => Promise.reject(new Error(`call ${++callCount}`)) }

  const { message } = await transportError(transportOver(client).listShards(STREAM))

  expect([message, callCount]).toEqual(['ClientFault: call 1', 1])
})
