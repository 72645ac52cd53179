/**
 * A discarding Kinesis, for a process of its own: HTTP/1.1 and HTTP/2 over TLS, well-formed answers, nothing kept.
 * Invariant: every entry is answered with the shard that owns its key; while a check runs, every user record is compared
 * with what was put.
 */
import { createServer as createHttp2Server } from 'node:http2'
import type { AddressInfo, Socket } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import { deaggregateAll } from '../../src/consumer/deaggregate.ts'
import { ShardMap } from '../../src/core/shard-map.ts'
import type { ShardHashRange } from '../../src/index.ts'
import { DiscardTransport } from '../../src/testing/index.ts'
import { hashPartitionKey, writeHashKey } from '../../src/wire/hash-key.ts'
import type { Certificate } from '../harness/certificate.ts'
import { Ledger, makePool, type PoolOptions } from '../harness/load.ts'
import { cborAnswer, scanCbor } from './cbor-scan.ts'
import { nextRequestId, requestOf, type SinkAnswer, type SinkRequest, serveHttp1 } from './http1.ts'
import { scanJson, type WireEntry } from './json-scan.ts'

export interface SinkCounts {
  readonly requests: number
  readonly kinesisRecords: number
  readonly bodyBytes: number
}

const JSON_TYPE = 'application/x-amz-json-1.1'
const CBOR_TYPE = 'application/x-amz-cbor-1.1'
const HTTP2_WINDOW_BYTES = 16 * 1024 * 1024
const SEQUENCE_NUMBER_HEAD = '49590338271490256608559692538361571095'
const SEQUENCE_NUMBER_DIGITS = 18

let listing: readonly ShardHashRange[] = []
let shardMap: ShardMap | undefined
let ledger: Ledger | undefined
let counts = { requests: 0, kinesisRecords: 0, bodyBytes: 0 }
let sequence = 0
const words = new Uint32Array(4)

/** Listens; returns the port. */
export async function open(shards: number, { key, cert }: Certificate): Promise<number> {
  listing = await new DiscardTransport({ shards }).listShards()
  shardMap = new ShardMap(listing)
  const http2 = createHttp2Server({ settings: { initialWindowSize: HTTP2_WINDOW_BYTES } })
  http2.on('session', session => session.setLocalWindowSize?.(HTTP2_WINDOW_BYTES))
  http2.on('stream', (stream, headers) => {
    const chunks: Buffer[] = []
    stream.on('error', () => {})
    stream.on('data', (chunk: Buffer) => chunks.push(chunk))
    stream.on('end', () => {
      const target = String(headers['x-amz-target'])
      const { contentType, body } = answer(requestOf(target, headers['content-type'], Buffer.concat(chunks)))
      stream.respond({
        ':status': 200,
        'content-type': contentType,
        'content-length': body.length,
        'x-amzn-requestid': nextRequestId()
      })
      stream.end(body)
    })
  })
  const server = createTlsServer({ key, cert, ALPNProtocols: ['h2', 'http/1.1'] }, socket => {
    socket.setNoDelay(true)
    socket.on('error', () => {})
    if (socket.alpnProtocol === 'h2') http2.emit('connection', socket as Socket)
    else serveHttp1(socket, answer)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port
}

/** From here on every user record is checked against this pool. */
export function check(pool: PoolOptions): void {
  ledger = new Ledger(makePool(pool))
}

/** Ends the check: throws unless `count` records of the pool, taken in turn, arrived once each. */
export function assertArrived(count: number): void {
  const checked = ledger
  ledger = undefined
  checked?.assertArrived(count)
}

/** Returns the counts since the last call. */
export function takeCounts(): SinkCounts {
  const taken = counts
  counts = { requests: 0, kinesisRecords: 0, bodyBytes: 0 }
  return taken
}

function answer({ operation, isCbor, body }: SinkRequest): SinkAnswer {
  if (operation === 'PutRecords') return answerPut(body, isCbor)
  if (operation === 'PutRecord') return answerOne(body)
  if (operation === 'ListShards') return json({ Shards: listing.map(shardOf) })
  if (operation === 'DescribeStreamSummary') return json({ StreamDescriptionSummary: SUMMARY })
  throw new Error(`the sink was asked for ${operation}`)
}

function answerPut(body: Buffer, isCbor: boolean): SinkAnswer {
  const entries = isCbor ? scanCbor(body) : scanJson(body)
  counts.requests++
  counts.kinesisRecords += entries.length
  counts.bodyBytes += body.length
  if (ledger !== undefined) noteAll(ledger, entries)
  const Records = entries.map(entry => ({ SequenceNumber: nextSequenceNumber(), ShardId: shardIdOf(entry) }))
  if (isCbor) return { contentType: CBOR_TYPE, body: cborAnswer(Records) }
  return json({ FailedRecordCount: 0, Records })
}

/** Where it goes is not looked at. The SDK sends this one as JSON. */
function answerOne(body: Buffer): SinkAnswer {
  counts.requests++
  counts.kinesisRecords++
  counts.bodyBytes += body.length
  if (ledger !== undefined) {
    const { PartitionKey, Data } = JSON.parse(body.toString()) as { PartitionKey: string; Data: string }
    ledger.note(PartitionKey, Buffer.from(Data, 'base64'))
  }
  return json({ SequenceNumber: nextSequenceNumber(), ShardId: listing[0]!.shardId })
}

function noteAll(to: Ledger, entries: readonly WireEntry[]): void {
  for (const { partitionKey, data } of entries) {
    const record = { partitionKey, data: data(), sequenceNumber: '1' }
    for (const userRecord of deaggregateAll([record])) to.note(userRecord.partitionKey, userRecord.data)
  }
}

function shardIdOf({ partitionKey, explicitHashKey }: WireEntry): string {
  if (explicitHashKey === undefined) hashPartitionKey(partitionKey, words)
  else writeHashKey(BigInt(explicitHashKey), words)
  return shardMap!.predict(words, 0)
}

function nextSequenceNumber(): string {
  return SEQUENCE_NUMBER_HEAD + String(++sequence).padStart(SEQUENCE_NUMBER_DIGITS, '0')
}

function json(value: object): SinkAnswer {
  return { contentType: JSON_TYPE, body: Buffer.from(JSON.stringify(value)) }
}

const SUMMARY = {
  StreamName: 'bench',
  StreamARN: 'arn:aws:kinesis:us-east-1:000000000000:stream/bench',
  StreamStatus: 'ACTIVE',
  StreamModeDetails: { StreamMode: 'PROVISIONED' },
  RetentionPeriodHours: 24,
  StreamCreationTimestamp: 1_700_000_000,
  EnhancedMonitoring: [],
  OpenShardCount: 1
}

function shardOf({ shardId, startingHashKey, endingHashKey }: ShardHashRange): object {
  return {
    ShardId: shardId,
    HashKeyRange: { StartingHashKey: startingHashKey, EndingHashKey: endingHashKey },
    SequenceNumberRange: { StartingSequenceNumber: nextSequenceNumber() }
  }
}
