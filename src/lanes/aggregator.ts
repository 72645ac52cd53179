/**
 * Packs user records into envelopes, one open envelope per lane: a user record enters, a sealed Kinesis record leaves
 * when it is full, when its time is up, or when it is asked for. It never knows shards' limits, requests or answers.
 * Invariant: every record added leaves exactly once, in the order of its lane; a sealed envelope of several never exceeds
 * `aggregationMaxBytes`, and a record larger than that leaves alone. With dedupe tags whatever leaves is an envelope, but
 * for what `addAlone` is told to leave plain.
 * Hot: `add` allocates nothing per record beyond what the columns of `Members` grow by.
 */
import type { AcceptedRecord, KinesisRecord } from '../model/kinesis-record.ts'
import { Members } from '../model/kinesis-record.ts'
import { allocate, copyOf, type TakeBytes } from '../wire/bytes.ts'
import { isEnvelope } from '../wire/decode.ts'
import type { DedupeTag } from '../wire/dedupe-tag.ts'
import { EnvelopeWriter } from '../wire/encode.ts'
import { CONTAINER_KEY } from '../wire/format.ts'
import { HASH_KEY_WORDS, readHashKey } from '../wire/hash-key.ts'
import { DeadlineHeap, type HeapItem } from './deadline-heap.ts'

export interface AggregatorOptions {
  readonly aggregationEnabled: boolean
  readonly aggregationMaxCount: number
  readonly aggregationMaxBytes: number
  readonly containerKey: 'a' | 'first'
  readonly dedupeTag?: DedupeTag | undefined
  /** Where sealed records get their memory. */
  readonly takeBytes?: TakeBytes | undefined
  /** Makes the members of a new envelope, with room for so many. */
  readonly openMembers?: ((expectedCount: number) => Members) | undefined
}

interface OpenLane extends HeapItem {
  readonly lane: string
  readonly predictedShard: string
  readonly writer: EnvelopeWriter
  readonly members: Members
  readonly firstHashWords: Uint32Array
  readonly firstKeyBytes: number
  readonly firstExplicitHashKey: string | undefined
  deadlineMs: number
  expirationMs: number
}

/** Writers kept for reuse once their scratch has grown; more would hold memory that idle lanes do not need. */
const MAX_SPARE_WRITERS = 64
const FIRST_EXPECTED_COUNT = 16
/** An envelope with less room than this is sealed at once: no member is smaller. */
const SMALLEST_MEMBER_BYTES = 6

export class Aggregator {
  readonly #options: AggregatorOptions
  readonly #emit: (record: KinesisRecord) => void
  readonly #takeBytes: TakeBytes
  readonly #openMembers: (expectedCount: number) => Members
  readonly #lanes = new Map<string, OpenLane>()
  readonly #deadlines = new DeadlineHeap<OpenLane>()
  readonly #spareWriters: EnvelopeWriter[] = []
  /** Members of the envelopes to come, by those before; it grows in steps, for few lanes are as full as the fullest. */
  #expectedCount = 0
  readonly #isEnabled: boolean
  #isQuiet = false

  constructor(options: AggregatorOptions, emit: (record: KinesisRecord) => void) {
    this.#options = options
    this.#emit = emit
    this.#takeBytes = options.takeBytes ?? allocate
    this.#openMembers = options.openMembers ?? (expectedCount => new Members(expectedCount))
    this.#isEnabled = options.aggregationEnabled
  }

  /** Open envelopes. */
  get laneCount(): number {
    return this.#lanes.size
  }

  get nextDeadlineMs(): number {
    return this.#deadlines.nearestMs
  }

