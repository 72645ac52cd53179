/**
 * A producer in a worker thread, seen from the main thread: for a program whose event loop must stay free. In a project of your
 * own, import from 'kinesis-producer'.
 * Invariant: every accepted put settles once: at its acknowledgement, at its failure, or when the thread ends. The records that are
 * not settled never exceed `maxPendingRecords` and `maxPendingBytes`.
 */
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import type { CloseResult, ProducerOptions, ProducerStats } from '../../src/index.ts'
import { BatchWriter, sizeOf, type ThreadRecord } from './batch.ts'
import type { FromWorker, ToWorker } from './messages.ts'

export interface ThreadOptions {
  /** Options that can be cloned: no `logger`, no `client`, no provider of credentials. */
  readonly producer: ProducerOptions
  /** Records without an outcome. Default: 100,000. */
  readonly maxPendingRecords?: number
  /** Their bytes. Default: 16 MiB. */
  readonly maxPendingBytes?: number
}

/** `code` is the producer's, or `THREAD_FULL`, `THREAD_CLOSED` or `THREAD_ENDED`. */
export class ThreadPutError extends Error {
  readonly code: string
  readonly retryable: boolean

  constructor(code: string, message: string, retryable: boolean) {
    super(message)
    this.code = code
    this.retryable = retryable
  }
}

interface Waiting<Result = void> {
  resolve(result: Result): void
  reject(error: ThreadPutError): void
}

interface OpenBatch {
  readonly writer: BatchWriter
  readonly puts: Waiting[]
  readonly timer: NodeJS.Timeout
  bytes: number
}

/** A batch leaves when it is full, or after this time. It is short against `recordMaxBufferedTimeMs`. */
const BATCH_MS = 5
const BATCH_BYTES = 64 * 1024
const DEFAULT_MAX_RECORDS = 100_000
const DEFAULT_MAX_BYTES = 16 * 1024 * 1024

export class ProducerThread {
  readonly #worker: Worker
  readonly #maxRecords: number
  readonly #maxBytes: number
  readonly #sent = new Map<number, { readonly puts: readonly Waiting[]; readonly bytes: number }>()
  readonly #forRoom: (() => void)[] = []
  readonly #forStats: Waiting<ProducerStats>[] = []
  #open: OpenBatch | undefined
  #lastId = 0
  #pendingRecords = 0
  #pendingBytes = 0
  #closing: Promise<CloseResult> | undefined
  #ended: ThreadPutError | undefined

  constructor({ producer, maxPendingRecords, maxPendingBytes }: ThreadOptions) {
    this.#maxRecords = maxPendingRecords ?? DEFAULT_MAX_RECORDS
    this.#maxBytes = maxPendingBytes ?? DEFAULT_MAX_BYTES
    this.#worker = new Worker(new URL('./producer-worker.js', import.meta.url), { workerData: producer })
    this.#worker.on('message', (message: FromWorker) => this.#take(message))
    this.#worker.on('error', error => this.#end(`the thread of the producer failed: ${error.message}`))
    this.#worker.on('exit', () => this.#end('the thread of the producer has ended'))
  }

  get hasRoom(): boolean {
    return this.#pendingRecords < this.#maxRecords && this.#pendingBytes < this.#maxBytes
  }

