/**
 * A short run of the built package on whatever Node.js this is: loads every entry point, produces into a fake in memory,
 * reads back. `npm run build && node test/smoke/smoke.mjs`
 * Invariant: prints one line and exits with 0 only if every record was acknowledged and read back as it was put.
 */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'

const RECORD_COUNT = 1000
const require = createRequire(import.meta.url)
const manifest = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))

// The package by its own name: what `exports` leads to, as for anybody who has installed it.
const modules = {}
for (const [path, target] of Object.entries(manifest.exports)) {
  if (typeof target === 'string') continue
  const name = `${manifest.name}${path.slice(1)}`
  modules[path] = await import(name)
  assert.equal(Object.keys(require(name)).length, Object.keys(modules[path]).length, `require('${name}')`)
}
const { KinesisProducer } = modules['.']
const { FakeKinesis, InMemoryTransport } = modules['./testing']
const { deaggregateAll } = modules['./deaggregate']

const clock = {
  nowMs: () => performance.now(),
  schedule: (atMs, wake) => {
    const timeout = setTimeout(wake, Math.max(0, atMs - performance.now()))
    return { cancel: () => clearTimeout(timeout) }
  }
}
const kinesis = new FakeKinesis({ nowMs: clock.nowMs })
kinesis.createStream({ StreamName: 'smoke', ShardCount: 4 })
const producer = new KinesisProducer({ streamName: 'smoke' }, { transport: new InMemoryTransport({ kinesis, clock }) })

const records = Array.from({ length: RECORD_COUNT }, (_, index) => ({
  partitionKey: `key ${index % 100}`,
  data: `record ${String(index).padStart(4, '0')}`
}))
const startMs = performance.now()
for await (const { error } of producer.putAll(records)) assert.equal(error, undefined)
const durationMs = Math.round(performance.now() - startMs)
await producer.close()

const stored = kinesis.storedRecords('smoke').map(({ data, partitionKey, sequenceNumber }) => ({
  Data: data,
  PartitionKey: partitionKey,
  SequenceNumber: sequenceNumber
}))
const read = [...deaggregateAll(stored)]
  .map(({ partitionKey, data }) => ({ partitionKey, data: new TextDecoder().decode(data) }))
  .sort((left, right) => (left.data < right.data ? -1 : 1))
assert.deepEqual(read, records)

const counts = `${read.length} records read back from ${stored.length} Kinesis records, ${durationMs} ms`
process.stdout.write(`Node.js ${process.version}: ${Object.keys(modules).length} entry points, ${counts}\n`)
