/**
 * A transport whose PutRecords are signed, hashed, encrypted and sent by a worker thread: what `offload: true` would be.
 * Invariant: data that has an ArrayBuffer of its own is transferred, not copied; it says nothing about using it again.
 */
import { Worker } from 'node:worker_threads'
import { createAwsTransport } from '../../src/aws/transport.ts'
import type {
  ProducerOptions,
  PutRecordsEntry,
  PutRecordsRequest,
  PutRecordsResponse,
  ShardHashRange,
  StreamRef,
  StreamSummary,
  Transport
} from '../../src/index.ts'
import { resolveOptions } from '../../src/model/resolve-options.ts'
import type { Answered, Asked } from './worker.ts'

interface Waiting {
  readonly resolve: (response: PutRecordsResponse) => void
  readonly reject: (error: Error) => void
}

export class OffloadTransport implements Transport {
  readonly #control: Transport
  readonly #worker: Worker
  readonly #waiting = new Map<number, Waiting>()
  #lastId = 0

  constructor(options: ProducerOptions) {
    this.#control = createAwsTransport({ ...resolveOptions(options), warn: () => {} })
    this.#worker = new Worker(new URL('./worker.js', import.meta.url), { workerData: options })
    this.#worker.on('message', ({ id, response, error }: Answered) => {
      const { resolve, reject } = this.#waiting.get(id)!
      this.#waiting.delete(id)
      if (response === undefined) reject(new Error(error))
      else resolve(response)
    })
  }

  putRecords({ stream, entries }: PutRecordsRequest): Promise<PutRecordsResponse> {
    const plain = entries.map(({ data, partitionKey, explicitHashKey }) => ({ data, partitionKey, explicitHashKey }))
    return new Promise((resolve, reject) => {
      const id = ++this.#lastId
      this.#waiting.set(id, { resolve, reject })
      const asked: Asked = { id, stream, entries: plain }
      this.#worker.postMessage(
        asked,
        plain.filter(ownsMemory).map(({ data }) => data.buffer as ArrayBuffer)
      )
    })
  }

  listShards(stream: StreamRef): Promise<readonly ShardHashRange[]> {
    return this.#control.listShards(stream)
  }

  describeStream(stream: StreamRef): Promise<StreamSummary> {
    return this.#control.describeStream(stream)
  }

  close(): void {
    this.#control.close()
    void this.#worker.terminate()
  }
}

function ownsMemory({ data }: PutRecordsEntry): boolean {
  return data.byteLength === data.buffer.byteLength
}
