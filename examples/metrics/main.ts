/**
 * Puts a record ten times a second, and serves its metrics until SIGTERM: by prom-client at /metrics, by OpenTelemetry at
 * /opentelemetry.
 *
 *   npm run build:dev && STREAM_NAME=orders AWS_REGION=eu-west-1 node build/examples/metrics/main.js
 *
 * Invariant: the pages are there until the last record has settled, so that the last scrape misses nothing.
 */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { KinesisProducer } from '../../src/index.ts'
import { formatStats } from '../../src/metrics/index.ts'
import { openTelemetryHandler } from './opentelemetry.ts'
import { prometheusHandler } from './prometheus.ts'

const { STREAM_NAME = 'orders', PORT = '9464' } = process.env
const EVERY_MS = 100

const producer = new KinesisProducer({ streamName: STREAM_NAME })
const prometheus = prometheusHandler(producer)
const telemetry = openTelemetryHandler(producer)
const server = createServer((request, response) => {
  if (request.url === '/metrics') prometheus(request, response)
  else if (request.url === '/opentelemetry') telemetry.handler(request, response)
  else response.writeHead(404).end()
})
let count = 0
function putNext(): void {
  const data = `record ${++count}`
  producer.put({ partitionKey: data, data }).catch((error: Error) => console.error(error.message))
}
putNext()
const timer = setInterval(putNext, EVERY_MS)

server.listen(Number(PORT))
await once(server, 'listening')
console.log(`metrics at http://localhost:${(server.address() as AddressInfo).port}/metrics`)

await once(process, 'SIGTERM')
clearInterval(timer)
await producer.close({ timeoutMs: 10_000 })
await telemetry.close()
server.close()
server.closeAllConnections()
console.log(formatStats(producer.stats()))
