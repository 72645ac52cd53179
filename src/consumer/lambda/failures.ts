/**
 * Reports failures to the user.
 * Invariant: an error that `onError` throws or rejects with stays here, and becomes a process warning.
 */
import type { KinesisHandlerOptions, LambdaStreamRecord, LambdaUserRecord } from './event.ts'
import { placeOf } from './user-records.ts'

export class Failures {
  /** The first failure. The invocation rejects with it when it must fail as a whole. */
  first: { readonly error: unknown } | undefined
  readonly #onError: KinesisHandlerOptions['onError']
  readonly #telling: Promise<unknown>[] = []

  constructor(onError: KinesisHandlerOptions['onError']) {
    this.#onError = onError
  }

  /** `source`: the Kinesis record that the failure is about, if it is about one. */
  tell(error: unknown, record: LambdaUserRecord | undefined, source: LambdaStreamRecord | undefined): void {
    this.first ??= { error }
    if (this.#onError === undefined) {
      warn('KPL_WARN_RECORD_FAILED', [textOf(error), ...placeOf(source, record)].join(', '))
      return
    }
    try {
      const telling = this.#onError(error, record)
      if (telling !== undefined) this.#telling.push(new Promise(resolve => resolve(telling)).catch(threw))
    } catch (thrown) {
      threw(thrown)
    }
  }

  /** Resolves when every promise of `onError` is settled. */
  async told(): Promise<void> {
    await Promise.all(this.#telling)
  }
}

/** Prints a process warning. */
export function warn(code: string, message: string): void {
  process.emitWarning(message, { type: 'KinesisProducerWarning', code })
}

function threw(error: unknown): void {
  warn('KPL_WARN_CALLBACK_THREW', `onError threw: ${textOf(error)}`)
}

function textOf(error: unknown): string {
  try {
    return String(error)
  } catch {
    // The thrown value throws when its text is read, so there is no text.
    return 'an error without a text'
  }
}
