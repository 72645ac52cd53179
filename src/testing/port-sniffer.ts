/**
 * Tells HTTP/2 from HTTP/1.1 on one port, by what a connection says first.
 * Invariant: every byte read here reaches the chosen server; a connection that says nothing stays with the sniffer.
 *
 *   HTTP/2 preface := 'PRI * HTTP/2.0' ...     its first three bytes are enough: no HTTP/1.1 method begins so
 *
 * An HTTP/1.1 server takes a socket whose bytes were put back with `unshift`. An HTTP/2 session reads from the handle
 * below the socket and would miss them, so it gets a Duplex around the socket instead.
 */
import type { Socket } from 'node:net'
import { Duplex } from 'node:stream'

const PREFACE = Buffer.from('PRI')

export interface SniffedServers {
  readonly onHttp1: (socket: Socket) => void
  readonly onHttp2: (connection: Duplex) => void
}

/** Waits for the first bytes of `socket`, then hands it to one of `servers`. */
export function sniffHttpVersion(socket: Socket, servers: SniffedServers): void {
  let head: Buffer = Buffer.alloc(0)
  const read = (): void => {
    for (let chunk: unknown = socket.read(); chunk !== null; chunk = socket.read()) {
      if (chunk instanceof Uint8Array) head = Buffer.concat([head, chunk])
    }
    const isUndecided = head.length < PREFACE.length && PREFACE.subarray(0, head.length).equals(head)
    if (isUndecided) return
    socket.off('readable', read)
    if (head.subarray(0, PREFACE.length).equals(PREFACE)) {
      servers.onHttp2(wrapSocket(socket, head))
      return
    }
    socket.unshift(head)
    servers.onHttp1(socket)
  }
  socket.on('readable', read)
}

/** Returns a Duplex over `socket` that gives `head` first. Destroying it with an error resets the connection. */
function wrapSocket(socket: Socket, head: Buffer): Duplex {
  const duplex = new Duplex({
    allowHalfOpen: true,
    read: () => void socket.resume(),
    write: (chunk, _encoding, done) => void socket.write(chunk, done),
    final: done => void socket.end(() => done()),
    destroy: (error, done) => {
      if (error === null) socket.destroy()
      else resetSocket(socket)
      done(null)
    }
  })
  socket.on('data', chunk => {
    if (!duplex.push(chunk)) socket.pause()
  })
  socket.on('end', () => duplex.push(null))
  socket.on('close', () => duplex.destroy())
  duplex.push(head)
  return duplex
}

/** Cuts the connection with RST where the runtime can, else (TLS) without a closing handshake. */
export function resetSocket(socket: Socket): void {
  const isEncrypted = 'encrypted' in socket
  if (isEncrypted) socket.destroy()
  else socket.resetAndDestroy()
}
