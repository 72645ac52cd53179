/**
 * The thread of the producer: batches come in, and for each of them one message goes back when all of its records have settled.
 * Invariant: every batch is answered before 'closed' is said; the thread ends by itself after that.
 */
import { type MessagePort, parentPort, workerData } from 'node:worker_threads'
import { KinesisProducer } from '../../src/index.ts'
import { readBatch } from './batch.ts'
import type { FromWorker, ToWorker } from './messages.ts'

const port = parentPort as MessagePort
const producer = new KinesisProducer(workerData)
const open = new Set<Promise<void>>()

port.on('message', (message: ToWorker) => {
  switch (message.kind) {
    case 'batch': {
      const stored = store(message).finally(() => open.delete(stored))
      open.add(stored)
      break
    }
    case 'stats':
      send({ kind: 'stats', stats: producer.stats() })
      break
    case 'close':
      void close(message.timeoutMs)
  }
})

async function store({ id, ...batch }: Extract<ToWorker, { kind: 'batch' }>): Promise<void> {
  // putMany waits for room in the producer's buffer.
  const { results } = await producer.putMany(readBatch(batch))
  const failures = results.flatMap(({ error }, index) => {
    if (error === undefined) return []
    const { code, message, retryable } = error
    return [{ index, code, message, retryable }]
  })
  send({ kind: 'settled', id, failures })
}

async function close(timeoutMs: number): Promise<void> {
  const result = await producer.close({ timeoutMs })
  await Promise.all(open)
  send({ kind: 'closed', result })
  port.close()
}

function send(message: FromWorker): void {
  port.postMessage(message)
}
