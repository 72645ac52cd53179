/**
 * A client that the user made: what is sent with it, and what its user should know.
 * Invariant: nothing of it is changed, nor destroyed.
 */
import type { KinesisClientLike } from '../model/options.ts'
import { attemptCountOf } from './classify-failure.ts'
import type { Send } from './exchange.ts'

/** Returns the client's `send`, which throws what the client throws. `warn` gets each unwise setting, once. */
export function givenSend(client: KinesisClientLike, warn: (code: string, message: string) => void): Send {
  if (protocolOfHandler(client) === 'h2') {
    warn(
      'KPL_WARN_HTTP2_HANDLER',
      "The client uses the SDK's HTTP/2 handler, which by default opens a new TLS connection for every request: " +
        'give it a NodeHttpHandler of @smithy/node-http-handler, or give the producer region and credentials instead.'
    )
  }
  const send = client.send
  let isRetryKnown = false
  /** A real KinesisClient is held to one attempt by the exchange; this is for what hides one. */
  const noteAttempts = (value: unknown): void => {
    if (isRetryKnown || attemptCountOf(value) <= 1) return
    isRetryKnown = true
    warn(
      'KPL_WARN_SDK_RETRIES',
      'The client retries on its own, out of sight: records may be stored more than once, and a failure never says ' +
        'for certain that nothing was stored. Set its maxAttempts to 1.'
    )
  }
  return (command, options): Promise<unknown> => {
    const sent = Promise.resolve<unknown>(Reflect.apply(send, client, [command, options]))
    sent.then(noteAttempts, noteAttempts)
    return sent
  }
}

/** The protocol that the client's handler states: `'http/1.1'`, `'h2'`, or undefined. */
function protocolOfHandler(client: object): unknown {
  const handler = objectField(objectField(client, 'config'), 'requestHandler')
  const metadata = objectField(handler, 'metadata')
  return metadata === undefined ? undefined : Reflect.get(metadata, 'handlerProtocol')
}

function objectField(value: object | undefined, name: string): object | undefined {
  const field: unknown = value === undefined ? undefined : Reflect.get(value, name)
  return typeof field === 'object' && field !== null ? field : undefined
}
