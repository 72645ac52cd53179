/**
 * Packs user records into envelopes, one open envelope a lane: a user record enters with its lane, sealed Kinesis records leave
 * when an envelope is full, when its time is up, or when it is asked for. It never knows limits, requests or answers.
 * Invariant: every record added leaves exactly once, in the order of its lane; a sealed envelope of several never exceeds
 * `aggregationMaxBytes`, and a record larger than that leaves alone. With dedupe tags every record leaves in an
 * envelope, except those that `addAlone` leaves plain.
 * Hot: `add` allocates nothing per record beyond what the columns of `Members` grow by.
 */
import type { AcceptedRecord } from '../model/kinesis-record.ts'
import { Members } from '../model/kinesis-record.ts'
import { allocate, framedCopyOf, type TakeBytes } from '../wire/bytes.ts'
import { isEnvelope } from '../wire/decode.ts'
import type { DedupeTag } from '../wire/dedupe-tag.ts'
import { EnvelopeWriter } from '../wire/encode.ts'
import { CONTAINER_KEY } from '../wire/format.ts'
import { HASH_KEY_WORDS, readHashKey } from '../wire/hash-key.ts'
import { DeadlineHeap } from './deadline-heap.ts'
import type { Lane, LaneRecord, OpenEnvelope } from './lane.ts'

export interface AggregatorOptions {
  readonly aggregationEnabled: boolean
  readonly aggregationMaxCount: number
  readonly aggregationMaxBytes: number
  readonly containerKey: 'a' | 'first'
  /** An envelope that is due within this time of one that is due leaves with it. Default: 0. */
  readonly sealTogetherMs?: number | undefined
  readonly dedupeTag?: DedupeTag | undefined
  /** Where sealed records get their memory. */
  readonly takeBytes?: TakeBytes | undefined
  /** Makes the members of a new envelope, with room for so many. */
  readonly openMembers?: ((expectedCount: number) => Members) | undefined
}

/** Writers kept for reuse once their scratch has grown; more would hold memory that idle lanes do not need. */
const MAX_SPARE_WRITERS = 64
const FIRST_EXPECTED_COUNT = 16
/** An envelope with less room than this is sealed at once: no member is smaller. */
const SMALLEST_MEMBER_BYTES = 6
/**
 * An envelope below this part of its limits is small. A larger part would seal the young envelopes of lanes that fill theirs
 * before the time is up; without it, a lane whose envelope is young takes a step of its own and draws the others along.
 */
const SMALL_PART = 1 / 8
const NOTHING: readonly LaneRecord[] = []

export class Aggregator {
  readonly #options: AggregatorOptions
  readonly #takeBytes: TakeBytes
  readonly #openMembers: (expectedCount: number) => Members
  /** In the order in which they were opened. */
  readonly #open = new Set<OpenEnvelope>()
  readonly #deadlines = new DeadlineHeap<OpenEnvelope>()
  readonly #spareWriters: EnvelopeWriter[] = []
  /** Members of the envelopes to come, by those before; it grows in steps, because few lanes are as full as the fullest. */
  #expectedCount = 0

  constructor(options: AggregatorOptions) {
    this.#options = options
    this.#takeBytes = options.takeBytes ?? allocate
    this.#openMembers = options.openMembers ?? (expectedCount => new Members(expectedCount))
  }

  /** Open envelopes. */
  get openCount(): number {
    return this.#open.size
  }

  get nextDeadlineMs(): number {
    return this.#deadlines.nearestMs
  }

