/**
 * One PutRecords request of 100 records of 50 KB, from its entries to signed bytes at the handler's door: our transport
 * against the SDK's own serializer with the same client, signer and answer. No socket.
 * Verified before it is timed: both bodies hold the entries and both requests are signed. CBOR is verified by the end to
 * end bench.
 */
import { hash } from 'node:crypto'
import { EventEmitter } from 'node:events'
import { ClientRequest, IncomingMessage } from 'node:http'
import { Socket } from 'node:net'
import { KinesisClient, type KinesisClientConfig, PutRecordsCommand } from '@aws-sdk/client-kinesis'
import { writePutRecordsBody } from '../src/aws/request-body.ts'
import { createAwsTransport } from '../src/aws/transport.ts'
import { OPTIONS } from '../src/model/options.ts'
import { resolveOptions } from '../src/model/resolve-options.ts'
import { sampled } from './harness/child.ts'
import { meter } from './harness/meter.ts'
import { barsOf, type Cell, metric, type Report, type Side } from './harness/report.ts'
import { scaled } from './harness/settings.ts'
import { scanJson } from './sink/json-scan.ts'

const ENTRIES = 100
const ENTRY_BYTES = 51_200
const REQUESTS = scaled(200, 4)
const WARM_UP_REQUESTS = scaled(60, 2)
const JSON_UNIT_BYTES = 5_000_000
const REGION = 'us-east-1'
const CREDENTIALS = { accessKeyId: 'any', secretAccessKey: 'any' }

const WAYS = [
  'kinesis-producer',
  'kinesis-producer, CBOR',
  'the SDK alone',
  'body alone: JSON and base64',
  'SHA-256 of the body alone'
] as const
type Way = (typeof WAYS)[number]

interface Cost {
  readonly cpuMs: number
  /** Of the same request in JSON, whatever it was sent in. */
  readonly jsonBytes: number
}

export async function run(): Promise<Report> {
  const rows: Cell[][] = []
  // A base of a comparison may have no CBOR.
  for (const way of WAYS.filter(name => name !== 'kinesis-producer, CBOR' || 'wireFormat' in OPTIONS)) {
    rows.push(rowOf(way, await sampled<{ measure: typeof measure }, Cost>(OWN, child => child.call('measure', way))))
  }
  const title = `one request: ${ENTRIES} records of ${ENTRY_BYTES} bytes, signing included, no socket`
  const columns = ['way', 'a request (6.8 MB of JSON)', 'for 5 MB of JSON', 'data']
  return {
    title: 'Request body',
    tables: [{ title, columns, rows }],
    plots: [{ kind: 'bars', title: 'CPU time for one request', unit: 'CPU ms', bars: barsOf(rows, 1, 1, sideOf) }]
  }
}

function sideOf(way: string): Side {
  if (way.startsWith('kinesis-producer')) return 'ours'
  return way === 'the SDK alone' ? 'SDK' : 'floor'
}

const OWN = new URL('./request-body.bench.js', import.meta.url)

function rowOf(way: Way, costs: readonly Cost[]): Cell[] {
  const cpuMs = costs.map(cost => cost.cpuMs)
  const perUnit = costs.map(cost => (cost.cpuMs * JSON_UNIT_BYTES) / cost.jsonBytes)
  const perSecond = cpuMs.map(ms => (ENTRIES * ENTRY_BYTES * 1000) / ms)
  return [way, metric('CPU ms', cpuMs), metric('CPU ms', perUnit), metric('bytes/CPU s', perSecond)]
}

/** The SDK's type has more than the SDK calls. */
type Handler = NonNullable<KinesisClientConfig['requestHandler']>

interface Sent {
  body: Uint8Array
  headers: Readonly<Record<string, string>>
}

