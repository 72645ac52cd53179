/**
 * The invariants that are checked while a run goes on: at every request, every answer and after every event.
 * Invariant: each checker is named by its number (reliability invariants I1 to I20), reports and never throws.
 */

import { hash } from 'node:crypto'
import type { Core } from '../../src/core/core.ts'
import type { StreamOptions } from '../../src/core/stream-options.ts'
import type { FailedRequest, Outcome } from '../../src/model/exchange.ts'
import type { KinesisRecord } from '../../src/model/kinesis-record.ts'
import type { PutRecordsAnswer, ShardHashRange } from '../../src/model/ports.ts'
import { STREAM_NOT_FOUND } from '../../src/model/service-errors.ts'
import { isInside } from '../../src/testing/kcl-reader.ts'
import { decodeEnvelope } from '../../src/wire/decode.ts'
import type { Ledger, Put, Told } from './ledger.ts'
import type { Flight } from './network.ts'
import { Pace } from './pace.ts'
import type { ShardBook } from './shard-book.ts'
import type { Trace } from './trace.ts'

export interface WatcherContext {
  readonly options: StreamOptions
  readonly ledger: Ledger
  readonly trace: Trace
  readonly book: ShardBook
  /** Shard ids come back with other ranges: the client rightly trusts them less than the books do. */
  readonly hasRecreates: boolean
  nowMs(): number
}

/** The service's answers for an entry that it certainly did not store. */
const DEFINITE_ENTRY_CODES = new Set(['ProvisionedThroughputExceededException'])
const MEBIBYTE = 1_048_576

export class Watchers {
  readonly #context: WatcherContext
  readonly #pace: Pace
  /** First hash keys of every map that the client took, newest last, by stream. */
  readonly #maps = new Map<string, (readonly bigint[])[]>()
  readonly #seen = new WeakSet<KinesisRecord>()
  /** The Kinesis record in flight that holds a key's records. */
  readonly #keysOut = new Map<string, KinesisRecord>()
  /** The shards that the client has heard of since it last forgot a stream; a stream is missing while it has no map. */
  readonly #known = new Map<string, Set<string>>()
  isClosed = false

  constructor(context: WatcherContext) {
    this.#context = context
    this.#pace = new Pace(context)
  }

  mapTaken(streamName: string, listing: readonly ShardHashRange[]): void {
    const starts = listing.map(({ startingHashKey }) => BigInt(startingHashKey)).sort((a, b) => (a < b ? -1 : 1))
    const maps = this.#maps.get(streamName) ?? []
    maps.push(starts)
    this.#maps.set(streamName, maps)
    const known = this.#known.get(streamName) ?? new Set()
    for (const { shardId } of listing) known.add(shardId)
    this.#known.set(streamName, known)
    this.#pace.lanesReset(streamName)
  }

  listingStarted(streamName: string): void {
    this.#pace.listingStarted(streamName)
  }

  /** The core of a stream threw and starts anew, without a map. */
  startedAnew(streamName: string): void {
    this.#known.delete(streamName)
    this.#pace.startedAnew(streamName)
  }

  listingEnded(streamName: string): void {
    this.#pace.listingEnded(streamName)
  }

  sent(flight: Flight, inFlightCount: number): void {
    const { trace, options } = this.#context
    if (this.isClosed) trace.violated('I15', 'a request after close')
    if (inFlightCount > options.maxInFlightRequests) trace.violated('I13', `${inFlightCount} requests in flight`)
    this.#checkSizes(flight)
    this.#pace.sent(flight)
    for (const record of flight.batch.entries) {
      if (!this.#seen.has(record)) {
        this.#seen.add(record)
        this.#checkSealed(record, flight.stream.streamName)
      }
      for (const number of record.members.numbers) this.#memberSent(this.#putOf(number), record)
    }
  }

  landed(flight: Flight, outcome: Outcome): void {
    const { streamName } = flight.stream
    const isMissing = outcome.kind === 'failed' && outcome.error.errorCode === STREAM_NOT_FOUND
    if (isMissing) this.#known.delete(streamName)
    flight.batch.entries.forEach((record, i) => {
      const told = outcome.kind === 'failed' ? toldByError(outcome) : this.#toldBy(flight, record, outcome.records[i]!)
      for (const number of record.members.numbers) {
        const put = this.#putOf(number)
        if (put === undefined) continue
        put.inFlightCount--
        this.#keysOut.delete(`${streamName}/${put.hashKey}`)
        put.told.push(told)
        if (!this.#known.has(streamName)) put.wasBlind = true
      }
    })
    this.#pace.landed(flight, outcome)
  }

  gaveUp(flight: Flight): void {
    for (const { members } of flight.batch.entries) {
      for (const number of members.numbers) {
        const put = this.#putOf(number)
        if (put !== undefined) put.wasGivenUp = true
      }
    }
  }

  /** After every event: the buffer's books agree with ours. */
  afterEvent(core: Core): void {
    const { options, ledger, trace } = this.#context
    const { usedBytes, usedRecords } = core.buffer
    if (usedBytes > options.bufferMaxBytes || usedRecords > options.bufferMaxRecords) {
      trace.violated('I9', `the buffer holds ${usedBytes} bytes and ${usedRecords} records, over its bounds`)
    }
    if (usedBytes < ledger.outstandingBytes || usedRecords < ledger.outstanding) {
      trace.violated('I9', `the buffer counts ${usedRecords} records, ${ledger.outstanding} are outstanding`)
    }
    if (core.ledger.outstanding !== ledger.outstanding) {
      trace.violated('I1', `${core.ledger.outstanding} outstanding by its count, ${ledger.outstanding} by ours`)
    }
  }

  #putOf(number: number): Put | undefined {
    const put = this.#context.ledger.puts[number]
    if (put === undefined) this.#context.trace.violated('I6', `record ${number} was never put`)
    return put
  }