  /**
   * Takes a record; its bytes are copied before this returns. Returns what was sealed by it, maybe nothing; undefined when it
   * quietly joined an open envelope, so that no deadline has come nearer.
   */
  add(record: AcceptedRecord, lane: Lane): readonly LaneRecord[] | undefined {
    const { aggregationEnabled, aggregationMaxBytes, aggregationMaxCount } = this.#options
    const open = openFor(lane, record)
    if (open !== undefined && aggregationEnabled && this.#addTo(open, record)) {
      if (this.#isFull(open)) return [this.#seal(open)]
      if (record.sealByMs >= open.wakeMs) return undefined
      this.#deadlines.set(open, record.sealByMs)
      return NOTHING
    }
    const sealed = open === undefined ? [] : [this.#seal(open)]
    const isAlone = !aggregationEnabled || record.dataBytes >= aggregationMaxBytes || aggregationMaxCount === 1
    if (isAlone) sealed.push(this.#alone(record, lane, aggregationEnabled))
    else {
      const opened = this.#openLane(record, lane)
      this.#addTo(opened, record)
      if (this.#isFull(opened)) sealed.push(this.#seal(opened))
    }
    return sealed
  }

  /**
   * Takes a record that must leave by itself, behind what its lane has open for its key; `mayWrap`: in an envelope of its own
   * if that carries a tag. Sequence: record 1 waits in an open envelope -> too many envelopes are open -> record 2 of its key
   * comes.
   */
  addAlone(record: AcceptedRecord, lane: Lane, mayWrap: boolean): readonly LaneRecord[] {
    const open = openFor(lane, record)
    const alone = (): LaneRecord => this.#alone(record, lane, mayWrap)
    return open === undefined ? [alone()] : [this.#seal(open), alone()]
  }

  /**
   * Once the time of an envelope is up, seals it, and with it the others that are due soon or hold little. So lanes keep step, and
   * one request takes the envelopes of many shards. With a step of its own for each lane, there are up to four times as many.
   */
  sealDue(nowMs: number): readonly LaneRecord[] {
    if (this.nextDeadlineMs > nowMs) return NOTHING
    const untilMs = nowMs + (this.#options.sealTogetherMs ?? 0)
    const leaving = [...this.#open].filter(open => open.wakeMs <= untilMs || this.#isSmall(open))
    return leaving.map(open => this.#seal(open))
  }

  /** Seals every envelope. */
  sealAll(): LaneRecord[] {
    return Array.from([...this.#open], open => this.#seal(open))
  }

  /** Seals what lanes that are gone have open. Cost: O(open envelopes). */
  sealGone(): LaneRecord[] {
    return [...this.#open].filter(open => open.lane.isGone).map(open => this.#seal(open))
  }

  /** Whether it is far from full, so that it costs little to seal it now. */
  #isSmall({ writer, members }: OpenEnvelope): boolean {
    const { aggregationMaxCount, aggregationMaxBytes } = this.#options
    return members.count < aggregationMaxCount * SMALL_PART && writer.sealedBytes < aggregationMaxBytes * SMALL_PART
  }

  #isFull({ writer, members }: OpenEnvelope): boolean {
    const { aggregationMaxCount, aggregationMaxBytes } = this.#options
    return members.count >= aggregationMaxCount || writer.sealedBytes > aggregationMaxBytes - SMALLEST_MEMBER_BYTES
  }

  #addTo(open: OpenEnvelope, record: AcceptedRecord): boolean {
    const isIn = open.writer.addWithin(
      this.#options.aggregationMaxBytes,
      record.partitionKey,
      record.keyBytes,
      record.explicitHashKey,
      record.data,
      record.dataBytes,
      record.keySlot,
      record.number,
      record.prefix
    )
    if (!isIn) return false
    open.members.push(record)
    if (record.deadlineMs < open.deadlineMs) open.deadlineMs = record.deadlineMs
    if (record.expirationMs < open.expirationMs) open.expirationMs = record.expirationMs
    return true
  }

  #openLane(record: AcceptedRecord, lane: Lane): OpenEnvelope {
    const writer = this.#spareWriters.pop() ?? new EnvelopeWriter(undefined, this.#options.dedupeTag)
    const open = envelopeFor(record, lane, writer, this.#openMembers(this.#expectedCount))
    if (lane.kind !== 'stream') lane.open = open
    else if (record.explicitHashKey === undefined) lane.openByKey.set(record.partitionKey, open)
    else lane.openByHashKey.set(record.explicitHashKey, open)
    this.#open.add(open)
    this.#deadlines.set(open, record.sealByMs)
    return open
  }

  #seal(open: OpenEnvelope): LaneRecord {
    const { lane, writer, members, firstPartitionKey, firstExplicitHashKey } = open
    if (lane.kind !== 'stream') lane.open = undefined
    else if (firstExplicitHashKey === undefined) lane.openByKey.delete(firstPartitionKey)
    else lane.openByHashKey.delete(firstExplicitHashKey)
    this.#open.delete(open)
    this.#deadlines.remove(open)
    const isAggregate = writer.isEnvelope
    const data = writer.seal(this.#takeBytes, false)
    members.close()
    this.#expectedCount = Math.min(members.count, this.#expectedCount * 2 + FIRST_EXPECTED_COUNT)
    if (this.#spareWriters.length < MAX_SPARE_WRITERS) this.#spareWriters.push(writer)
    return this.#sealed(open, data, isAggregate, !isAggregate)
  }

  #alone(record: AcceptedRecord, lane: Lane, mayWrap: boolean): LaneRecord {
    const { dedupeTag } = this.#options
    const open = envelopeFor(record, lane, new EnvelopeWriter(0, dedupeTag), this.#openMembers(1))
    const { partitionKey, keyBytes, explicitHashKey, dataBytes, number } = record
    open.members.push(record)
    let data = framedCopyOf(record.prefix, record.data, dataBytes, this.#takeBytes)
    const isAggregate = (mayWrap && dedupeTag !== undefined) || isEnvelope(data)
    if (isAggregate) {
      open.writer.add(partitionKey, keyBytes, explicitHashKey, data, dataBytes, number)
      data = open.writer.seal(this.#takeBytes)
    }
    return this.#sealed(open, data, isAggregate, true)
  }

  #sealed(open: OpenEnvelope, data: Buffer, isAggregate: boolean, isDigested: boolean): LaneRecord {
    const isOwnKey = !isAggregate || this.#options.containerKey === 'first'
    const record: LaneRecord = {
      data,
      partitionKey: isOwnKey ? open.firstPartitionKey : CONTAINER_KEY,
      explicitHashKey: isAggregate ? readHashKey(open.firstHashWords).toString() : open.firstExplicitHashKey,
      isAggregate,
      isDigested,
      members: open.members,
      requestBytes: data.length + (isOwnKey ? open.firstKeyBytes : CONTAINER_KEY.length),
      lane: open.lane,
      deadlineMs: open.deadlineMs,
      expirationMs: open.expirationMs,
      attempts: [],
      persisted: 'no'
    }
    open.members.sealedAs = record
    return record
  }
}

/** The open envelope that a record may share: its lane's, or its hash key's where the shard is unknown. */
function openFor(lane: Lane, { partitionKey, explicitHashKey }: AcceptedRecord): OpenEnvelope | undefined {
  if (lane.kind !== 'stream') return lane.open
  return explicitHashKey === undefined ? lane.openByKey.get(partitionKey) : lane.openByHashKey.get(explicitHashKey)
}

function envelopeFor(record: AcceptedRecord, lane: Lane, writer: EnvelopeWriter, members: Members): OpenEnvelope {
  return {
    lane,
    writer,
    members,
    firstPartitionKey: record.partitionKey,
    firstKeyBytes: record.keyBytes,
    firstHashWords: record.hashWords.slice(record.hashAt, record.hashAt + HASH_KEY_WORDS),
    firstExplicitHashKey: record.explicitHashKey,
    deadlineMs: record.deadlineMs,
    expirationMs: record.expirationMs,
    wakeMs: record.sealByMs,
    heapIndex: -1
  }
}
