/**
 * The records in the stages: one PutRecords entry with the user records in it, and batches of entries.
 * Invariant: `data`, keys and members' order never change after sealing, so a retry sends the same bytes; only the digest, the
 * times and the history are written later, and only by `core/stream.ts`.
 */
import type { KeySlot } from '../wire/encode.ts'
import type { Attempt, ContextCallback, Persisted, PutResult, SettleCallback } from './results.ts'

/**
 * A record that can be taken back: `put` with an AbortSignal. The members that hold it keep it told where it is.
 * Sequence: put -> placed in members A at 3 -> A's shard splits, moved to members B at 0 -> abort finds B[0].
 */
export interface AbortTicket {
  readonly settle: SettleCallback
  /** Set when the record is accepted. */
  streamName: string
  members: Members | undefined
  index: number
}

/**
 * A record whose caller shares one answer with the other callers of its members, instead of bringing a callback. One for all
 * records of a producer.
 */
export interface Joiner {
  /** Tells it from an AbortTicket. */
  readonly settle: undefined
  /** Returns what the callers of new members share. */
  open(members: Members): SharedSettle
}

/** The one answer of all callers who joined the same members. */
export interface SharedSettle {
  /** The record that was placed last has a caller who joins. */
  join(): void
  /** The fate of all is decided: `answerOf` gives each its result by index, or throws its RecordFailedError. Called once. */
  decide(answerOf: (index: number) => PutResult): void
  /** Returns what settles one record apart from the others; the same when asked again. */
  leave(index: number): SettleCallback
  /** Every record that joined has left. */
  end(): void
}

/** The callback of a record, in one of its forms. */
export type Settler = ContextCallback<unknown> | AbortTicket | Joiner

/** The trace of a finished attempt for members that moved from their Kinesis record into another. */
export interface History {
  readonly attempts: readonly Attempt[]
  readonly persisted: Persisted
}

/**
 * A user record on its way into an envelope, with all facts from its `put`. One instance is filled again and again, so that a
 * put allocates nothing: a receiver copies the fields that it keeps.
 */
export interface AcceptedRecord {
  /** The stream that the user named; undefined: the producer's own. */
  streamName: string | undefined
  partitionKey: string
  /** UTF-8 bytes of the partition key. */
  keyBytes: number
  /** The key's shortcut into its lane's open envelope, if it has one. */
  keySlot: KeySlot | undefined
  /** Canonical decimal, when the user gave one. */
  explicitHashKey: string | undefined
  /** Where the effective hash key stands: four words of `hashWords` from `hashAt`. */
  hashWords: Uint32Array
  hashAt: number
  data: Uint8Array | string
  /** The bytes directly before the data, and part of it: the frame of a schema. */
  prefix: Uint8Array | undefined
  /** Prefix and data. */
  dataBytes: number
  settle: Settler | undefined
  /** For the callback, beside the answer. */
  context: unknown
  acceptedMs: number
  number: number
  budgetBytes: number
  /** When its envelope has to be sealed, sent and given up, at the latest. */
  sealByMs: number
  deadlineMs: number
  expirationMs: number
  history: History | undefined
}

/** The part of a record that members keep. */
export type MemberFacts = Pick<
  AcceptedRecord,
  'settle' | 'context' | 'acceptedMs' | 'number' | 'history' | 'budgetBytes' | 'dataBytes'
>

/**
 * The user records of one Kinesis record, by column: no object per record. Index i is sub-sequence number i.
 * Hot: three stores per record; 24 bytes a record where the expectation is right, three times that where arrays grow.
 */
export class Members {
  count = 0
  /** undefined: aborted, already settled. */
  readonly settles: (Settler | undefined)[]
  /** The shared answer of callers who joined; undefined while there are none. */
  shared: SharedSettle | undefined
  /** By index; undefined while no record has a context. */
  #contexts: unknown[] | undefined
  readonly acceptedMs: number[]
  /** The record's number in the order of acceptance, over the whole producer. */
  readonly numbers: number[]
  /** Histories from before re-aggregation, by index; undefined when no member has one. */
  #histories: Map<number, History> | undefined
  /** The bytes of the members in the buffer: data, key and overhead. */
  budgetBytes = 0
  dataBytes = 0
  /** Of the member that was accepted first; a member that came back may stand behind younger ones. */
  oldestNumber = Number.POSITIVE_INFINITY
  abortedCount = 0
  /** Since when they are in a request that has not been answered, or whose answer is held: they may be stored. */
  sentMs: number | undefined
  /** Whether their common fate is decided: what is left is to call back, and nothing can be taken back any more. */
  isDecided = false
  /** The record they were sealed into; undefined while their envelope is open. */
  sealedAs: KinesisRecord | undefined