/** Keeps the last request and answers it. */
class Doorkeeper {
  sent: Sent | undefined
  readonly #socket = new Socket()
  readonly #answer = Buffer.from(
    JSON.stringify({
      FailedRecordCount: 0,
      Records: Array.from({ length: ENTRIES }, (_, i) => ({
        ShardId: 'shardId-000000000000',
        SequenceNumber: `4959033827149025660855969253836157109592157598913658${String(i).padStart(4, '0')}`
      }))
    })
  )

  handle(request: Sent) {
    this.sent = request
    const headers = { 'content-type': 'application/x-amz-json-1.1' }
    const body = new IncomingMessage(this.#socket)
    // As Node.js does it: the request closes after its answer, and then its body is free to be written over.
    const closing = Object.create(ClientRequest.prototype) as ClientRequest
    EventEmitter.call(closing)
    Object.assign(body, { req: closing })
    body.once('end', () => closing.emit('close'))
    body.push(this.#answer)
    body.push(null)
    return Promise.resolve({ response: { statusCode: 200, headers, body } })
  }

  destroy(): void {}
  updateHttpClientConfig(): void {}
  httpHandlerConfigs(): object {
    return {}
  }
}

const entries = Array.from({ length: ENTRIES }, (_, n) => ({
  data: Buffer.from(Uint8Array.from({ length: ENTRY_BYTES }, (__, at) => (n * 31 + at * 7) & 0xff)),
  partitionKey: 'a',
  explicitHashKey: String(n)
}))
const input = {
  StreamName: 'bench',
  Records: entries.map(({ data, partitionKey, explicitHashKey }) => ({
    Data: data,
    PartitionKey: partitionKey,
    ExplicitHashKey: explicitHashKey
  }))
}

/** In a process of its own: what one request costs. */
export async function measure(way: Way): Promise<Cost> {
  const { once, jsonBytes } = await open(way)
  const repeat = async (count: number) => {
    for (let i = 0; i < count; i++) await once()
  }
  await repeat(WARM_UP_REQUESTS)
  const { cpuMs } = await meter(() => repeat(REQUESTS))
  return { cpuMs: cpuMs / REQUESTS, jsonBytes }
}

async function open(way: Way): Promise<{ once: () => unknown; jsonBytes: number }> {
  const door = new Doorkeeper()
  const ours = (wireFormat: object) => {
    const options = { region: REGION, credentials: CREDENTIALS, requestHandler: door, ...wireFormat }
    const transport = createAwsTransport({ ...resolveOptions(options), warn: () => {} })
    return () => transport.putRecords({ stream: { streamName: 'bench' }, entries })
  }
  const requestHandler = door as unknown as Handler
  const client = new KinesisClient({ region: REGION, credentials: CREDENTIALS, requestHandler })
  const theirs = () => client.send(new PutRecordsCommand(input))
  const scratch = Buffer.alloc(ENTRIES * ENTRY_BYTES * 2)

  await ours({})()
  const body = verified(door.sent)
  await theirs()
  verified(door.sent)
  const onces: Readonly<Record<Way, () => () => unknown>> = {
    'kinesis-producer': () => ours({}),
    'kinesis-producer, CBOR': () => ours({ wireFormat: 'cbor' }),
    'the SDK alone': () => theirs,
    'body alone: JSON and base64': () => () => writePutRecordsBody(input, () => scratch),
    'SHA-256 of the body alone': () => () => hash('sha256', body, 'hex')
  }
  return { once: onces[way](), jsonBytes: body.length }
}

/** Returns a copy of the body. */
function verified(sent: Sent | undefined): Buffer {
  if (sent === undefined) throw new Error('nothing was sent')
  // Not Buffer.from(body): the SDK's bodies pretend to be text when they are asked for a value.
  const body = Buffer.from(sent.body.buffer, sent.body.byteOffset, sent.body.byteLength)
  const found = scanJson(body)
  const isWhole = entries.every(({ data }, i) => found[i]?.data().equals(data))
  if (!isWhole || found.length !== ENTRIES) throw new Error('the body does not hold the entries')
  if (!sent.headers['authorization']?.includes('Signature=')) throw new Error('the request is not signed')
  return Buffer.from(body)
}
