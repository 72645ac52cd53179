/** Answers that come twice on a connection, and those that only look so. */

import type { AddressInfo } from 'node:net'
import { createServer, type Socket } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { afterEach, describe, expect, test } from 'vitest'
import type { Transport } from '../../src/model/ports.ts'
import { closeAll, failure, failureOf, JSON_TYPE, onClose, rawServer, request, STREAM, transportTo } from './fixture.ts'

afterEach(closeAll)

const SHARDS = '{"Shards":[]}'

function putAnswerOf(sequenceNumber: number): string {
  return `{"FailedRecordCount":0,"Records":[{"ShardId":"shardId-0","SequenceNumber":"${sequenceNumber}"}]}`
}

/** A server that gives every request `idOf` its number, and every put the next sequence number. */
async function numbering(idOf: (count: number, operation: string) => string) {
  let stored = 0
  let count = 0
  const server = await rawServer(async (incoming, response) => {
    await buffer(incoming)
    const operation = String(incoming.headers['x-amz-target']).split('.')[1]!
    const headers = { 'content-type': JSON_TYPE, 'x-amzn-requestid': idOf(count++, operation) }
    response.writeHead(200, headers).end(operation === 'PutRecords' ? putAnswerOf(++stored) : SHARDS)
  })
  return { endpoint: server.endpoint, stored: () => stored }
}

async function putAll(transport: Transport, count: number): Promise<(string | undefined)[]> {
  const numbers = []
  for (let i = 0; i < count; i++) {
    numbers.push((await transport.putRecords(request())).records[0]!.sequenceNumber)
  }
  return numbers
}

describe('every record is stored once by a server whose ids', () => {
  test.each<[string, (count: number, operation: string) => string]>([
    ['never change', () => 'constant'],
    ['are those of its operations', (_, operation) => operation],
    ['come in turns of two', count => `${Math.floor(count / 2)}`],
    ['change once', count => (count < 5 ? 'one' : 'two')]
  ])('%s', async (_, idOf) => {
    const server = await numbering(idOf)
    const transport = transportTo(server.endpoint)
    await transport.listShards(STREAM)

    const numbers = await putAll(transport, 10)

    expect([numbers, server.stored()]).toEqual([Array.from({ length: 10 }, (__, i) => `${i + 1}`), 10])
  })
})

test('a mock whose answers are all the same is believed once its listing had the same id', async () => {
  const server = await rawServer(async (incoming, response) => {
    await buffer(incoming)
    const isPut = String(incoming.headers['x-amz-target']).endsWith('PutRecords')
    response.writeHead(200, { 'x-amzn-requestid': 'constant' }).end(isPut ? putAnswerOf(1) : SHARDS)
  })
  const transport = transportTo(server.endpoint)
  await transport.listShards(STREAM)

  const numbers = await putAll(transport, 5)

  expect([numbers, server.connectionCount()]).toEqual([Array(5).fill('1'), 2])
})

test('an answer that is really repeated is found, and its connection is used no more', async () => {
  let connectionCount = 0
  const server = createServer(socket => {
    connectionCount++
    answerTwice(socket, connectionCount === 1)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  onClose(() => server.close())
  const transport = transportTo(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)

  const first = await transport.putRecords(request())
  const second = await failureOf(transport.putRecords(request()))
  const third = await transport.putRecords(request())

  expect([first.records[0]?.sequenceNumber, second, third.records[0]?.sequenceNumber, connectionCount]).toEqual([
    '1',
    failure('RepeatedAnswer', 'maybe'),
    '2',
    2
  ])
})

let answerCount = 0

/** Answers each request; on the connection that repeats, every further one with the first answer. */
function answerTwice(socket: Socket, isRepeating: boolean): void {
  onClose(() => socket.destroy())
  let answer = ''
  socket.on('error', () => {})
  socket.on('data', chunk => {
    if (!chunk.toString('latin1').includes('"Records"')) return
    if (answer === '' || !isRepeating) {
      const body = putAnswerOf(++answerCount)
      const head = ['HTTP/1.1 200 OK', `x-amzn-requestid: id-${answerCount}`, `content-length: ${body.length}`]
      answer = `${head.join('\r\n')}\r\n\r\n${body}`
    }
    socket.write(answer)
  })
}
