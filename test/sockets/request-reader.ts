/**
 * Reads requests from one connection, one after the other.
 * Invariant: takes no more from the system than it was asked for and what comes in the same piece, so that a client can
 * be kept waiting in the middle of its request.
 */
import type { Socket } from 'node:net'
import type { Clock } from '../../src/model/ports.ts'
import { headEnd, messageBytes, operationOf } from './http-framing.ts'

/** One client's connection. */
export interface Client {
  /** Below TLS, if there is any. */
  readonly raw: Socket
  readonly socket: Socket
  /** Resolves when the connection is closed. */
  readonly gone: Promise<void>
  /** Between the head of a request and the end of its answer. */
  isBusy: boolean
  /** Whether nothing happens on it before time passes, the test goes on or the client goes. */
  isWaiting: boolean
}

export interface RequestHead {
  readonly operation: string
  /** Head and body. */
  readonly bytes: number
}

export class RequestReader {
  readonly #client: Client
  #chunks: Buffer[] = []
  readonly #clock: Clock
  #bytes = 0

  constructor(client: Client, clock: Clock) {
    this.#client = client
    this.#clock = clock
  }

  /** Waits for a whole head; undefined when the client went before. */
  async head(): Promise<RequestHead | undefined> {
    for (;;) {
      const received = Buffer.concat(this.#chunks)
      const end = headEnd(received)
      if (end !== undefined) {
        return { operation: operationOf(received.subarray(0, end)), bytes: messageBytes(received, end) }
      }
      if (!(await this.#more())) return undefined
    }
  }

  /** Waits until `bytes` of the request are read, no faster than told; false when the client went before. */
  async upTo(bytes: number, bytesPerSecond = Number.POSITIVE_INFINITY): Promise<boolean> {
    const client = this.#client
    const { raw, gone } = client
    for (let pacedBytes = 0; ; ) {
      const delayMs = ((Math.min(this.#bytes, bytes) - pacedBytes) / bytesPerSecond) * 1000
      if (delayMs > 0) await waiting(client, Promise.race([pause(delayMs)(this.#clock), gone]))
      pacedBytes = this.#bytes
      if (raw.destroyed) return false
      if (this.#bytes >= bytes) return true
      if (!(await this.#more())) return false
    }
  }

  /** Returns the first `bytes`, which have been read, and goes on behind them. */
  take(bytes: number): Buffer {
    const received = Buffer.concat(this.#chunks)
    const rest = received.subarray(bytes)
    this.#chunks = rest.length === 0 ? [] : [rest]
    this.#bytes = rest.length
    return received.subarray(0, bytes)
  }

  async #more(): Promise<boolean> {
    const { socket, gone } = this.#client
    for (;;) {
      const chunk: Buffer | null = socket.read()
      if (chunk !== null) {
        this.#chunks.push(chunk)
        this.#bytes += chunk.length
        return true
      }
      if (socket.readableEnded || socket.destroyed) return false
      await Promise.race([new Promise(resolve => socket.once('readable', resolve)), gone])
    }
  }
}

/** Marks the client as waiting until the promise settles. */
export async function waiting<Value>(client: Client, promise: Promise<Value>): Promise<Value> {
  client.isWaiting = true
  try {
    return await promise
  } finally {
    client.isWaiting = false
  }
}

/** Returns a step that takes this long. */
export function pause(delayMs: number): (clock: Clock) => Promise<void> {
  return clock => new Promise(resolve => void clock.schedule(clock.nowMs() + delayMs, resolve))
}
