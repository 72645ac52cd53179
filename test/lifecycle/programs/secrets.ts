/**
 * Fails in every way there is with canaries for credentials, payloads and partition keys, and looks for them in all that
 * the library says: errors, loggers, warnings, events, inspected and serialized producers.
 * Invariant: each scenario has its own producer and its own witness, and ends after its first failure, or with its records.
 */
import { subscribe } from 'node:diagnostics_channel'
import type { ServerResponse } from 'node:http'
import { setTimeout } from 'node:timers/promises'
import {
  KinesisProducer,
  ProducerError,
  type ProducerOptions,
  RecordFailedError,
  type UserRecord
} from '../../../src/index.ts'
import { type Answer, closeEndpoints, endpointOf, tcpEndpoint } from './endpoints.ts'
import { finish, watchDisturbances } from './report.ts'
import { ACCESS_KEY_ID, CANARIES, Witness } from './witness.ts'

export interface SecretsReport {
  readonly scenarios: Readonly<Record<string, SecretsOutcome>>
  readonly warnings: readonly string[]
  readonly unhandled: readonly string[]
  readonly eventsFound: readonly string[]
}

export interface SecretsOutcome {
  readonly found: readonly string[]
  /** Of the errors and of their records' attempts: what really happened. */
  readonly codes: readonly string[]
  readonly textCount: number
}

interface Scenario {
  /** What the service does; none: nobody listens. */
  readonly answer?: Answer
  readonly options?: object
  readonly records?: readonly object[]
  /** In place of waiting for a failure. */
  readonly act?: (producer: KinesisProducer) => Promise<unknown>
}

const JSON_TYPE = 'application/x-amz-json-1.1'
/** Only for a scenario that goes wrong. */
const TTL_MS = 20_000
/** Once a first failure was seen: time for refusals to be believed, and for logs. */
const CLOSE_MS = 2_500
const LOOK_MS = 150
const CREDENTIALS = {
  accessKeyId: ACCESS_KEY_ID,
  // As long as real ones are: 40 characters, and some hundred.
  secretAccessKey: `${CANARIES.secretAccessKey}/K7MDENG+bPxR`,
  sessionToken: `${'IQoJb3JpZ2luX2Vj'.repeat(5)}${CANARIES.sessionToken}${'/wEXAMPLE+'.repeat(12)}==`
}
const RECORD: UserRecord = { partitionKey: `${CANARIES.partitionKey}-1`, data: `${CANARIES.payload} and more` }
const CHANNELS = ['request', 'record-failed', 'throttle', 'shard-map', 'breaker']

