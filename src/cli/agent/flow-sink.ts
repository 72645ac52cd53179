/**
 * The end of a flow: process steps, the partition key, the producer, and what a policy makes of a record that failed.
 * Invariant: a record is settled once. `skipped` is said only when a policy names it, and of a dead letter only when it is on disk; `failed` stops the
 * follower before the record, so it is sent again.
 */
import { InvalidRecordError, type KinesisProducer, type RecordFailedError } from '../../index.ts'
import { isRecordFailure, isRefusal } from '../errors.ts'
import type { FlowSink, FollowedRecord, RecordEnd, RecordOwner } from '../follow/ports.ts'
import type { KeySelector } from '../input/key-selector.ts'
import { truncated } from '../input/truncate.ts'
import type { BadKeyPolicy, MaxRecordPolicy } from '../put/put-flags.ts'
import type { DeadLetterFile } from './dead-letter-file.ts'
import type { ProcessStep } from './process/process-steps.ts'

export interface FlowSinkOptions {
  readonly producer: KinesisProducer
  readonly stream: string
  readonly onFailure: 'retry' | 'dead-letter' | 'skip' | 'stop'
  readonly step: ProcessStep | undefined
  readonly select: KeySelector
  readonly badKey: BadKeyPolicy
  readonly randomKey: () => string
  readonly maxRecord: MaxRecordPolicy
  readonly maxRecordBytes: number
  /** Ends a record that was truncated. */
  readonly terminator: Uint8Array
  readonly deadLetter: DeadLetterFile | undefined
  /** Told for each record that no policy lets pass quietly. */
  readonly tell: (code: string, message: string) => void
}

export interface Fault {
  readonly code: string
  readonly message: string
}

const NONE = new Uint8Array(0)
const DELIVERED: RecordEnd = { kind: 'delivered' }
const SKIPPED: RecordEnd = { kind: 'skipped' }
const BAD_KEY: Fault = {
  code: 'CLI_ERR_BAD_KEY',
  message: 'a record has no usable key: missing, empty, no text or number, or above 256 characters'
}
const TOO_LONG: Fault = { code: 'CLI_ERR_LINE_TOO_LONG', message: 'a line is longer than maxLine (--max-line)' }
const TOO_LARGE: Fault = { code: 'KPL_ERR_RECORD_TOO_LARGE', message: 'a record is above maxUserRecordBytes' }

export class ProducerSink implements FlowSink {
  records = 0
  bytes = 0
  delivered = 0
  skipped = 0
  deadLettered = 0
  failed = 0
  /** Why the service takes nothing from us: exit 3. */
  refusal: Fault | undefined
  /** The dead letter file cannot be written: what the command ends with. */
  fault: unknown
  readonly #options: FlowSinkOptions
  readonly #made: Made
  /** By file: what the producer calls with the tickets of its records. */
  readonly #owners = new WeakMap<RecordOwner, Owned>()
  #last: Owned | undefined

  constructor(options: FlowSinkOptions) {
    this.#options = options
    this.#made = { streamName: options.stream, partitionKey: '', data: NONE }
  }

  /** Records that are taken and not settled. */
  get openCount(): number {
    return this.records - this.delivered - this.skipped - this.deadLettered - this.failed
  }

  tryPut(record: FollowedRecord): boolean {
    const { owner, ticket } = record
    const made = this.#make(record)
    if (made === 'skip') {
      this.#count(record.data.length)
      this.#skip(owner, ticket)
      return true
    }
    if ('code' in made) {
      this.#count(record.data.length)
      this.#fail(made, { owner, ticket, data: record.data })
      return true
    }
    const { producer, deadLetter } = this.#options
    const owned = this.#last?.owner === owner ? this.#last : this.#ownedBy(owner)
    try {
      const isTaken = producer.tryPut(made, owned.answered, ticket)
      if (!isTaken) return false
      this.#count(record.data.length)
      // Only a dead letter needs the record later; the producer itself copies what it takes, and answers later than this.
      if (deadLetter !== undefined) owned.kept.set(ticket, { partitionKey: made.partitionKey, data: made.data })
      return true
    } catch (error) {
      if (!(error instanceof InvalidRecordError)) throw error
      this.#count(record.data.length)
      this.#fail(error, { owner, ticket, partitionKey: made.partitionKey, data: made.data })
      return true
    }
  }

  /** A record that the file's own rules find too large. */
  refuse({ owner, ticket, data }: FollowedRecord): void {
    this.#count(data.length)
    this.#fail(TOO_LARGE, { owner, ticket, data })
  }

  /** A line above `maxLine` has no data any more, so a dead letter cannot have it: a policy that goes on reports it. */
  passOver({ owner, ticket }: FollowedRecord, reason: 'too-long' | 'too-large'): void {
    this.#count(0)
    const { onFailure, deadLetter, tell } = this.#options
    const record = { owner, ticket, data: NONE }
    const goesOn = onFailure === 'skip' || deadLetter !== undefined
    if (reason === 'too-long' && !goesOn) this.#end(TOO_LONG, true, record)
    else {
      if (reason === 'too-long')
        tell(TOO_LONG.code, `${TOO_LONG.message} (${placeOf(record)}); it is skipped, without a dead letter`)
      this.#skip(owner, ticket)
    }
  }