  /** `expectedCount`: room made at once; more and fewer may come. */
  constructor(expectedCount: number = 0) {
    this.settles = new Array(expectedCount)
    this.acceptedMs = new Array(expectedCount)
    this.numbers = new Array(expectedCount)
  }

  push(record: MemberFacts): void {
    const { settle, context, history } = record
    const index = this.count++
    if (isTicket(settle)) {
      settle.members = this
      settle.index = index
    }
    if (history !== undefined) {
      this.#histories ??= new Map()
      this.#histories.set(index, history)
    }
    if (settle === undefined) this.abortedCount++
    if (context !== undefined) {
      this.#contexts ??= []
      this.#contexts[index] = context
    }
    this.settles[index] = settle
    this.acceptedMs[index] = record.acceptedMs
    this.numbers[index] = record.number
    if (record.number < this.oldestNumber) this.oldestNumber = record.number
    this.budgetBytes += record.budgetBytes
    this.dataBytes += record.dataBytes
    // Last, when everything about the record can be asked.
    if (isJoiner(settle)) {
      this.shared ??= settle.open(this)
      this.shared.join()
    }
  }

  /** Returns what settles a record that moves to other members; undefined: it was aborted. */
  moving(index: number): ContextCallback<unknown> | AbortTicket | undefined {
    const settle = this.settles[index]
    return isJoiner(settle) ? this.shared?.leave(index) : settle
  }

  /** Every record has moved. */
  moved(): void {
    this.shared?.end()
  }

  /** No more will come: gives back the room that was not used. */
  close(): void {
    this.settles.length = this.count
    this.acceptedMs.length = this.count
    this.numbers.length = this.count
  }

  /** The context of a record's callback. */
  contextOf(index: number): unknown {
    return this.#contexts?.[index]
  }

  /** Whether any member was in another Kinesis record before. */
  get hasHistories(): boolean {
    return this.#histories !== undefined
  }

  historyOf(index: number): History | undefined {
    return this.#histories?.get(index)
  }
}

export function isJoiner(settle: Settler | undefined): settle is Joiner {
  return typeof settle === 'object' && settle.settle === undefined
}

export function isTicket(settle: Settler | undefined): settle is AbortTicket {
  return typeof settle === 'object' && settle.settle !== undefined
}

/** Where a Kinesis record is meant to go: a shard, or whichever shard takes it. The core's own are lanes. */
export interface Destination {
  /** The predicted shard; undefined while it is unknown. */
  readonly shardId: string | undefined
}

/** One PutRecords entry: a plain user record or a sealed envelope. */
export interface KinesisRecord<Lane extends Destination = Destination> {
  readonly data: Uint8Array
  /** The user record's own for a plain one; the container key for an envelope. */
  readonly partitionKey: string
  /** Decimal. Always set on an envelope; on a plain record only if its user set it. */
  readonly explicitHashKey: string | undefined
  /** Whether `data` is an envelope. */
  readonly isAggregate: boolean
  /** Whether an envelope's digest is written. It is when the record is taken into a request, with those of the others. */
  isDigested: boolean
  readonly members: Members
  /** The size that Kinesis counts: data and the partition key's UTF-8 bytes. */
  readonly requestBytes: number
  /** The lane that it was sealed for, and waits in. */
  readonly lane: Lane
  /** The latest time to send it, while nothing is throttled or fails. */
  deadlineMs: number
  /** When the oldest member's time to live ends. */
  expirationMs: number
  attempts: Attempt[]
  /** `'maybe'` once any attempt's answer was lost. */
  persisted: Persisted
}

/** One PutRecords request. */
export interface Batch<Lane extends Destination = Destination> {
  readonly entries: readonly KinesisRecord<Lane>[]
  readonly requestBytes: number
  /** A piece of a request that the service refused as a whole: sent as it is, never mixed with others. */
  readonly isIsolated: boolean
}
