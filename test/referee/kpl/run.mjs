/**
 * The real KPL (Java and its native daemon) against our fake Kinesis over TLS, read back by our de-aggregation.
 * Needs Java 17 and Maven, so it is no part of `npm test`:
 *
 *   npm run build:dev && node test/referee/kpl/run.mjs
 *
 * Invariant: exits with 0 only if every record that the KPL acknowledged is in the stream, whole.
 */
import { execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { deaggregateAll } from '../../../build/src/deaggregate.js'
import { startFakeKinesisServer } from '../../../build/src/testing/index.js'

const RECORDS = 2000
const here = fileURLToPath(new URL('.', import.meta.url))
const pem = name => readFileSync(join(here, '../../testing', name))
const work = mkdtempSync(join(tmpdir(), 'kpl-'))
const classpathFile = join(work, 'classpath')

execFileSync('mvn', ['-q', '-B', 'compile', 'dependency:build-classpath', `-Dmdep.outputFile=${classpathFile}`], {
  cwd: here,
  stdio: 'inherit'
})
const server = await startFakeKinesisServer({
  tls: { key: pem('self-signed-key.pem'), cert: pem('self-signed-cert.pem') }
})
server.kinesis.createStream({ StreamName: 'kpl', ShardCount: 2 })
const classpath = [join(here, 'target/classes'), readFileSync(classpathFile, 'utf8').trim()].join(':')
const kpl = spawn('java', ['-cp', classpath, 'PutWithKpl', String(server.port)], {
  stdio: ['ignore', 'pipe', 'ignore'],
  // It has static credentials; without this it asks the instance metadata address all the same.
  env: { ...process.env, AWS_EC2_METADATA_DISABLED: 'true' }
})
let acknowledged = ''
kpl.stdout.on('data', chunk => {
  acknowledged += chunk
})
await new Promise(resolve => kpl.on('exit', resolve))

const stored = server.kinesis.storedRecords('kpl')
const shapes = stored.map(({ data, partitionKey, sequenceNumber }) => ({
  Data: data,
  PartitionKey: partitionKey,
  SequenceNumber: sequenceNumber
}))
const read = new Set(
  [...deaggregateAll(shapes)].map(({ partitionKey, data }) => `${partitionKey} ${Buffer.from(data)}`)
)
const found = Array.from({ length: RECORDS }, (_, i) => `key-${i % 50} record ${i}`).filter(text =>
  read.has(text)
).length
await server.close()
process.stdout.write(
  `acknowledged by the KPL: ${acknowledged.trim()}, Kinesis records: ${stored.length}, user records found: ${found}\n`
)
process.exitCode = Number(acknowledged) === RECORDS && found === RECORDS ? 0 : 1
