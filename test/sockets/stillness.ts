/**
 * Tells when nothing moves any more between a producer and a proxy, so that only time can change anything.
 * Invariant: while a byte is on its way in either direction it is not still, however slow the machine is. Nothing here
 * looks at a clock.
 */
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { ClientRequest } from 'node:http'
import type { ChaosProxy } from './chaos-proxy.ts'

const STARTED = 'http.client.request.start'

export class Stillness {
  readonly #proxy: ChaosProxy
  /** Requests to the proxy that are neither answered nor given up. */
  readonly #open = new Set<ClientRequest>()
  readonly #onStart = (message: unknown): void => {
    const { request } = message as { request: ClientRequest }
    if (!String(request.getHeader('host')).endsWith(`:${this.#proxy.port}`)) return
    this.#open.add(request)
    request.once('close', () => this.#open.delete(request))
  }

  constructor(proxy: ChaosProxy) {
    this.#proxy = proxy
    subscribe(STARTED, this.#onStart)
  }

  /** `inFlightCount`: PutRecords that the producer has begun; between its beginning and the socket a request is under way. */
  isStill(inFlightCount: number): boolean {
    const open = [...this.#open]
    const puts = open.filter(request => String(request.getHeader('x-amz-target')).endsWith('.PutRecords'))
    return puts.length === inFlightCount && open.every(request => this.#isWaiting(request))
  }

  stop(): void {
    unsubscribe(STARTED, this.#onStart)
  }

  /** Whether the request waits for a connection that others have, or for time to pass at the proxy. */
  #isWaiting({ socket }: ClientRequest): boolean {
    if (socket === null) return true
    return socket.localPort !== undefined && this.#proxy.isWaiting(socket.localPort, socket.bytesRead)
  }
}