  #memberSent(put: Put | undefined, record: KinesisRecord): void {
    if (put === undefined) return
    const { trace, options } = this.#context
    const key = `${put.streamName}/${put.hashKey}`
    const other = this.#keysOut.get(key)
    // A core that threw has told the former record as failed, and goes on without its answer.
    const isTold = other?.members.isDecided === true
    if (options.ordering === 'key' && other !== undefined && other !== record && !isTold) {
      trace.violated('I13', `record ${put.id} is sent while its key is in flight in another Kinesis record`)
    }
    this.#keysOut.set(key, record)
    if (put.settledMs !== undefined) trace.violated('I5', `record ${put.id} is sent after it settled`)
    if (put.inFlightCount > 0) trace.violated('I5', `record ${put.id} is in flight twice`)
    const isDelivered = put.told.at(-1) === 'delivered' && !this.#context.hasRecreates
    if (isDelivered) trace.violated('I5', `record ${put.id} is sent after it was delivered`)
    put.sentCount++
    put.inFlightCount++
  }

  #checkSizes({ batch }: Flight): void {
    const { options, trace } = this.#context
    const { entries } = batch
    let requestBytes = 0
    for (const { data, partitionKey, requestBytes: counted } of entries) {
      const bytes = data.length + Buffer.byteLength(partitionKey)
      if (bytes !== counted) trace.violated('I10', `an entry of ${bytes} bytes is counted as ${counted}`)
      if (bytes > Math.max(MEBIBYTE, options.maxUserRecordBytes)) trace.violated('I10', `an entry of ${bytes} bytes`)
      requestBytes += bytes
    }
    const isTooLarge = entries.length > 1 && requestBytes > options.collectionMaxBytes
    const isTooMany = entries.length > options.collectionMaxCount
    if (entries.length === 0 || isTooLarge || isTooMany) {
      trace.violated('I10', `a request of ${entries.length} entries and ${requestBytes} bytes`)
    }
    if (requestBytes !== batch.requestBytes) trace.violated('I10', 'a request whose size is counted wrong')
  }

  /** Once for each sealed record: its bytes are what its members say, and they may travel together. */
  #checkSealed(record: KinesisRecord, streamName: string): void {
    const { trace, ledger, options } = this.#context
    const { members, isAggregate, data } = record
    if (!isAggregate) {
      if (members.count !== 1) trace.violated('I11', `a plain record with ${members.count} members`)
      return
    }
    if (members.count > 1 && data.length > options.aggregationMaxBytes) {
      trace.violated('I10', `an aggregate of ${data.length} bytes`)
    }
    if (members.count > options.aggregationMaxCount) trace.violated('I10', `an aggregate of ${members.count} records`)
    const isWhole = hash('md5', data.subarray(4, data.length - 16), 'hex') === hex(data.subarray(data.length - 16))
    const decoded = decodeEnvelope(data)
    const isSame =
      isWhole &&
      decoded.length === members.count &&
      decoded.every((member, i) => member.partitionKey === ledger.puts[members.numbers[i]!]?.partitionKey)
    if (!isSame) trace.violated('I10', 'an aggregate that does not hold its members')
    if (!this.#isOfOneShard(record, streamName)) {
      trace.violated('I11', `an aggregate for shard ${record.lane.shardId} whose records are of several shards`)
    }
  }

  #isOfOneShard({ members, lane }: KinesisRecord, streamName: string): boolean {
    let low = 1n << 128n
    let high = -1n
    for (const number of members.numbers) {
      const hashKey = this.#context.ledger.puts[number]?.hashKey ?? 0n
      if (hashKey < low) low = hashKey
      if (hashKey > high) high = hashKey
    }
    if (low === high) return true
    if (lane.shardId === undefined) return false
    const maps = this.#maps.get(streamName) ?? []
    return maps.some(starts => !starts.some(start => low < start && start <= high))
  }

  #toldBy(flight: Flight, record: KinesisRecord, { shardId, sequenceNumber, errorCode }: PutRecordsAnswer): Told {
    const isAcknowledged = shardId !== undefined && sequenceNumber !== undefined && errorCode === undefined
    if (!isAcknowledged) {
      const isDefinite = errorCode !== undefined && sequenceNumber === undefined && DEFINITE_ENTRY_CODES.has(errorCode)
      return isDefinite ? 'definite' : 'ambiguous'
    }
    if (!record.isAggregate) return 'delivered'
    const truth = flight.incarnation && this.#context.book.shardOf(flight.incarnation, shardId)
    const hashKeys = record.members.numbers.map(number => this.#context.ledger.puts[number]?.hashKey ?? 0n)
    if (truth === undefined || !hashKeys.every(hashKey => isInside(hashKey, truth))) return 'misrouted'
    return this.#known.get(flight.stream.streamName)?.has(shardId) ? 'delivered' : 'unknownShard'
  }
}

function toldByError({ error }: FailedRequest): Told {
  return error.persisted === 'no' ? 'definite' : 'ambiguous'
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex')
}
