import { once } from 'node:events'
import { createServer } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { KinesisProducer } from '../../src/producer/kinesis-producer.ts'

const endings: (() => unknown)[] = []
afterEach(async () => {
  for (const end of endings.splice(0)) await end()
})

test('without a logger an endpoint that cannot be reached is announced once, with stream, host, port and reason', async () => {
  const port = await closedPort()
  const warnings: (Error & { code?: string })[] = []
  const onWarning = (warning: Error): void => void warnings.push(warning)
  process.on('warning', onWarning)
  endings.push(() => process.off('warning', onWarning))
  for (const streamName of ['orders', 'audit']) openProducer(streamName, port)

  await until(() => warnings.some(({ code }) => code === 'KPL_WARN_BREAKER_OPEN'))
  await new Promise(resolve => setImmediate(resolve))

  const ours = warnings.filter(({ code }) => code?.startsWith('KPL_WARN_'))
  expect(ours.map(({ code, message }) => [code, message.replace(/orders|audit/, 'STREAM')])).toEqual([
    [
      'KPL_WARN_BREAKER_OPEN',
      `stream STREAM: 5 requests to 127.0.0.1:${port} failed: ECONNREFUSED: connect ECONNREFUSED ` +
        `127.0.0.1:${port}. Its records wait for up to recordTtlMs, and one request at a time tries again. A logger shows more.`
    ]
  ])
})

function openProducer(streamName: string, port: number): void {
  const producer = new KinesisProducer({
    streamName,
    region: 'eu-west-1',
    endpoint: `http://127.0.0.1:${port}`,
    credentials: { accessKeyId: 'id', secretAccessKey: 'secret' },
    retryBaseMs: 1,
    retryCapMs: 1,
    recordMaxBufferedTimeMs: 1
  })
  producer.put({ partitionKey: 'k', data: 'x' }).catch(() => {})
  endings.push(() => producer.close({ timeoutMs: 0 }))
}

/** A port of this machine that nobody listens on. */
async function closedPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}

async function until(isDone: () => boolean): Promise<void> {
  while (!isDone()) await once(process, 'warning')
}