const SCENARIOS: Readonly<Record<string, Scenario>> = {
  'nobody listens': {},
  'a 400 for the stream': { answer: failing(400, 'ResourceNotFoundException', 'Stream orders not found.') },
  'a 400 for the request': { answer: failing(400, 'ValidationException', '1 validation error detected.') },
  'a 403 for the permission': { answer: failing(403, 'AccessDeniedException', `User ${ACCESS_KEY_ID} may not.`) },
  'an expired token': { answer: failing(400, 'ExpiredTokenException', 'The security token has expired.') },
  'a 500': { answer: failing(500, 'InternalFailure', 'sorry') },
  'a reset': { answer: request => void request.socket.resetAndDestroy() },
  'a redirect that repeats the token': {
    answer: (request, response) => {
      response.writeHead(302, { location: `https://example.com/?${request.headers['x-amz-security-token']}` }).end()
    }
  },
  'a page that repeats the request': {
    answer: (request, response, body) => {
      response.writeHead(200, { 'content-type': 'text/html' }).end(`${JSON.stringify(request.headers)} ${body}`)
    }
  },
  'a proxy error that repeats the request': {
    answer: (request, response, body) => {
      response.writeHead(502, { 'content-type': 'text/html' }).end(`${JSON.stringify(request.headers)} ${body}`)
    }
  },
  'JSON of another shape that repeats the request': {
    answer: (request, response, body) => {
      const Records = { headers: request.headers, body }
      response.writeHead(200, { 'content-type': JSON_TYPE }).end(JSON.stringify({ Records, Shards: body }))
    }
  },
  'JSON that breaks off': {
    answer: (_, response, body) => response.writeHead(200, { 'content-type': JSON_TYPE }).end(`{"Records":${body}`)
  },
  'too many answers': {
    answer: (_, response) => {
      const Records = [{ ShardId: 'x', SequenceNumber: '1' }, {}, {}]
      response.writeHead(200, { 'content-type': JSON_TYPE }).end(JSON.stringify({ Records }))
    }
  },
  'a 403 that repeats the token': {
    answer: (request, response) =>
      fail(response, 403, 'AccessDeniedException', `Denied: ${request.headers['x-amz-security-token']}`)
  },
  'a 403 that repeats the secret': {
    answer: failing(403, 'AccessDeniedException', `Denied: ${CREDENTIALS.secretAccessKey}`)
  },
  // The service tells the canonical string that it signed, headers included.
  'a signature that does not match': {
    answer: (request, response) => {
      const headers = `x-amz-security-token:${request.headers['x-amz-security-token']}`
      const message = `The Canonical String for this request should have been 'POST\n/\n\n${headers}\n'`
      fail(response, 400, 'InvalidSignatureException', message)
    }
  },
  // As the service words its constraints.
  'a 400 that repeats the partition key': {
    options: { aggregationEnabled: false },
    answer: (_, response, body) => {
      const { Records = [] } = JSON.parse(body) as { Records?: { PartitionKey: string }[] }
      const message = `1 validation error detected: Value '${Records[0]?.PartitionKey}' at 'records.1.member.partitionKey'`
      fail(response, 400, 'ValidationException', message)
    }
  },
  'a 400 that repeats the body': {
    answer: (_, response, body) => fail(response, 400, 'SerializationException', `Unexpected token: ${body}`)
  },
  'an answer for a record that repeats its key': {
    options: { aggregationEnabled: false },
    answer: (_, response, body) => {
      const { Records = [] } = JSON.parse(body) as { Records?: { PartitionKey: string }[] }
      const answers = Records.map(({ PartitionKey }) => ({
        ErrorCode: 'InternalFailure',
        ErrorMessage: `Internal failure for ${PartitionKey}`
      }))
      response.writeHead(200, { 'content-type': JSON_TYPE }).end(JSON.stringify({ Records: answers }))
    }
  },
  'a provider that throws the secret': {
    options: {
      credentials: () => Promise.reject(new Error(`the token ${CREDENTIALS.sessionToken} has expired`))
    }
  },
  'a provider whose error has the credentials as a field and as its cause': {
    options: {
      credentials: () => {
        const cause = new Error(JSON.stringify(CREDENTIALS))
        return Promise.reject(Object.assign(new Error('no credentials', { cause }), CREDENTIALS))
      }
    }
  },
  'a provider that gives half of the credentials': {
    options: {
      credentials: async () => ({ ...CREDENTIALS, accessKeyId: undefined })
    }
  },
  'a handler whose error has the request': {
    options: {
      requestHandler: {
        handle: (request: object) => Promise.reject(Object.assign(new Error('proxy'), { request, cause: request }))
      }
    }
  },
  'a client whose error has its input': {
    options: {
      region: undefined,
      endpoint: undefined,
      credentials: undefined,
      client: {
        config: { credentials: CREDENTIALS },
        send: (command: { input: object }) =>
          Promise.reject(Object.assign(new Error('nothing'), { input: command.input, CREDENTIALS }))
      }
    }
  },
  'options of wrong kinds': {
    options: {
      credentials: CANARIES.secretAccessKey,
      endpoint: `http://${CANARIES.secretAccessKey}:${CANARIES.sessionToken}@example.com/${CANARIES.payload}`,
      region: { ...CREDENTIALS },
      streamName: `${CANARIES.payload} ${CANARIES.partitionKey}`,
      recordTtlMs: CREDENTIALS,
      ordering: CANARIES.sessionToken,
      logger: CREDENTIALS,
      aggregationEnabled: CANARIES.secretAccessKey
    }
  },
  'an endpoint with a password': {
    options: { endpoint: `https://user:${CANARIES.secretAccessKey}@example.com/?${CANARIES.sessionToken}` }
  },
  'a region that is a secret': { options: { region: CANARIES.secretAccessKey } },
  'records that are refused': {
    records: [
      { ...RECORD, partitionKey: '' },
      { ...RECORD, partitionKey: CANARIES.partitionKey.repeat(100) },
      { ...RECORD, partitionKey: `${CANARIES.partitionKey}\ud800` },
      { ...RECORD, data: CANARIES.payload.repeat(100_000) },
      { ...RECORD, data: { payload: CANARIES.payload } },
      { ...RECORD, explicitHashKey: CANARIES.payload },
      { ...RECORD, streamName: `${CANARIES.payload} ${CANARIES.partitionKey}` }
    ]
  },
  'a full buffer': { options: { bufferMaxRecords: 2 }, records: [RECORD, RECORD, RECORD] },
  'a time to live that is over': {
    options: { recordTtlMs: 300 },
    act: producer => producer.flush()
  },
  'a close that runs out of time': { act: producer => producer.close({ timeoutMs: 10 }) },
  'throttled, and told so': {
    options: { failIfThrottled: true },
    answer: failing(400, 'ProvisionedThroughputExceededException', 'Rate exceeded for shard shardId-000000000000.')
  },
  'TLS with someone who does not speak it': {
    options: { endpoint: await tcpEndpoint() }
  }
}

