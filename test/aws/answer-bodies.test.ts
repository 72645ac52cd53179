/** What request handlers of users give as the body of an answer: each handler of the SDK has another kind. */
import { afterEach, expect, test } from 'vitest'
import { closeAll, failure, failureOf, putAnswer, request, transportTo } from './fixture.ts'

afterEach(closeAll)

const ENDPOINT = 'https://kinesis.example'
const ANSWER = putAnswer(1)

test.each<[string, () => unknown]>([
  ['a stream of the web, as FetchHttpHandler gives', () => streamOf(ANSWER.slice(0, 7), ANSWER.slice(7))],
  ['a Blob', () => new Blob([ANSWER])],
  ['a text', () => ANSWER]
])('%s is read', async (_, body) => {
  const transport = transportTo(ENDPOINT, { requestHandler: { handle: answering(body) } })

  const { records } = await transport.putRecords(request())

  expect(records.map(({ sequenceNumber }) => typeof sequenceNumber)).toEqual(['string'])
})

test('a stream of the web that does not end is left at the bound, and cancelled', async () => {
  let isCancelled = false
  const pull = (controller: ReadableStreamDefaultController): void => controller.enqueue(new Uint8Array(65_536))
  const endless = () => new ReadableStream({ pull, cancel: () => void (isCancelled = true) })
  const transport = transportTo(ENDPOINT, { requestHandler: { handle: answering(endless) } })

  const outcome = await failureOf(transport.putRecords(request()))

  expect([outcome, isCancelled]).toEqual([
    failure('MalformedAnswer', 'maybe', { code: 'KPL_ERR_PROTOCOL', statusCode: 200 }),
    true
  ])
})

function answering(body: () => unknown) {
  return async (sent: { body: unknown }): Promise<{ response: object }> => {
    // As a handler that sends it.
    void sent.body
    return { response: { statusCode: 200, headers: {}, body: body() } }
  }
}

function streamOf(...texts: string[]): ReadableStream {
  const chunks = texts.map(text => new TextEncoder().encode(text))
  return new ReadableStream({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(chunk)
      controller.close()
    }
  })
}
