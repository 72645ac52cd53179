/**
 * Watches the AbortSignals that records were put with: a signal enters with each record's ticket, and when it fires every
 * ticket of it that is still watched is taken back.
 * Invariant: one listener per signal and producer, however many records share it, and none once they have settled.
 */
import type { AbortTicket } from '../model/kinesis-record.ts'
import type { SettleCallback } from '../model/results.ts'

export class AbortWatch {
  readonly #abort: (tickets: Iterable<AbortTicket>) => void
  readonly #watched = new WeakMap<AbortSignal, Set<AbortTicket>>()

  constructor(abort: (tickets: Iterable<AbortTicket>) => void) {
    this.#abort = abort
  }

  /** Returns the ticket of a record about to be put. Throws the signal's reason when it has fired. */
  watch(signal: AbortSignal, settle: SettleCallback): AbortTicket {
    signal.throwIfAborted()
    const tickets = this.#watched.get(signal) ?? this.#listen(signal)
    const ticket: AbortTicket = {
      settle: (error, result) => {
        try {
          this.#forget(signal, tickets, ticket)
        } finally {
          // The record gets its error even if the signal throws.
          settle(error, result)
        }
      },
      streamName: '',
      members: undefined,
      index: 0
    }
    tickets.add(ticket)
    return ticket
  }

  /** The record was not taken after all. */
  unwatch(signal: AbortSignal, ticket: AbortTicket): void {
    const tickets = this.#watched.get(signal)
    if (tickets !== undefined) this.#forget(signal, tickets, ticket)
  }

  #listen(signal: AbortSignal): Set<AbortTicket> {
    const tickets = new Set<AbortTicket>()
    this.#watched.set(signal, tickets)
    signal.addEventListener('abort', this.#onAbort, { once: true })
    return tickets
  }

  #forget(signal: AbortSignal, tickets: Set<AbortTicket>, ticket: AbortTicket): void {
    tickets.delete(ticket)
    if (tickets.size > 0 || this.#watched.get(signal) !== tickets) return
    this.#watched.delete(signal)
    signal.removeEventListener('abort', this.#onAbort)
  }

  readonly #onAbort = ({ currentTarget }: Event): void => {
    const tickets = this.#watched.get(currentTarget as AbortSignal)
    // A copy: each ticket leaves the set as it settles.
    if (tickets !== undefined) this.#abort([...tickets])
  }
}
