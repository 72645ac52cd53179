/**
 * What whoever waits for room in the buffer waits on.
 * Invariant: settles at most once; a refusal that nobody waits for is no unhandled rejection.
 */
export class Room {
  readonly promise: Promise<void>
  #resolve: (refusal?: Promise<never>) => void = () => {}

  constructor() {
    this.promise = new Promise<void>(resolve => {
      this.#resolve = resolve
    })
    // Whoever waits hears of a close; nobody waiting is no fault.
    this.promise.catch(() => {})
  }

  /** There is room, or with `refusal` there will be none. */
  settle(refusal?: Promise<never>): void {
    this.#resolve(refusal)
  }
}
