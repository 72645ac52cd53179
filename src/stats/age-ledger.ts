/**
 * When the oldest unsettled record was accepted: records enter by their step (0.1 ms) of acceptance and leave by it.
 * Invariant: a record is counted in the last interval that begins at or before its step, so the answer is never too late,
 * and too early by at most one interval. Intervals are 100 ms long; a long outage doubles that instead of the memory.
 * Hot: one comparison and one sum for a record that enters.
 */

const INTERVAL_STEPS = 1_000
const MAX_INTERVALS = 1_024

interface Interval {
  readonly startStep: number
  unsettledCount: number
}

export class AgeLedger {
  #intervals: Interval[] = []
  #last: Interval = { startStep: Number.NEGATIVE_INFINITY, unsettledCount: 0 }
  #widthSteps = INTERVAL_STEPS
  #endStep = Number.NEGATIVE_INFINITY

  accepted(step: number): void {
    if (step >= this.#endStep) this.#startInterval(step)
    this.#last.unsettledCount++
  }

  settled(step: number, count: number): void {
    const interval = this.#intervals[this.#indexAt(step)]
    if (interval !== undefined) interval.unsettledCount -= count
  }

  /** When the oldest unsettled record was accepted; undefined when there is none. */
  get oldestStep(): number | undefined {
    this.#dropSettled()
    return this.#intervals[0]?.startStep
  }

  #startInterval(step: number): void {
    this.#dropSettled()
    if (this.#intervals.length >= MAX_INTERVALS) this.#halve()
    if (this.#intervals.length === 0) this.#widthSteps = INTERVAL_STEPS
    this.#last = { startStep: step, unsettledCount: 0 }
    this.#intervals.push(this.#last)
    this.#endStep = step + this.#widthSteps
  }

  #dropSettled(): void {
    let settledCount = 0
    while ((this.#intervals[settledCount]?.unsettledCount ?? 1) <= 0) settledCount++
    if (settledCount === 0) return
    this.#intervals.splice(0, settledCount)
    // The next record starts an interval of its own when the present one is gone.
    if (this.#intervals.length === 0) this.#endStep = Number.NEGATIVE_INFINITY
  }

  #halve(): void {
    const halved: Interval[] = []
    for (let i = 0; i < this.#intervals.length; i += 2) {
      const { startStep, unsettledCount } = this.#intervals[i]!
      halved.push({ startStep, unsettledCount: unsettledCount + (this.#intervals[i + 1]?.unsettledCount ?? 0) })
    }
    this.#intervals = halved
    this.#widthSteps *= 2
  }

  /** The interval that holds a time of acceptance; -1 when it is gone. */
  #indexAt(step: number): number {
    let low = 0
    let high = this.#intervals.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#intervals[middle]!.startStep <= step) low = middle + 1
      else high = middle
    }
    return low - 1
  }
}
