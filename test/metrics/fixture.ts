/**
 * A producer's core on a virtual clock, with `stats` as the exporters read it.
 * Invariant: nothing happens in real time; what KinesisProducer does around the core is done here in the same order.
 */

import { pipelineOptions } from '../../src/core/pipeline-options.ts'
import { PipelineSet } from '../../src/core/pipeline-set.ts'
import type { Timer } from '../../src/model/ports.ts'
import { resolveOptions } from '../../src/model/resolve-options.ts'
import type { SettleCallback } from '../../src/model/results.ts'
import { Requests } from '../../src/producer/requests.ts'
import type { StatsCursor } from '../../src/stats/statistics.ts'
import { type ProducerStats, snapshot } from '../../src/stats/stats.ts'
import { Harness, type HarnessOptions, STREAM } from '../support/harness.ts'

/** Two keys that a stream of two shards puts into its first and its second. */
export const KEYS = ['key-1', 'key-0'] as const
export const SHARDS = ['shardId-000000000000', 'shardId-000000000001'] as const

export class Observed {
  /** Its own producer is idle. */
  readonly harness: Harness
  readonly #set: PipelineSet
  readonly #requests: Requests
  #timer: Timer | undefined

  constructor(options: HarnessOptions = {}) {
    this.harness = new Harness(options)
    const { shardCount, latencyMs, throughputLimits, seed, ...producerOptions } = options
    const { clock, transport } = this.harness
    this.#requests = new Requests({
      transport,
      clock,
      landed: (pipeline, batch, outcome) => {
        this.#set.complete(pipeline, batch, outcome)
        this.#settle()
      },
      listed: (pipeline, listing) => {
        this.#set.listed(pipeline, listing, clock.nowMs())
        this.#settle()
      },
      described: (pipeline, summary) => {
        this.#set.described(pipeline, summary, clock.nowMs())
        this.#settle()
      }
    })
    this.#set = new PipelineSet(pipelineOptions(resolveOptions({ streamName: STREAM, ...producerOptions })), {
      random: () => 0.5,
      send: (pipeline, batch) => this.#requests.send(pipeline, batch),
      fetchShards: pipeline => this.#requests.fetchShards(pipeline),
      fetchSummary: pipeline => this.#requests.fetchSummary(pipeline),
      warn: () => {},
      callbackThrew: error => {
        throw error
      }
    })
  }

  /** Opens the stream, so that its shard map is there, and lets a second pass. */
  async open(streamName: string = STREAM): Promise<this> {
    this.#set.open(streamName)
    this.#settle()
    await this.harness.pass(1_000)
    return this
  }

  put(partitionKey: string, data: string, settle: SettleCallback = () => {}, streamName: string = STREAM): void {
    this.#set.tryPut({ partitionKey, data, streamName }, settle, this.harness.clock.nowMs())
    this.#settle()
  }

  /** Puts, and lets a second pass. */
  async send(...records: readonly (readonly [partitionKey: string, data: string])[]): Promise<void> {
    for (const [partitionKey, data] of records) this.put(partitionKey, data)
    await this.harness.pass(1_000)
  }

  stats(cursor?: StatsCursor): ProducerStats {
    return snapshot(this.#set, this.harness.clock.nowMs(), cursor)
  }

  #settle(): void {
    const { clock } = this.harness
    this.#set.runSettlements(clock.nowMs())
    this.#timer?.cancel()
    const { nextDeadlineMs } = this.#set
    if (nextDeadlineMs === Number.POSITIVE_INFINITY) return
    this.#timer = clock.schedule(nextDeadlineMs, () => {
      this.#set.advance(clock.nowMs())
      this.#settle()
    })
  }
}
