/**
 * Every bench there is, in the order in which they run.
 * Invariant: each verifies its own output before it is timed, and hands back a report.
 */
import type { Report } from './harness/report.ts'

type Load = () => Promise<{ run(): Promise<Report> }>

export const BENCHES: Readonly<Record<string, Load>> = {
  limits: () => import('./limits.bench.ts'),
  encode: () => import('./encode.bench.ts'),
  routing: () => import('./routing.bench.ts'),
  md5: () => import('./md5.bench.ts'),
  'put-path': () => import('./put-path.bench.ts'),
  scaling: () => import('./scaling.bench.ts'),
  'request-body': () => import('./request-body.bench.ts'),
  'end-to-end': () => import('./end-to-end.bench.ts'),
  fleet: () => import('./fleet.bench.ts'),
  latency: () => import('./latency.bench.ts'),
  memory: () => import('./memory.bench.ts'),
  steady: () => import('./steady.bench.ts'),
  'cold-start': () => import('./cold-start.bench.ts'),
  deaggregate: () => import('./deaggregate.bench.ts'),
  cli: () => import('./cli.bench.ts'),
  tail: () => import('./tail.bench.ts')
}
