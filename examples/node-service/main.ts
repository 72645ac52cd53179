/**
 * A service on plain node:http that ends in good order at SIGTERM. The program of docs/delivery.md, "Ending a service", is made
 * of this file.
 * Invariant: 201 only for an order that is stored; every request is answered within ten seconds of the signal, also in an outage.
 */
import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import { text } from 'node:stream/consumers'
import { setTimeout } from 'node:timers/promises'
import { InvalidRecordError, KinesisProducer, ProducerError } from '../../src/index.ts'

const DRAIN_MS = 5_000 // open requests get their normal answers
const CLOSE_MS = 5_000 // then the producer waits for acknowledgements
const CUT_MS = 1_000 // then clients may take their answers

const { STREAM_NAME = 'orders', PORT = '3000' } = process.env
const producer = new KinesisProducer({ streamName: STREAM_NAME })
let isClosing = false

const server = createServer(async (request, response) => {
  const status = isClosing ? 503 : await store(request)
  if (isClosing) response.setHeader('connection', 'close') // checked again: the signal may have come during the put
  if (status === 429 || status === 503) response.setHeader('retry-after', 1)
  response.writeHead(status).end()
}).listen(Number(PORT))

async function store(request: IncomingMessage): Promise<number> {
  try {
    await producer.put({ partitionKey: request.url ?? '/', data: await text(request) }) // POST /customer-42
    return 201
  } catch (error) {
    if (error instanceof InvalidRecordError) return 400
    if (!(error instanceof ProducerError)) return 500
    if (error.code === 'KPL_ERR_BUFFER_FULL') return 429
    return error.retryable || error.code === 'KPL_ERR_CLOSED' ? 503 : 500
  }
}

for (const signal of ['SIGTERM', 'SIGINT']) process.once(signal, end)

async function end(): Promise<void> {
  if (isClosing) return
  isClosing = true
  const closed = once(server, 'close')
  server.close() // no new connections
  await Promise.race([closed, wait(DRAIN_MS)])
  const { failed } = await producer.close({ timeoutMs: CLOSE_MS }) // now every put has settled
  await Promise.race([closed, wait(CUT_MS)])
  server.closeAllConnections()
  process.exitCode = failed === 0 ? 0 : 1
}

function wait(ms: number): Promise<void> {
  return setTimeout(ms, undefined, { ref: false }) // does not keep the process alive
}
