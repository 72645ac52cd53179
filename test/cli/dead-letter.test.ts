/** Both dead letter files, behind a line that a full disk or a kill has torn. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { DeadLetterFile } from '../../src/cli/agent/dead-letter-file.ts'
import { DeadLetter } from '../../src/cli/put/dead-letter.ts'

const RECORD = { partitionKey: 'k', data: Buffer.from('one'), stream: 'orders' }
let folder = ''

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cli-dead-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const WRITERS: readonly [string, (path: string) => Promise<void>][] = [
  [
    'put',
    async path => {
      const file = new DeadLetter(path)
      file.write(RECORD, { code: 'x' })
      file.write(RECORD, { code: 'x' })
      file.close()
    }
  ],
  [
    'the agent',
    async path => {
      const file = await DeadLetterFile.open(path)
      await file.write(RECORD, {})
      await file.write(RECORD, {})
      await file.close()
    }
  ]
]

test.each(WRITERS)('%s writes each dead letter on a line of its own', async (_, write) => {
  const path = join(folder, 'dead.ndjson')
  const texts: string[][] = []

  for (const before of ['', '{"whole":1}\n', '{"partitionKey":"a","da']) {
    writeFileSync(path, before)
    await write(path)
    texts.push(readFileSync(path, 'utf8').slice(before.length).split('\n'))
  }

  const isRead = (line: string) => line !== '' && JSON.parse(line).data === 'one'
  expect(texts.map(lines => lines.map(isRead))).toEqual([
    [true, true, false],
    [true, true, false],
    [false, true, true, false]
  ])
})
