/**
 * Runs the service until SIGTERM or SIGINT: then new connections are refused, the producer is closed, so that open requests get
 * their answers, and the process ends by itself.
 * Invariant: nothing keeps the process alive but the server and the producer.
 */
import { KinesisProducer } from '../../src/index.ts'
import { buildService } from './service.ts'

const { STREAM_NAME = 'orders', PORT = '3000' } = process.env

const producer = new KinesisProducer({
  streamName: STREAM_NAME,
  // A caller waits for each order: better to fail soon than to hold its request for two minutes.
  recordTtlMs: 5000,
  bufferMaxBytes: 16 * 1_048_576
})
const app = buildService(producer, { logger: true })

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.once(signal, () => {
    app.log.info(`${signal}: closing`)
    void app.close()
  })
}

await app.listen({ host: '127.0.0.1', port: Number(PORT) })
