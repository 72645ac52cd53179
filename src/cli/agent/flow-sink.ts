/**
 * The end of a flow: process steps, the partition key, the producer, and what a policy makes of a record that failed.
 * Invariant: a record is settled once. `skipped` is said only when a policy names it, and of a dead letter only when it is on disk; `failed` stops the
 * follower before the record, so it is sent again.
 */
import { InvalidRecordError, type KinesisProducer, type RecordFailedError, type UserRecord } from '../../index.ts'
import { isRecordFailure, isRefusal } from '../errors.ts'
import type { FlowSink, FollowedRecord, RecordEnd } from '../follow/ports.ts'
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

type Settled = (end: RecordEnd) => void
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
  readonly #made: { readonly streamName: string; partitionKey: string; data: Uint8Array }

  constructor(options: FlowSinkOptions) {
    this.#options = options
    this.#made = { streamName: options.stream, partitionKey: '', data: NONE }
  }

  /** Records that are taken and not settled. */
  get openCount(): number {
    return this.records - this.delivered - this.skipped - this.deadLettered - this.failed
  }

  tryPut(record: FollowedRecord, settled: Settled): boolean {
    const made = this.#make(record)
    if (made === 'skip') {
      this.#count(record.data.length)
      this.#skip(settled)
      return true
    }
    if ('code' in made) {
      this.#count(record.data.length)
      this.#fail(made, undefined, record.data, place(record), settled)
      return true
    }
    const { producer, deadLetter } = this.#options
    try {
      // Only a dead letter needs the record later; the producer itself copies what it takes.
      const isTaken = producer.tryPut(
        made,
        this.#settler(record, deadLetter === undefined ? undefined : { ...made }, settled)
      )
      if (isTaken) this.#count(record.data.length)
      return isTaken
    } catch (error) {
      if (!(error instanceof InvalidRecordError)) throw error
      this.#count(record.data.length)
      this.#fail(error, { ...made }, made.data, place(record), settled)
      return true
    }
  }

  /** A record that the file's own rules find too large. */
  refuse(record: FollowedRecord, settled: Settled): void {
    this.#count(record.data.length)
    this.#fail(TOO_LARGE, undefined, record.data, place(record), settled)
  }

  ready(): Promise<void> {
    return this.#options.producer.ready()
  }

  async flush(): Promise<void> {
    await this.#options.producer.flush()
    await this.#options.deadLetter?.flush()
  }

  /** Apart from `tryPut`, so that what it keeps for each record that is under way is this alone. */
  #settler(
    { path, startOffset }: FollowedRecord,
    buried: UserRecord | undefined,
    settled: Settled
  ): (error: RecordFailedError | undefined) => void {
    return error => {
      if (error !== undefined) this.#fail(error, buried, buried?.data ?? NONE, { path, startOffset }, settled)
      else {
        this.delivered++
        settled(DELIVERED)
      }
    }
  }

  /** The record that comes out is the same object each time: it is read at once. */
  #make(record: FollowedRecord): UserRecord | Fault | 'skip' {
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

  #skip(settled: Settled): void {
    this.skipped++
    settled(SKIPPED)
  }

  #fail(
    error: Fault | RecordFailedError,
    record: UserRecord | undefined,
    data: Uint8Array | string,
    at: Place,
    settled: Settled
  ): void {
    const { onFailure, tell } = this.#options
    const isCut = error.code === 'KPL_ERR_CLOSE_TIMEOUT' || error.code === 'KPL_ERR_CLOSED'
    if (isRefusal(error)) this.refusal ??= error
    // Neither is of the record itself, so no policy for records lets it pass.
    const isOfRecord = !isCut && this.refusal === undefined
    const isBuried = this.#options.deadLetter !== undefined && (onFailure === 'dead-letter' || onFailure === 'retry')
    if (isOfRecord && isBuried) this.#bury(error, record, data, at, settled)
    else if (isOfRecord && onFailure === 'skip') {
      tell(error.code, `${error.message} (${at.path}, offset ${at.startOffset}); it is skipped`)
      this.#skip(settled)
    } else this.#end(error, isOfRecord, settled)
  }

  #bury(error: Fault, record: UserRecord | undefined, data: Uint8Array | string, at: Place, settled: Settled): void {
    const { deadLetter, stream, randomKey, tell } = this.#options
    tell(error.code, `${error.message} (${at.path}, offset ${at.startOffset}); it is in the dead letter file`)
    const partitionKey = record?.partitionKey ?? randomKey()
    const bytes = typeof data === 'string' ? Buffer.from(data) : data
    const told = {
      code: error.code,
      ...(isRecordFailure(error) && error.serviceCode !== undefined ? { serviceCode: error.serviceCode } : undefined),
      persisted: isRecordFailure(error) ? error.persisted : 'no'
    }
    const source = { path: at.path, offset: at.startOffset }
    void deadLetter?.write({ partitionKey, data: bytes, stream }, { error: told, source }).then(
      () => {
        this.deadLettered++
        settled(SKIPPED)
      },
      (fault: unknown) => {
        this.fault ??= fault
        this.#end(
          { code: 'CLI_ERR_OUTPUT', message: fault instanceof Error ? fault.message : 'unknown' },
          false,
          settled
        )
      }
    )
  }

  #end({ code, message }: Fault, isPoison: boolean, settled: Settled): void {
    this.failed++
    settled({ kind: 'failed', code, message, isPoison })
  }
}

interface Place {
  readonly path: string
  readonly startOffset: number
}

function place({ path, startOffset }: FollowedRecord): Place {
  return { path, startOffset }
}
