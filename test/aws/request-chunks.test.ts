/** How a long body goes through the door to its connection. */
import { Agent } from 'node:http'
import { Agent as HttpsAgent } from 'node:https'
import { Duplex } from 'node:stream'
import { expect, test } from 'vitest'
import { HttpDoor } from '../../src/aws/http-door.ts'
import { MEBIBYTE } from '../../src/model/limits.ts'
import { VirtualClock } from '../../src/testing/index.ts'

const HEAD_END = '\r\n\r\n'

/** A connection that takes one write for each turn of the event loop, and answers once `bodyBytes` came after a head. */
class SlowConnection extends Duplex {
  readonly writes: Buffer[] = []
  readonly #bodyBytes: number

  constructor(bodyBytes: number) {
    super({ writableHighWaterMark: 1 })
    this.#bodyBytes = bodyBytes
  }

  override _read(): void {}

  override _write(chunk: Buffer | string, encoding: BufferEncoding, done: (error: Error | null) => void): void {
    this.writes.push(Buffer.from(typeof chunk === 'string' ? Buffer.from(chunk, encoding) : chunk))
    const all = Buffer.concat(this.writes)
    if (all.length === all.indexOf(HEAD_END) + HEAD_END.length + this.#bodyBytes) {
      this.push('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n')
    }
    const waitingBytes = this.writableLength - this.writes.at(-1)!.length
    setImmediate(done, waitingBytes > MEBIBYTE ? new Error(`${waitingBytes} bytes wait behind this write`) : null)
  }
}

test('a long body is written a mebibyte at a time, the next when the connection has taken the one before', async () => {
  const body = Buffer.from(Uint8Array.from({ length: 3 * MEBIBYTE + 5 }, (_, i) => i % 251))
  const connection = new SlowConnection(body.length)
  const httpAgent = new Agent()
  httpAgent.createConnection = () => connection
  const agents = { httpAgent, httpsAgent: new HttpsAgent() }
  const door = new HttpDoor({ data: agents, control: agents, connectTimeoutMs: 1000, clock: new VirtualClock() })

  const { response } = await door.handle({
    protocol: 'http:',
    hostname: 'localhost',
    method: 'POST',
    path: '/',
    headers: { 'x-amz-target': 'Kinesis_20131202.PutRecords', 'content-length': `${body.length}` },
    body
  })

  const [head, ...chunks] = connection.writes
  expect(response.statusCode).toBe(200)
  expect(head!.toString().endsWith(HEAD_END)).toBe(true)
  expect(chunks.map(({ length }) => length)).toEqual([MEBIBYTE, MEBIBYTE, MEBIBYTE, 5])
  expect(Buffer.concat(chunks).equals(body)).toBe(true)
})
