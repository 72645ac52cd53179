/**
 * Every bench there is, in the order in which they run and in which the page shows them: what users ask for, then its parts.
 * Invariant: each verifies its own output before it is timed, and hands back a report, or says why it cannot run here.
 */
import type { Report, Skipped } from './harness/report.ts'

type Load = () => Promise<{ run(): Promise<Report | Skipped> }>

export const BENCHES: Readonly<Record<string, Load>> = {
  kpl: () => import('./kpl.bench.ts'),
  'end-to-end': () => import('./end-to-end.bench.ts'),
  service: () => import('./service.bench.ts'),
  'worker-thread': () => import('./worker-thread.bench.ts'),
  'put-path': () => import('./put-path.bench.ts'),
  fleet: () => import('./fleet.bench.ts'),
  latency: () => import('./latency.bench.ts'),
  memory: () => import('./memory.bench.ts'),
  steady: () => import('./steady.bench.ts'),
  'cold-start': () => import('./cold-start.bench.ts'),
  cli: () => import('./cli.bench.ts'),
  deaggregate: () => import('./deaggregate.bench.ts'),
  tail: () => import('./tail.bench.ts'),
  scaling: () => import('./scaling.bench.ts'),
  'request-body': () => import('./request-body.bench.ts'),
  encode: () => import('./encode.bench.ts'),
  md5: () => import('./md5.bench.ts'),
  routing: () => import('./routing.bench.ts'),
  limits: () => import('./limits.bench.ts')
}
