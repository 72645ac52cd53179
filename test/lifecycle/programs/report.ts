/**
 * How a program hands its report to the test that runs it, and what all programs watch.
 * Invariant: nothing is written to stdout or stderr here; after `finish` the channel is closed and holds nothing open.
 */

/** What a library must never cause. */
export interface Disturbances {
  readonly warnings: string[]
  readonly unhandled: string[]
}

export function watchDisturbances(): Disturbances {
  const found: Disturbances = { warnings: [], unhandled: [] }
  process.on('warning', warning => found.warnings.push(`${warning.name}: ${warning.message}`))
  process.on('unhandledRejection', reason => found.unhandled.push(String(reason)))
  process.on('uncaughtException', error => {
    found.unhandled.push(String(error))
    // It may be the program's own, which then never reports.
    process.exitCode = 1
  })
  return found
}

/** Sends the report; the process then ends by itself, if nothing holds it. */
export function finish(report: object): void {
  process.send?.(report, undefined, undefined, () => process.disconnect())
}

/** Bytes of live objects, buffers included. */
export function liveBytes(): number {
  // Twice: the first turn may only queue what finalizers free.
  globalThis.gc?.()
  globalThis.gc?.()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}
