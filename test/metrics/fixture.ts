/**
 * A producer's core on a virtual clock, with `stats` as the exporters read it.
 * Invariant: nothing happens in real time; the core is driven as KinesisProducer drives it.
 */

import { Core } from '../../src/core/core.ts'
import { streamOptions } from '../../src/core/stream-options.ts'
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
  readonly #core: Core
  readonly #requests: Requests
  #timer: Timer | undefined

  constructor(options: HarnessOptions = {}) {
    this.harness = new Harness(options)
    const { shardCount, latencyMs, throughputLimits, seed, ...producerOptions } = options
    const { clock, transport } = this.harness
    this.#requests = new Requests({ transport, clock, core: () => this.#core })
    this.#core = new Core(streamOptions(resolveOptions({ streamName: STREAM, ...producerOptions })), {
      random: () => 0.5,
      send: flight => this.#requests.send(flight),
      fetchShards: stream => this.#requests.fetchShards(stream),
      fetchSummary: stream => this.#requests.fetchSummary(stream),
      wakeAt: atMs => this.#wakeAt(atMs),
      warn: () => {},
      callbackThrew: error => {
        throw error
      }
    })
  }

  /** Opens the stream, so that its shard map is there, and lets a second pass. */
  async open(streamName: string = STREAM): Promise<this> {
    this.#core.open(streamName, this.harness.clock.nowMs())
    await this.harness.pass(1_000)
    return this
  }

  put(partitionKey: string, data: string, settle: SettleCallback = () => {}, streamName: string = STREAM): void {
    this.#core.tryPut({ partitionKey, data, streamName }, settle, this.harness.clock.nowMs())
  }

  /** Puts, and lets a second pass. */
  async send(...records: readonly (readonly [partitionKey: string, data: string])[]): Promise<void> {
    for (const [partitionKey, data] of records) this.put(partitionKey, data)
    await this.harness.pass(1_000)
  }

  stats(cursor?: StatsCursor): ProducerStats {
    return snapshot(this.#core, this.harness.clock.nowMs(), cursor)
  }

  #wakeAt(atMs: number): void {
    const { clock } = this.harness
    this.#timer?.cancel()
    if (atMs === Number.POSITIVE_INFINITY) return
    this.#timer = clock.schedule(atMs, () => this.#core.wake(clock.nowMs()))
  }
}
