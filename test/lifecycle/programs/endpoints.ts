/**
 * Services on loopback that answer as a scenario wants, or do not.
 * Invariant: whatever listens is closed by `closeEndpoints`.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { type AddressInfo, createServer as createTcpServer } from 'node:net'
import { text } from 'node:stream/consumers'

export type Answer = (request: IncomingMessage, response: ServerResponse, body: string) => void

const closers: (() => void)[] = []

/** Returns an endpoint whose every request is given to `answer`; without one, an endpoint at which nobody listens. */
export async function endpointOf(answer: Answer | undefined): Promise<string> {
  const server = createServer(async (request, response) => {
    request.on('error', () => {})
    answer?.(request, response, await text(request).catch(() => ''))
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const close = () => {
    server.close()
    server.closeAllConnections()
  }
  if (answer === undefined) close()
  else closers.push(close)
  return `http://127.0.0.1:${port}`
}

/** Returns an https endpoint at which somebody speaks another protocol. */
export async function tcpEndpoint(): Promise<string> {
  const server = createTcpServer(socket => socket.on('error', () => {}).end('220 mail.example.com ESMTP\r\n'))
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  closers.push(() => server.close())
  return `https://127.0.0.1:${(server.address() as AddressInfo).port}`
}

export function closeEndpoints(): void {
  for (const close of closers) close()
}
