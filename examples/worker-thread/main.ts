/**
 * Puts every line of the standard input into a stream, through a producer in a worker thread.
 *
 *   npm run build:dev && AWS_REGION=eu-west-1 node build/examples/worker-thread/main.js STREAM < FILE
 *
 * Invariant: the input is read only as fast as its lines are taken; exits with 0 only if all of them are stored. SIGTERM ends the
 * input: what was read is stored.
 */
import { createInterface } from 'node:readline'
import { ProducerThread } from './producer-thread.ts'

const [streamName] = process.argv.slice(2)
if (streamName === undefined) throw new Error('usage: main.js STREAM < FILE')

const CLOSE_TIMEOUT_MS = 10_000
const KEY_CHARACTERS = 64

const thread = new ProducerThread({ producer: { streamName } })
const lines = createInterface(process.stdin)
process.once('SIGTERM', () => {
  lines.close()
  process.stdin.destroy()
})

let stored = 0
let failed = 0
const onStored = () => {
  stored++
}
const onFailed = (error: Error) => {
  failed++
  console.error(error.message)
}
for await (const line of lines) {
  await thread.ready()
  thread.put({ partitionKey: line.slice(0, KEY_CHARACTERS), data: line }).then(onStored, onFailed)
}
await thread.close({ timeoutMs: CLOSE_TIMEOUT_MS })

console.log(`${stored} records stored`)
process.exitCode = failed === 0 ? 0 : 1
