/**
 * One cold start: `cold-start-process.js import PACKAGE`, or `cold-start-process.js put PACKAGE ENDPOINT`.
 * Runs in a project that has the packed package, so it names packages as a user does.
 * Invariant: no package is imported before the clock is read.
 */
import type { Milestones } from './cold-start.bench.ts'

const REGION = 'us-east-1'
const CREDENTIALS = { accessKeyId: 'any', secretAccessKey: 'any' }
const RECORD = { partitionKey: 'user-1', data: Buffer.from('the first record') }

const startedMs = performance.now()
const [task, name, endpoint] = process.argv.slice(2)
const imported = await import(name!)
const importedMs = performance.now()
if (task === 'put') await ('KinesisProducer' in imported ? putByOurs(imported) : putBySdk(imported))
const { user, system } = process.cpuUsage()
const milestones: Milestones = {
  startedMs,
  importedMs,
  acknowledgedMs: performance.now(),
  cpuMs: (user + system) / 1000
}
process.send!(milestones, () => process.exit(0))

async function putByOurs({ KinesisProducer }: typeof import('../src/index.ts')): Promise<void> {
  const producer = new KinesisProducer({ streamName: 'bench', region: REGION, endpoint, credentials: CREDENTIALS })
  const acknowledged = producer.put(RECORD)
  await producer.flush()
  await acknowledged
}

async function putBySdk({ KinesisClient, PutRecordCommand }: typeof import('@aws-sdk/client-kinesis')): Promise<void> {
  const client = new KinesisClient({ region: REGION, endpoint: endpoint!, credentials: CREDENTIALS })
  const { partitionKey, data } = RECORD
  await client.send(new PutRecordCommand({ StreamName: 'bench', PartitionKey: partitionKey, Data: data }))
}
