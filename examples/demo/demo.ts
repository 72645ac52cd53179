/**
 * The demo's story: produce, disturb, read back, verify.
 * Invariant: whatever happens, the producer and the target are closed.
 */
import { KinesisProducer } from '../../src/index.ts'
import type { DemoArguments } from './arguments.ts'
import { Progress } from './progress.ts'
import { isSound, report } from './report.ts'
import { openTarget, type Target } from './target.ts'
import { type Verification, verify } from './verify.ts'
import { Workload, type WorkloadOptions } from './workload.ts'

export interface DemoResult {
  readonly verification: Verification
  readonly isSound: boolean
  readonly workload: Workload
  readonly bufferMaxBytes: number
  readonly text: string
}

const THROTTLED_MS = 2_000
const DOWN_MS = 3_000
const CLOSE_MS = 10_000

/** Runs the demo, telling `out`. `signal` stops producing; what was put is still verified. */
export async function runDemo(args: DemoArguments, out: NodeJS.WriteStream, signal: AbortSignal): Promise<DemoResult> {
  const target = await openTarget(args)
  try {
    return await play(args, target, out, signal)
  } finally {
    await target.close()
  }
}

async function play(
  args: DemoArguments,
  target: Target,
  out: NodeJS.WriteStream,
  signal: AbortSignal
): Promise<DemoResult> {
  const startedAt = Date.now()
  const producer = new KinesisProducer(target.producerOptions)
  const disturbances: Promise<unknown>[] = []
  const events = eventsOf(
    args,
    target,
    text => progress.say(text),
    disturbance => {
      workload.disturb()
      disturbances.push(disturbance)
    }
  )
  const workload = new Workload(producer, { ...args, signal, events })
  const progress = new Progress(out, producer, workload, args.records)
  progress.say(`Target: ${target.title}.`)
  progress.say(`Producing ${args.records.toLocaleString('en-US')} records of 100 bytes.`)
  progress.start()
  await workload.run()
  if (signal.aborted) progress.say(`Stopped: ${producer.stats().bufferedRecords} records outstanding, closing.`)
  await Promise.all(disturbances)
  await producer.close({ timeoutMs: CLOSE_MS + args.records / 10 })
  progress.stop()
  progress.say('Reading everything back, as a KCL consumer would.')
  const from = args.stream === undefined ? 'TRIM_HORIZON' : { timestampMs: startedAt }
  const verification = await verify(target.client, target.streamName, from, workload.answers)
  const stats = producer.stats()
  const { bufferMaxBytes } = stats
  const text = report(stats, workload, verification, bufferMaxBytes)
  return { verification, isSound: isSound(verification), workload, bufferMaxBytes, text }
}

/** What happens to the stream on the way, by the part of the records that has been put. */
function eventsOf(
  args: DemoArguments,
  target: Target,
  say: (text: string) => void,
  disturb: (disturbance: Promise<unknown>) => void
): WorkloadOptions['events'] {
  if (!args.reshard) return []
  const events = [
    {
      atPart: 0.4,
      run: () => disturb(target.split().then(shardId => say(`Splitting ${shardId}.`)))
    }
  ]
  const { throttle, restart } = target
  if (throttle !== undefined) {
    events.push({
      atPart: 0.6,
      run: () => {
        const { shardId, end } = throttle()
        say(`Throttling ${shardId} for ${THROTTLED_MS / 1000} s.`)
        disturb(new Promise<void>(resolve => setTimeout(resolve, THROTTLED_MS)).then(end))
      }
    })
  }
  if (args.killServer && restart !== undefined) {
    events.push({
      atPart: 0.5,
      run: () => {
        say(`Stopping the server for ${DOWN_MS / 1000} s.`)
        disturb(restart(DOWN_MS).then(() => say('The server is back.')))
      }
    })
  }
  return events
}
