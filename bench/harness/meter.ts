/**
 * Wall time and CPU time of a piece of work in this process, all of its threads included.
 * Invariant: garbage of what came before is collected before the clock starts.
 */
export interface Spent {
  readonly wallMs: number
  readonly cpuMs: number
}

const MICROSECONDS_PER_MS = 1000

export async function meter(work: () => void | Promise<void>): Promise<Spent> {
  globalThis.gc?.()
  const startMs = performance.now()
  const startCpu = process.cpuUsage()
  await work()
  const { user, system } = process.cpuUsage(startCpu)
  return { wallMs: performance.now() - startMs, cpuMs: (user + system) / MICROSECONDS_PER_MS }
}

/** For work that never waits. */
export function meterSync(work: () => void): Spent {
  globalThis.gc?.()
  const startMs = performance.now()
  const startCpu = process.cpuUsage()
  work()
  const { user, system } = process.cpuUsage(startCpu)
  return { wallMs: performance.now() - startMs, cpuMs: (user + system) / MICROSECONDS_PER_MS }
}

export function perSecond(count: number, ms: number): number {
  return (count * 1000) / ms
}
