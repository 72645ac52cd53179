/**
 * The program of a thread of `gen --workers`.
 * Invariant: it ends when its slice is done; nothing of it is loaded by the command itself.
 */
import { parentPort, workerData } from 'node:worker_threads'
import type { SliceJob } from './gen/slice-messages.ts'
import { runSliceThread } from './gen/slice-thread.ts'
import { processHost } from './process-host.ts'

const port = parentPort
if (port !== null) {
  // As the command made it.
  const job = workerData as SliceJob
  await runSliceThread(processHost(), job, {
    post: message => port.postMessage(message),
    onMessage: listener => void port.on('message', listener)
  })
  port.close()
}
