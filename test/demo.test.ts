import { Writable } from 'node:stream'
import { expect, test } from 'vitest'
import { parseArguments } from '../examples/demo/arguments.ts'
import { runDemo } from '../examples/demo/demo.ts'

/** A terminal-less output that keeps what was written. */
function output() {
  const lines: string[] = []
  const stream = new Writable({
    write(chunk: Buffer, _encoding, callback) {
      lines.push(chunk.toString())
      callback()
    }
  })
  return { lines, stream: Object.assign(stream, { isTTY: false }) as unknown as NodeJS.WriteStream }
}

test.each([
  ['a split and a throttled shard', false],
  ['a split, a throttled shard and a server that is gone for a while', true]
])('the demo loses nothing through %s, and stays within its buffer', async (_, killServer) => {
  const { stream } = output()
  const args = {
    stream: undefined,
    region: 'us-east-1',
    endpoint: undefined,
    records: 12_000,
    recordsPerSecond: 10_000
  }

  const result = await runDemo({ ...args, reshard: true, killServer }, stream, new AbortController().signal)

  const { acknowledged, failed, lost, foreign } = result.verification
  expect({ acknowledged, failed, lost, foreign }).toEqual({ acknowledged: 12_000, failed: 0, lost: 0, foreign: 0 })
  expect(result.isSound).toBe(true)
  expect(result.workload.peakBufferedBytes).toBeLessThanOrEqual(result.bufferMaxBytes)
})

test('the demo says what is wrong with its command line', () => {
  expect(parseArguments(['--records', 'many'])).toEqual({ fault: '--records and --rate take whole numbers above 0' })
  expect(parseArguments(['--endpoint', 'http://127.0.0.1:1'])).toEqual({ fault: '--endpoint needs --stream' })
  expect(parseArguments(['--help'])).toEqual({ help: true })
})
