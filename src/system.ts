/**
 * The real clock and the real randomness: the only file that may touch `performance`, `setTimeout` or `Math.random`.
 * Invariant: no state but the warnings already printed; everything else receives these through its parameters.
 */
import { randomUUID } from 'node:crypto'
import type { Clock, Random, TimeOfDay, Timer } from './model/ports.ts'

/** setTimeout holds 31 bits of milliseconds; a later wake-up simply comes early and is armed again. */
const MAX_TIMEOUT_MS = 2_147_483_647

/** Of `2026-11-28T01:30:00.000Z` up to the seconds. */
const ISO_SECONDS = 19

/** When the process started, in epoch milliseconds. At today's size a double still tells 0.0003 ms apart. */
const ORIGIN_MS = performance.timeOrigin

/**
 * The monotonic clock, in epoch milliseconds: the time of day when the process started, and what has passed since. Later
 * corrections of the time of day are not in it. Its timers keep the process alive: they exist only while records are buffered,
 * and a process that ended then would lose them without an error.
 */
export const systemClock: Clock = {
  nowMs: () => ORIGIN_MS + performance.now(),
  schedule(atMs: number, wake: () => void): Timer {
    const delayMs = Math.min(MAX_TIMEOUT_MS, Math.max(0, Math.ceil(atMs - systemClock.nowMs())))
    const timeout = setTimeout(wake, delayMs)
    return { cancel: () => clearTimeout(timeout), unref: () => void timeout.unref() }
  }
}

/** The time of day, with its corrections: what a signature is made with. */
export const systemTimeOfDay: TimeOfDay = {
  nowMs: () => Date.now(),
  parse: text => Date.parse(text),
  longDate: atMs => `${new Date(atMs).toISOString().slice(0, ISO_SECONDS).replaceAll(/[-:]/g, '')}Z`
}

/** An id that no other request has. */
export const systemInvocationId = (): string => randomUUID()

/** Whether this is a Lambda function, whose requests carry the trace of the invocation that they belong to. */
export const isLambda = (): boolean => process.env['AWS_LAMBDA_FUNCTION_NAME'] !== undefined

export const systemRandom: Random = () => Math.random()

/** Prints a warning the way Node.js prints its own, once for each code and process. */
export function emitWarning(code: string, message: string): void {
  if (printed.has(code)) return
  printed.add(code)
  process.emitWarning(message, { type: 'KinesisProducerWarning', code })
}

const printed = new Set<string>()