  /**
   * Takes a record; its bytes are copied before this returns. Returns true when it quietly joined an open envelope: no
   * deadline has come nearer by it, and nothing was emitted.
   */
  add(record: AcceptedRecord): boolean {
    const open = this.#lanes.get(record.lane)
    if (open !== undefined) {
      if (this.#isEnabled && this.#addTo(open, record)) return this.#isQuiet
      this.#seal(open)
    }
    const isAlone =
      !this.#isEnabled ||
      record.dataBytes >= this.#options.aggregationMaxBytes ||
      this.#options.aggregationMaxCount === 1
    if (isAlone) this.#emitAlone(record, this.#isEnabled)
    else this.#addTo(this.#open(record), record)
    return false
  }

  /**
   * Takes a record that must leave by itself, behind what its lane has open; `mayWrap`: in an envelope of its own if that
   * carries a tag. Sequence: record 1 waits in an open envelope -> the stream is gone, and nothing is aggregated any more ->
   * record 2 of its key comes.
   */
  addAlone(record: AcceptedRecord, mayWrap: boolean): void {
    const open = this.#lanes.get(record.lane)
    if (open !== undefined) this.#seal(open)
    this.#emitAlone(record, mayWrap)
  }

  /** Seals every envelope whose time is up. */
  sealDue(nowMs: number): void {
    for (let due = this.#deadlines.popDue(nowMs); due !== undefined; due = this.#deadlines.popDue(nowMs))
      this.#seal(due)
  }

  /** Seals every envelope. */
  sealAll(): void {
    for (const open of [...this.#lanes.values()]) this.#seal(open)
  }

  /** Seals the envelopes of the lanes that `isChosen` says. Cost: O(lanes). */
  sealWhere(isChosen: (lane: string) => boolean): void {
    for (const open of [...this.#lanes.values()]) {
      if (isChosen(open.lane)) this.#seal(open)
    }
  }

  #addTo(open: OpenLane, record: AcceptedRecord): boolean {
    const { writer, members } = open
    const maxBytes = this.#options.aggregationMaxBytes
    const isIn = writer.addWithin(
      maxBytes,
      record.partitionKey,
      record.keyBytes,
      record.explicitHashKey,
      record.data,
      record.dataBytes,
      record.keySlot,
      record.number
    )
    if (!isIn) return false
    members.push(record)
    this.#isQuiet = record.sealByMs >= open.wakeMs
    if (!this.#isQuiet) this.#deadlines.set(open, record.sealByMs)
    if (record.deadlineMs < open.deadlineMs) open.deadlineMs = record.deadlineMs
    if (record.expirationMs < open.expirationMs) open.expirationMs = record.expirationMs
    const isFull =
      members.count >= this.#options.aggregationMaxCount || writer.sealedBytes > maxBytes - SMALLEST_MEMBER_BYTES
    if (isFull) {
      this.#isQuiet = false
      this.#seal(open)
    }
    return true
  }

  #open(record: AcceptedRecord): OpenLane {
    const writer = this.#spareWriters.pop() ?? new EnvelopeWriter(undefined, this.#options.dedupeTag)
    const open = openLane(record, writer, this.#openMembers(this.#expectedCount))
    this.#lanes.set(record.lane, open)
    this.#deadlines.set(open, record.sealByMs)
    return open
  }

  #seal(open: OpenLane): void {
    this.#lanes.delete(open.lane)
    this.#deadlines.remove(open)
    const firstKey = open.writer.firstPartitionKey ?? ''
    const isAggregate = open.writer.isEnvelope
    const data = open.writer.seal(this.#takeBytes)
    open.members.close()
    this.#expectedCount = Math.min(open.members.count, this.#expectedCount * 2 + FIRST_EXPECTED_COUNT)
    if (this.#spareWriters.length < MAX_SPARE_WRITERS) this.#spareWriters.push(open.writer)
    this.#emitSealed(open, data, isAggregate, firstKey)
  }

  #emitAlone(record: AcceptedRecord, mayWrap: boolean): void {
    const { dedupeTag } = this.#options
    const open = openLane(record, new EnvelopeWriter(0, dedupeTag), this.#openMembers(1))
    const { partitionKey, keyBytes, explicitHashKey, dataBytes, number } = record
    open.members.push(record)
    let data = copyOf(record.data, dataBytes, this.#takeBytes)
    const isAggregate = (mayWrap && dedupeTag !== undefined) || isEnvelope(data)
    if (isAggregate) {
      open.writer.add(partitionKey, keyBytes, explicitHashKey, data, dataBytes, number)
      data = open.writer.seal(this.#takeBytes)
    }
    this.#emitSealed(open, data, isAggregate, partitionKey)
  }

  #emitSealed(open: OpenLane, data: Buffer, isAggregate: boolean, firstKey: string): void {
    const isOwnKey = !isAggregate || this.#options.containerKey === 'first'
    const record: KinesisRecord = {
      data,
      partitionKey: isOwnKey ? firstKey : CONTAINER_KEY,
      explicitHashKey: isAggregate ? readHashKey(open.firstHashWords).toString() : open.firstExplicitHashKey,
      isAggregate,
      members: open.members,
      requestBytes: data.length + (isOwnKey ? open.firstKeyBytes : CONTAINER_KEY.length),
      predictedShard: open.predictedShard,
      deadlineMs: open.deadlineMs,
      expirationMs: open.expirationMs,
      attempts: [],
      persisted: 'no'
    }
    open.members.sealedAs = record
    this.#emit(record)
  }
}

function openLane(record: AcceptedRecord, writer: EnvelopeWriter, members: Members): OpenLane {
  return {
    lane: record.lane,
    predictedShard: record.predictedShard,
    writer,
    members,
    firstHashWords: record.hashWords.slice(record.hashAt, record.hashAt + HASH_KEY_WORDS),
    firstKeyBytes: record.keyBytes,
    firstExplicitHashKey: record.explicitHashKey,
    deadlineMs: record.deadlineMs,
    expirationMs: record.expirationMs,
    wakeMs: record.sealByMs,
    heapIndex: -1
  }
}
