/**
 * The soak's server process: a fake Kinesis whose faults and reshards go on by themselves, and that reads itself back.
 * Argument: the seed.
 * Invariant: a stream is deleted once it was read back, so memory is bounded by what a few periods store.
 */
import { setTimeout } from 'node:timers/promises'
import { FakeKinesis, FaultPlan, seededRandom, startFakeKinesisServer } from '../../src/testing/index.ts'
import { FaultScript } from './fault-script.ts'
import { liveBytes } from './health.ts'
import type { Message, Request } from './messages.ts'
import { Resharding } from './resharding.ts'
import { readBack } from './stream-reader.ts'

const START_SHARDS = 4
const UPDATING_MS = 200
const STATUS_MS = 5000
/** If reading back ever came to a halt, records would still not stay for ever. */
const RETENTION_MS = 600_000

const random = seededRandom(Number(process.argv[2] ?? 1))
const faults = new FaultPlan([], random.split('fault plan'))
const kinesis = new FakeKinesis({
  nowMs: () => performance.timeOrigin + performance.now(),
  updatingMs: UPDATING_MS,
  retentionMs: RETENTION_MS
})
let server = await startFakeKinesisServer({ kinesis, faults })
const resharding = new Resharding(kinesis, random.split('resharding'))
const script = new FaultScript({
  faults,
  random: random.split('fault script'),
  restart,
  shardIds: () => resharding.openShardIds()
})

async function restart(downMs: number): Promise<void> {
  const { port } = server
  await server.close()
  await setTimeout(downMs)
  server = await startFakeKinesisServer({ kinesis, faults, port })
}

async function answer(request: Request): Promise<void> {
  switch (request.kind) {
    case 'create':
      kinesis.createStream({ StreamName: request.stream, ShardCount: START_SHARDS })
      break
    case 'delete':
      kinesis.deleteStream({ StreamName: request.stream })
      break
    case 'read':
      tell(await readBack(kinesis, request.stream, request.generation, tell))
      break
    case 'calm':
      resharding.stop()
      script.stop()
      await running
      break
    case 'stop':
      clearInterval(statusTimer)
      await server.close()
      process.disconnect()
      return
  }
  tell({ kind: 'done', of: request.kind })
}

function tell(message: Message): void {
  process.send?.(message)
}

function tellStatus(): void {
  tell({
    kind: 'status',
    fault: script.fault,
    openShards: resharding.openShardIds().length,
    reshards: resharding.count,
    liveBytes: liveBytes(),
    rssBytes: process.memoryUsage.rss(),
    spells: script.spells
  })
}

process.on('message', message => void answer(message as Request))
// Without the soak there is no client to serve.
process.on('disconnect', () => process.exit())
const statusTimer = setInterval(tellStatus, STATUS_MS)
const running = Promise.all([script.run(), resharding.run()])
tell({ kind: 'ready', endpoint: server.endpoint })
