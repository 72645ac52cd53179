/**
 * Callers who share one answer, as the promises of `put` do, without a promise: whoever joined is called once answers can be taken.
 * Invariant: the n-th caller of the same members takes the n-th answer; an answer that comes later calls its caller then.
 */
import { SharedAnswer } from '../../src/core/shared-answer.ts'
import { RecordFailedError } from '../../src/model/errors.ts'
import type { Joiner, Members, SharedSettle } from '../../src/model/kinesis-record.ts'
import type { PutResult, SettleCallback } from '../../src/model/results.ts'

/** An answer of a record that moved; `caller` is set when it is taken. */
interface Later {
  caller: SettleCallback | undefined
}

export class JoinedCallers implements Joiner {
  readonly settle = undefined
  readonly #callerThrew: () => void
  /** Of the put under way. */
  #caller: SettleCallback | undefined

  constructor(callerThrew: () => void) {
    this.#callerThrew = callerThrew
  }

  /** Returns this, as the settler of one put. */
  of(caller: SettleCallback): this {
    this.#caller = caller
    return this
  }

  open(members: Members): SharedSettle {
    const shared = new SharedAnswer<Later>(members, later)
    const callers: SettleCallback[] = []
    const tellAll = () => {
      for (const caller of callers.splice(0)) this.#tell(caller, shared)
    }
    return {
      join: () => void callers.push(this.#caller!),
      decide: answerOf => {
        shared.decide(answerOf)
        tellAll()
      },
      leave: index => shared.leave(index),
      end: tellAll
    }
  }

  #tell(caller: SettleCallback, shared: SharedAnswer<Later>): void {
    let answer: PutResult | Later
    try {
      answer = shared.take()
    } catch (error) {
      if (!(error instanceof RecordFailedError)) throw error
      this.#call(() => caller(error, undefined))
      return
    }
    if ('caller' in answer) answer.caller = caller
    else this.#call(() => caller(undefined, answer))
  }

  #call(tell: () => void): void {
    try {
      tell()
    } catch {
      // Not swallowed: counted, as a producer tells of a callback that threw.
      this.#callerThrew()
    }
  }
}

function later(): { readonly answer: Later; readonly settle: SettleCallback } {
  const answer: Later = { caller: undefined }
  return { answer, settle: (error, result) => answer.caller?.(error, result) }
}
