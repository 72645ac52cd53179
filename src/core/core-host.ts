/**
 * The calls of the core to the outside world, and the types of their arguments. One interface: `KinesisProducer` and the
 * simulation each implement it.
 * Invariant: types only.
 */
import type { LaneBatch } from '../lanes/lane.ts'
import type { Random } from '../model/ports.ts'
import type { Spells } from '../stats/spells.ts'
import type { Stream } from './stream.ts'

/** None of these may call back before they return. */
export interface CoreHost {
  readonly random: Random
  /** Whether `send` looks at no entry any more once it was answered: see `Transport.readsUntilAnswered`. */
  readonly readsUntilAnswered?: boolean | undefined
  /** Told what a log is to say. */
  readonly spells?: Spells | undefined
  /** Makes a request; its result goes to `Core.landed`. */
  send(flight: Flight): void
  /** Asks for the listing: the answer goes to `Core.listed`. */
  fetchShards(stream: Stream): void
  /** Asks for the summary: the answer goes to `Core.described`. */
  fetchSummary(stream: Stream): void
  /** Calls `Core.wake` once, at or after this time, in place of the time asked for before; Infinity: not at all. */
  wakeAt(atMs: number): void
  warn(code: string, message: string): void
  /** A user's callback threw. */
  callbackThrew(error: unknown): void
}

/** A request under way. */
export interface Flight {
  readonly stream: Stream
  readonly batch: LaneBatch
  /** When nobody waits for the answer any more, should the transport never give one. */
  readonly giveUpMs: number
}

/** The reason that a listing or a summary failed. */
export interface CallFailure {
  /** The service's, or Node.js's. */
  readonly errorCode: string
  /** For a log. */
  readonly text: string
}
