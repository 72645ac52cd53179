/**
 * A server in a thread of its own, so that it answers while the thread of the test stands still.
 * Invariant: it tells when a request has come whole, and answers `delayMs` after that.
 */
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { JSON_TYPE, onClose } from './fixture.ts'

// Plain JavaScript: a worker does not read TypeScript here.
const CODE = `
const { createServer } = require('node:http')
const { parentPort, workerData } = require('node:worker_threads')
const server = createServer((request, response) => {
  request.resume().on('end', () => {
    parentPort.postMessage('came')
    if (workerData.delayMs < 0) return
    setTimeout(() => {
      response.writeHead(200, { 'content-type': workerData.type })
      response.end(workerData.answer, () => parentPort.postMessage('answered'))
    }, workerData.delayMs)
  })
})
server.listen(0, '127.0.0.1', () => parentPort.postMessage(server.address().port))
`

export interface AnsweringWorker {
  readonly endpoint: string
  /** Resolves when the next request has come whole. */
  readonly came: () => Promise<void>
}

/** `delayMs` below 0: it never answers. */
export async function answeringWorker(answer: string, delayMs: number): Promise<AnsweringWorker> {
  const worker = new Worker(CODE, { eval: true, workerData: { answer, delayMs, type: JSON_TYPE } })
  onClose(() => worker.terminate())
  const [port] = (await once(worker, 'message')) as [number]
  return {
    endpoint: `http://127.0.0.1:${port}`,
    came: async () => {
      await once(worker, 'message')
    }
  }
}