  /** Resolves when there is room for a put, or when the thread has ended. */
  async ready(): Promise<void> {
    while (!this.hasRoom && this.#ended === undefined) {
      await new Promise<void>(resolve => this.#forRoom.push(resolve))
    }
  }

  /** Copies the record. Resolves when Kinesis has it, and rejects with ThreadPutError. */
  put(record: ThreadRecord): Promise<void> {
    const refusal = this.#refusal()
    if (refusal !== undefined) return Promise.reject(refusal)
    return new Promise((resolve, reject) => {
      const bytes = sizeOf(record)
      if (this.#open?.writer.hasRoomFor(bytes) === false) this.#send()
      this.#open ??= this.#newBatch(bytes)
      this.#open.writer.add(record)
      this.#open.puts.push({ resolve, reject })
      this.#open.bytes += bytes
      this.#pendingRecords++
      this.#pendingBytes += bytes
    })
  }

  /** Returns the producer's own figures, for metrics. */
  stats(): Promise<ProducerStats> {
    if (this.#ended !== undefined) return Promise.reject(this.#ended)
    return new Promise((resolve, reject) => {
      this.#forStats.push({ resolve, reject })
      this.#post({ kind: 'stats' })
    })
  }

  /** Refuses new puts, settles the others within `timeoutMs`, and ends the thread. */
  close({ timeoutMs }: { readonly timeoutMs: number }): Promise<CloseResult> {
    this.#closing ??= this.#close(timeoutMs)
    return this.#closing
  }

  async #close(timeoutMs: number): Promise<CloseResult> {
    if (this.#ended !== undefined) throw this.#ended
    this.#send()
    const exited = once(this.#worker, 'exit')
    const closed = new Promise<CloseResult>((resolve, reject) => {
      this.#worker.on('message', (message: FromWorker) => {
        if (message.kind === 'closed') resolve(message.result)
      })
      exited.then(() => reject(this.#ended), reject)
    })
    this.#post({ kind: 'close', timeoutMs })
    const result = await closed
    await exited
    return result
  }

  #refusal(): ThreadPutError | undefined {
    if (this.#ended !== undefined) return this.#ended
    if (this.#closing !== undefined) return new ThreadPutError('THREAD_CLOSED', 'put after close', false)
    if (this.hasRoom) return undefined
    return new ThreadPutError('THREAD_FULL', 'too many records wait for their outcome; wait for ready()', true)
  }

  #newBatch(firstBytes: number): OpenBatch {
    const writer = new BatchWriter(Math.max(BATCH_BYTES, firstBytes))
    return { writer, puts: [], bytes: 0, timer: setTimeout(() => this.#send(), BATCH_MS) }
  }

  #send(): void {
    const batch = this.#open
    if (batch === undefined) return
    this.#open = undefined
    clearTimeout(batch.timer)
    const id = ++this.#lastId
    this.#sent.set(id, batch)
    const { bytes, usedBytes } = batch.writer.finish()
    this.#post({ kind: 'batch', id, bytes, usedBytes }, [bytes])
  }

  #post(message: ToWorker, transferred: readonly ArrayBuffer[] = []): void {
    this.#worker.postMessage(message, transferred)
  }

  #take(message: FromWorker): void {
    if (message.kind === 'stats') this.#forStats.shift()?.resolve(message.stats)
    if (message.kind !== 'settled') return
    const batch = this.#sent.get(message.id)
    if (batch === undefined) return
    this.#sent.delete(message.id)
    this.#release(batch.puts.length, batch.bytes)
    const failures = new Map(message.failures.map(failure => [failure.index, failure]))
    batch.puts.forEach((put, index) => {
      const failure = failures.get(index)
      if (failure === undefined) put.resolve()
      else put.reject(new ThreadPutError(failure.code, failure.message, failure.retryable))
    })
  }

  #release(records: number, bytes: number): void {
    this.#pendingRecords -= records
    this.#pendingBytes -= bytes
    for (const go of this.#forRoom.splice(0)) go()
  }

  /** It is not known whether Kinesis has the records of the batches that were on their way. */
  #end(message: string): void {
    if (this.#ended !== undefined) return
    this.#ended = new ThreadPutError('THREAD_ENDED', message, true)
    clearTimeout(this.#open?.timer)
    const batches = [...this.#sent.values(), ...(this.#open === undefined ? [] : [this.#open])]
    this.#sent.clear()
    this.#open = undefined
    for (const { puts, bytes } of batches) {
      this.#release(puts.length, bytes)
      for (const { reject } of puts) reject(this.#ended)
    }
    for (const { reject } of this.#forStats.splice(0)) reject(this.#ended)
    for (const go of this.#forRoom.splice(0)) go()
  }
}
