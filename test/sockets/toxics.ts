/**
 * The catalogue of what goes wrong between a client and the service.
 * Invariant: each toxic says whether the service applied the request; a factory makes plain values and starts nothing.
 */
import type { ConnectionToxic, Step, Toxic } from './chaos-proxy.ts'
import { headEnd, httpAnswer } from './http-framing.ts'
import { pause } from './request-reader.ts'

/** Whether the request reached the service. */
export type Fate = 'applied' | 'lost'

const PIECE_BYTES = 65_536

// ------------------------------------------------------------------ slow

/** The answer comes late. */
export function latency(delayMs: number): Toxic {
  return spoiled('applied', answer => [pause(delayMs), answer])
}

/** The answer comes in pieces of `pieceBytes`, one every `everyMs`. */
export function drip(pieceBytes: number, everyMs: number): Toxic {
  return spoiled('applied', function* (answer) {
    for (let at = 0; at < answer.length; at += pieceBytes) {
      yield answer.subarray(at, at + pieceBytes)
      yield pause(everyMs)
    }
  })
}

/** The request is read at this speed. */
export function slowUpload(bytesPerSecond: number): Toxic {
  return { isApplied: true, readBytesPerSecond: bytesPerSecond, reply: answer => [answer] }
}

/** No answer ever. */
export function silence(fate: Fate): Toxic {
  return spoiled(fate, () => ['silence'])
}

/** The request reaches the service only when `until` is over, whether the client has given up or not. */
export function zombie(until: () => Promise<unknown>, applied: () => void): Toxic {
  const reply = (answer: Buffer): Step[] => {
    applied()
    return [answer]
  }
  return { isApplied: true, hold: until, reply }
}

/** The answer is good and says that the connection ends with it, but the end does not come before `until`. */
export function slowClose(until: () => Promise<unknown>): Toxic {
  return spoiled('applied', answer => [withHeader(answer, 'connection: close'), until, 'end'])
}

/** After the answer was sent, and before anybody can have read it, the whole process stands still. */
export function stall(standStill: () => void): Toxic {
  return spoiled('applied', answer => [answer, async () => standStill()])
}

// ------------------------------------------------------------------ cut

/** The connection is reset when this much of the request was read; the service gets nothing of it. */
export function resetAfterRequestBytes(bytes: number): Toxic {
  return { readBytes: bytes, isApplied: false, reply: () => ['reset'] }
}

/** The connection is reset when this much of the answer was sent. */
export function resetAfterAnswerBytes(bytes: number): Toxic {
  return spoiled('applied', answer => [answer.subarray(0, bytes), 'reset'])
}

/** The whole request arrives, then the connection is reset. */
export function resetInsteadOfAnswer(fate: Fate): Toxic {
  return spoiled(fate, () => ['reset'])
}

/** The answer lacks its last `missingBytes`, and the connection ends in good order. */
export function truncate(missingBytes: number): Toxic {
  return spoiled('applied', answer => [answer.subarray(0, answer.length - missingBytes), 'end'])
}

/** The answer's head comes, and then the end. */
export function endAfterHead(): Toxic {
  return spoiled('applied', answer => [answer.subarray(0, headEnd(answer)), 'end'])
}

// ------------------------------------------------------------------ wrong

/** Other bytes than the service's answer, then perhaps more. */
export function answerWith(fate: Fate, answer: Buffer, ...more: readonly Step[]): Toxic {
  return spoiled(fate, () => [answer, ...more])
}

/** An answer that comes when only this much of the request was read. The rest is read after `until`. */
export function earlyAnswer(bytes: number, answer: Buffer, ...more: readonly Step[]): Toxic {
  return { readBytes: bytes, isApplied: false, reply: () => [answer, ...more] }
}

/** The answer's length is said to be `differenceBytes` more than it is, or less. */
export function wrongLength(differenceBytes: number): Toxic {
  return spoiled('applied', answer => {
    const body = answer.subarray(headEnd(answer))
    return [httpAnswer('200 OK', body, { 'content-length': `${body.length + differenceBytes}` })]
  })
}

/** The answer comes twice, in one piece. */
export function twice(): Toxic {
  return spoiled('applied', answer => [Buffer.concat([answer, answer])])
}

/** The answer comes, and `copy` is told it. */
export function copied(copy: (answer: Buffer) => void): Toxic {
  return spoiled('applied', answer => {
    copy(answer)
    return [answer]
  })
}

/** An answer whose body does not end before the client cuts it. */
export function endless(fate: Fate, status: string): Toxic {
  return spoiled(fate, function* () {
    yield httpAnswer(status, '{"Records":[],"Padding":"', { 'content-length': '1000000000000' })
    const piece = Buffer.alloc(PIECE_BYTES, 'x')
    for (;;) yield piece
  })
}

// ------------------------------------------------------------------ connections

/** Accepted and reset at once. */
export const RESET_AT_ONCE: ConnectionToxic = { isAfterFirstBytes: false, steps: ['reset'] }
/** Reset at the first bytes: with TLS in the middle of its handshake. */
export const RESET_AT_FIRST_BYTES: ConnectionToxic = { isAfterFirstBytes: true, steps: ['reset'] }
/** Ended at the first bytes. */
export const END_AT_FIRST_BYTES: ConnectionToxic = { isAfterFirstBytes: true, steps: ['end'] }
/** Accepted, and then nothing: with TLS a handshake that hangs. */
export const BLACK_HOLE: ConnectionToxic = { isAfterFirstBytes: false, steps: ['silence'] }
/** Somebody who speaks neither TLS nor HTTP. */
export const STRANGER: ConnectionToxic = {
  isAfterFirstBytes: true,
  steps: [Buffer.from('SSH-2.0-OpenSSH_9.6\r\n'), 'silence']
}

function spoiled(fate: Fate, reply: (answer: Buffer) => Iterable<Step>): Toxic {
  return { isApplied: fate === 'applied', reply }
}

function withHeader(answer: Buffer, line: string): Buffer {
  const end = headEnd(answer) ?? 0
  return Buffer.concat([answer.subarray(0, end - 2), Buffer.from(`${line}\r\n\r\n`), answer.subarray(end)])
}
