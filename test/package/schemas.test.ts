import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startFakeGlue, startFakeKinesisServer } from '../../src/testing/index.ts'
import { codeBlocks } from '../docs/documents.ts'
import { type PackedPackage, packPackage, run } from '../support/packed-package.ts'

let packed: PackedPackage
beforeAll(async () => {
  packed = await packPackage()
})
afterAll(() => packed.remove())

/** The first block of a language that holds a text. */
function blockWith(text: string, language = 'ts'): string {
  const block = codeBlocks('docs/schemas.md').find(other => other.language === language && other.text.includes(text))
  if (block === undefined) throw new Error(`docs/schemas.md has no block with ${text}`)
  return block.text
}

test('the Avro producer and consumer of docs/schemas.md run from an empty folder and print what the page says', async () => {
  const folder = packed.project('schemas', 'avsc')
  writeFileSync(join(folder, 'produce.js'), blockWith('avro.Type.forSchema(JSON.parse(definition))\n'))
  writeFileSync(join(folder, 'consume.js'), blockWith("readStream(new KinesisClient({}), 'orders'"))
  const [kinesis, glue] = await Promise.all([startFakeKinesisServer(), startFakeGlue()])
  kinesis.kinesis.createStream({ StreamName: 'orders', ShardCount: 1 })
  const environment = {
    AWS_ENDPOINT_URL_KINESIS: kinesis.endpoint,
    AWS_ENDPOINT_URL_GLUE: glue.endpoint,
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'any',
    AWS_SECRET_ACCESS_KEY: 'any'
  }
  try {
    const produced = await run(process.execPath, ['produce.js'], folder, environment)
    const consumed = await run(process.execPath, ['consume.js'], folder, environment)

    const page = blockWith('a orders', 'text')
    expect([produced.stdout, consumed.stdout.trim()]).toEqual(['', page])
    expect([glue.glue.callCount('CreateSchema'), glue.glue.callCount('GetSchemaVersion')]).toEqual([1, 1])
  } finally {
    await Promise.all([kinesis.close(), glue.close()])
  }
})

test('the entry point runs without the SDK for Glue where nothing is called', async () => {
  const folder = packed.project('frames')
  rmSync(join(folder, 'node_modules/@aws-sdk/client-glue'))
  const program = `import { readFrame, protobufIndex } from 'kinesis-producer/glue'
    const { versionId } = readFrame(Buffer.from('0300b7b4a7f09c964e4aa687fb5de9ef0c6300', 'hex'))
    const isThere = await import('@aws-sdk/client-glue').then(() => true, () => false)
    console.log(versionId, protobufIndex(['B', 'A'], 'B')[0], isThere)`
  writeFileSync(join(folder, 'frames.js'), program)

  const { stdout } = await run(process.execPath, ['frames.js'], folder)

  expect(stdout).toBe('b7b4a7f0-9c96-4e4a-a687-fb5de9ef0c63 1 false\n')
})
