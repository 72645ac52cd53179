/**
 * Where an HTTP/1.1 message ends, as far as the AWS SDK and the fake server write them: a head, then `content-length`
 * bytes.
 * Invariant: functions of bytes; nothing is decoded but the head.
 */

const HEAD_END = '\r\n\r\n'

/** Returns the offset behind the head, or undefined while it is not complete. */
export function headEnd(received: Buffer): number | undefined {
  const at = received.indexOf(HEAD_END)
  return at < 0 ? undefined : at + HEAD_END.length
}

/** Returns the bytes of the message that begins `received`, head included. */
export function messageBytes(received: Buffer, end: number): number {
  const length = /\r\ncontent-length: ?(\d+)/i.exec(received.toString('latin1', 0, end))?.[1]
  return end + Number(length ?? 0)
}

/** Returns the Kinesis operation that a request's head names, or `''`. */
export function operationOf(head: Buffer): string {
  return /\r\nx-amz-target: ?Kinesis_20131202\.([A-Za-z]+)/i.exec(head.toString('latin1'))?.[1] ?? ''
}

/** Returns a whole answer with this body. `headers` may name another length than the body's. */
export function httpAnswer(
  status: string,
  body: string | Buffer,
  headers: Readonly<Record<string, string>> = {}
): Buffer {
  const named = { 'content-type': 'application/x-amz-json-1.1', 'content-length': `${body.length}`, ...headers }
  const lines = Object.entries(named).map(([name, value]) => `${name}: ${value}\r\n`)
  return Buffer.concat([Buffer.from(`HTTP/1.1 ${status}\r\n${lines.join('')}\r\n`), Buffer.from(body)])
}
