/**
 * One cold start: `cold-start-process.js WAY ENDPOINT`.
 * Invariant: nothing is imported before the clock is read.
 */
import type { Milestones } from './cold-start.bench.ts'

const REGION = 'us-east-1'
const CREDENTIALS = { accessKeyId: 'any', secretAccessKey: 'any' }
const RECORD = { partitionKey: 'user-1', data: Buffer.from('the first record') }

const startedMs = performance.now()
const [way, endpoint] = process.argv.slice(2)
const importedMs = way === 'kinesis-producer' ? await startOurs() : await startSdk()
const { user, system } = process.cpuUsage()
const milestones: Milestones = {
  startedMs,
  importedMs,
  acknowledgedMs: performance.now(),
  cpuMs: (user + system) / 1000
}
process.send!(milestones, () => process.exit(0))

/** Returns when the import was done. */
async function startOurs(): Promise<number> {
  const { KinesisProducer } = await import('../src/index.ts')
  const nowMs = performance.now()
  const producer = new KinesisProducer({ streamName: 'bench', region: REGION, endpoint, credentials: CREDENTIALS })
  const acknowledged = producer.put(RECORD)
  await producer.flush()
  await acknowledged
  return nowMs
}

async function startSdk(): Promise<number> {
  const { KinesisClient, PutRecordCommand } = await import('@aws-sdk/client-kinesis')
  const nowMs = performance.now()
  const client = new KinesisClient({ region: REGION, endpoint: endpoint!, credentials: CREDENTIALS })
  const { partitionKey, data } = RECORD
  await client.send(new PutRecordCommand({ StreamName: 'bench', PartitionKey: partitionKey, Data: data }))
  return nowMs
}