  #ownedBy(owner: RecordOwner): Owned {
    const known = this.#owners.get(owner) ?? this.#own(owner)
    this.#last = known
    return known
  }

  #own(owner: RecordOwner): Owned {
    const kept = new Map<number, Buried>()
    const answered = (error: RecordFailedError | undefined, _: unknown, ticket: number): void => {
      const buried = kept.get(ticket)
      if (buried !== undefined) kept.delete(ticket)
      if (error !== undefined) this.#fail(error, { owner, ticket, data: NONE, ...buried })
      else {
        this.delivered++
        owner.settle(ticket, DELIVERED)
      }
    }
    const owned = { owner, kept, answered }
    this.#owners.set(owner, owned)
    return owned
  }

  ready(): Promise<void> {
    return this.#options.producer.ready()
  }

  async flush(): Promise<void> {
    await this.#options.producer.flush()
    await this.#options.deadLetter?.flush()
  }

  /** The record that comes out is the same object each time: it is read at once. */
  #make(record: FollowedRecord): Made | Fault | 'skip' {
    const { step, select, badKey, randomKey, maxRecord, maxRecordBytes, terminator } = this.#options
    let data = record.data
    if (step !== undefined) {
      const stepped = step(record)
      if (stepped === 'drop') return 'skip'
      if ('code' in stepped) return stepped
      data = stepped
    }
    const selected = select({ data }, record.path)
    if (selected.partitionKey === undefined && badKey !== 'random') return badKey === 'skip' ? 'skip' : BAD_KEY
    const partitionKey = selected.partitionKey ?? randomKey()
    data = selected.data
    if (maxRecord !== 'fail') {
      const mostBytes = maxRecordBytes - Buffer.byteLength(partitionKey)
      if (data.length > mostBytes && maxRecord === 'skip') return 'skip'
      if (data.length > mostBytes) data = truncated(data, mostBytes, terminator)
    }
    const made = this.#made
    made.partitionKey = partitionKey
    made.data = data
    return made
  }

  #count(bytes: number): void {
    this.records++
    this.bytes += bytes
  }

  #skip(owner: RecordOwner, ticket: number): void {
    this.skipped++
    owner.settle(ticket, SKIPPED)
  }

  #fail(error: Fault | RecordFailedError, record: FailedRecord): void {
    const { onFailure, tell } = this.#options
    const isCut = error.code === 'KPL_ERR_CLOSE_TIMEOUT' || error.code === 'KPL_ERR_CLOSED'
    if (isRefusal(error)) this.refusal ??= error
    // Neither is of the record itself, so no policy for records lets it pass.
    const isOfRecord = !isCut && this.refusal === undefined
    const isBuried = this.#options.deadLetter !== undefined && (onFailure === 'dead-letter' || onFailure === 'retry')
    if (isOfRecord && isBuried) this.#bury(error, record)
    else if (isOfRecord && onFailure === 'skip') {
      tell(error.code, `${error.message} (${placeOf(record)}); it is skipped`)
      this.#skip(record.owner, record.ticket)
    } else this.#end(error, isOfRecord, record)
  }

  #bury(error: Fault, record: FailedRecord): void {
    const { deadLetter, stream, randomKey, tell } = this.#options
    const { owner, ticket, partitionKey = randomKey(), data } = record
    tell(error.code, `${error.message} (${placeOf(record)}); it is in the dead letter file`)
    const told = {
      code: error.code,
      ...(isRecordFailure(error) && error.serviceCode !== undefined ? { serviceCode: error.serviceCode } : undefined),
      persisted: isRecordFailure(error) ? error.persisted : 'no'
    }
    const source = { path: owner.path, offset: owner.startOf(ticket) }
    void deadLetter?.write({ partitionKey, data, stream }, { error: told, source }).then(
      () => {
        this.deadLettered++
        owner.settle(ticket, SKIPPED)
      },
      (fault: unknown) => {
        this.fault ??= fault
        const message = fault instanceof Error ? fault.message : 'unknown'
        this.#end({ code: 'CLI_ERR_OUTPUT', message }, false, record)
      }
    )
  }

  #end({ code, message }: Fault, isPoison: boolean, { owner, ticket }: FailedRecord): void {
    this.failed++
    owner.settle(ticket, { kind: 'failed', code, message, isPoison })
  }
}

/** A record as the producer takes it. */
interface Made {
  readonly streamName: string
  partitionKey: string
  data: Uint8Array
}

/** The parts of a record that a dead letter needs. */
interface Buried {
  readonly partitionKey: string
  readonly data: Uint8Array
}

interface FailedRecord {
  readonly owner: RecordOwner
  readonly ticket: number
  /** Undefined: it has none. */
  readonly partitionKey?: string
  readonly data: Uint8Array
}

interface Owned {
  readonly owner: RecordOwner
  /** By ticket. Empty without a dead letter file. */
  readonly kept: Map<number, Buried>
  readonly answered: (error: RecordFailedError | undefined, result: unknown, ticket: number) => void
}

function placeOf({ owner, ticket }: FailedRecord): string {
  return `${owner.path}, offset ${owner.startOf(ticket)}`
}
