/**
 * Puts records at a steady pace into whichever ledger is the present one.
 * Invariant: a record counts as put when the producer took it; what a full buffer delays is not made up for by a burst.
 */
import type { KinesisProducer } from '../../src/index.ts'
import type { Ledger } from './ledger.ts'
import { dataOf, keyOf } from './user-records.ts'

const TICK_MS = 5
const MAX_WAIT_MS = 1000

export class Workload {
  fullCount = 0
  readonly #producer: KinesisProducer
  readonly #recordsPerSecond: number

  constructor(producer: KinesisProducer, recordsPerSecond: number) {
    this.#producer = producer
    this.#recordsPerSecond = recordsPerSecond
  }

  /** Fills `ledger` for so long, or until it is full. */
  async run(ledger: Ledger, durationMs: number, signal: AbortSignal): Promise<void> {
    const startMs = performance.now()
    let owed = 0
    let lastMs = startMs
    while (!signal.aborted && !ledger.isFull) {
      const nowMs = performance.now()
      if (nowMs - startMs >= durationMs) return
      owed += (Math.min(MAX_WAIT_MS, nowMs - lastMs) * this.#recordsPerSecond) / 1000
      lastMs = nowMs
      while (owed >= 1 && !ledger.isFull) {
        if (!this.#tryPut(ledger)) {
          this.fullCount++
          await this.#producer.ready()
          lastMs = performance.now()
          owed = 0
        }
        owed--
      }
      await new Promise(resolve => setTimeout(resolve, TICK_MS))
    }
  }

  #tryPut(ledger: Ledger): boolean {
    const { generation, stream, count: index } = ledger
    const record = { streamName: stream, partitionKey: keyOf(index), data: dataOf(generation, index) }
    const isTaken = this.#producer.tryPut(record, (error, result) => ledger.settled(index, error, result))
    if (isTaken) ledger.count++
    return isTaken
  }
}
