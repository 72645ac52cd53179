/**
 * Puts every line of an NDJSON file into a stream; in a project of your own, import from 'kinesis-producer'.
 *
 *   npm run build:dev && AWS_REGION=eu-west-1 node build/examples/ndjson-pipe/main.js STREAM KEY_FIELD FILE
 *
 * Invariant: a file of any size is read only as fast as its lines are taken; exits with 0 only if all of them are stored.
 */
import { createReadStream } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import { KinesisProducer, type UserRecord } from '../../src/index.ts'

const [streamName, keyField, file] = process.argv.slice(2)
if (streamName === undefined || keyField === undefined || file === undefined) {
  throw new Error('usage: main.js STREAM KEY_FIELD FILE')
}

async function* linesOf(chunks: AsyncIterable<string>): AsyncGenerator<string> {
  let rest = ''
  for await (const chunk of chunks) {
    const lines = (rest + chunk).split('\n')
    rest = lines.pop() ?? ''
    yield* lines
  }
  yield rest
}

async function* recordsOf(lines: AsyncIterable<string>): AsyncGenerator<UserRecord> {
  for await (const line of lines) {
    if (line.trim() === '') continue
    const value: Readonly<Record<string, unknown>> = JSON.parse(line)
    const partitionKey = value[keyField!]
    if (typeof partitionKey !== 'string') throw new Error(`a line has no text in ${keyField}`)
    yield { partitionKey, data: line }
  }
}

await using producer = new KinesisProducer({ streamName })

// The pipeline ends when every record is acknowledged, and fails with the first that is not.
await pipeline(createReadStream(file, 'utf8'), linesOf, recordsOf, producer.writable())

console.log(`${producer.stats().delivered} records stored`)