function failing(status: number, code: string, message: string): Answer {
  return (_, response) => fail(response, status, code, message)
}

function fail(response: ServerResponse, status: number, code: string, message: string): void {
  response.writeHead(status, { 'content-type': JSON_TYPE }).end(JSON.stringify({ __type: code, message }))
}

async function play(scenario: Scenario, hasLogger: boolean, witness: Witness): Promise<string[]> {
  const { answer, options = {}, records = [RECORD, RECORD], act } = scenario
  const settings = {
    streamName: 'orders',
    region: 'us-east-1',
    endpoint: await endpointOf(answer),
    credentials: CREDENTIALS,
    recordTtlMs: TTL_MS,
    ...(hasLogger ? { logger: witness.logger } : {}),
    ...options
  } as ProducerOptions
  try {
    const producer = new KinesisProducer(settings)
    return await fill(producer, records as readonly UserRecord[], witness, act)
  } catch (error) {
    witness.error(error)
    return codesOf(error)
  }
}

async function fill(
  producer: KinesisProducer,
  records: readonly UserRecord[],
  witness: Witness,
  act: Scenario['act']
): Promise<string[]> {
  const puts = records.map(record => producer.put(record))
  const settled = Promise.allSettled(puts)
  witness.value('producer while it is busy', producer)
  witness.value('stats while it is busy', producer.stats())
  if (act === undefined) await failureOf(producer)
  else await act(producer)
  witness.value('the result of close', await producer.close({ timeoutMs: CLOSE_MS }))
  const codes: string[] = []
  for (const outcome of await settled) {
    witness.value('outcome', outcome)
    if (outcome.status === 'fulfilled') continue
    witness.error(outcome.reason)
    codes.push(...codesOf(outcome.reason))
  }
  witness.value('producer', producer)
  witness.value('stats', producer.stats())
  return codes
}

/** Resolves when a request, or everything, has failed. */
async function failureOf(producer: KinesisProducer): Promise<void> {
  for (;;) {
    const { bufferedRecords, streams } = producer.stats()
    const hasFailed = Object.values(streams).some(({ errorsByCode }) => Object.keys(errorsByCode).length > 0)
    if (hasFailed || bufferedRecords === 0) return
    await setTimeout(LOOK_MS)
  }
}

function codesOf(error: unknown): string[] {
  const code = error instanceof ProducerError ? error.code : 'no code'
  const attempts = error instanceof RecordFailedError ? error.attempts : []
  return [code, ...attempts.map(({ errorCode }) => String(errorCode))]
}

const { warnings, unhandled } = watchDisturbances()
const events = new Witness()
for (const name of CHANNELS) subscribe(`kinesis-producer:${name}`, event => events.value(`event ${name}`, event))
const scenarios: Record<string, SecretsOutcome> = {}
await Promise.all(
  Object.entries(SCENARIOS).map(async ([name, scenario]) => {
    const witness = new Witness()
    // Once with a logger, and once without: warnings then go to the process.
    const [codes] = await Promise.all([play(scenario, true, witness), play(scenario, false, witness)])
    scenarios[name] = {
      found: [...witness.found].sort(),
      codes: [...new Set(codes)].sort(),
      textCount: witness.textCount
    }
  })
)
closeEndpoints()
const report: SecretsReport = { scenarios, warnings, unhandled, eventsFound: [...events.found].sort() }
finish(report)
