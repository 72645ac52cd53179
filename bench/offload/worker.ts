/**
 * The transport in a worker thread: entries come in by transfer, answers go back.
 * Invariant: every request that came is answered once.
 */
import { parentPort, workerData } from 'node:worker_threads'
import { createAwsTransport } from '../../src/aws/transport.ts'
import type { PutRecordsRequest, PutRecordsResponse } from '../../src/index.ts'
import { resolveOptions } from '../../src/model/resolve-options.ts'

export interface Asked extends Pick<PutRecordsRequest, 'stream' | 'entries'> {
  readonly id: number
}

export interface Answered {
  readonly id: number
  readonly response?: PutRecordsResponse
  readonly error?: string
}

const port = parentPort!
const transport = createAwsTransport({ ...resolveOptions(workerData), warn: () => {} })

port.on('message', ({ id, stream, entries }: Asked) => {
  const answer = (answered: Answered) => port.postMessage(answered)
  transport.putRecords({ stream, entries }).then(
    response => answer({ id, response }),
    (error: unknown) => answer({ id, error: String(error) })
  )
})
