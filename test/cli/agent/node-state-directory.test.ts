/** The state directory with real files. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { nodeStateDirectory } from '../../../src/cli/agent/node-state-directory.ts'
import type { Generation } from '../../../src/cli/follow/identity.ts'
import { StateStore } from '../../../src/cli/follow/state-store.ts'

const mark = { length: 1, sha256: 'aa' }
const file = {
  id: 'g',
  flow: 'f',
  path: '/a',
  device: '1',
  inode: '7',
  acked: 0,
  prefix: mark,
  anchor: mark
} as Generation
const acked = (offset: number) => ({ t: 'acked', id: 'g', acked: offset, anchor: mark }) as const

describe('the state directory with real files', () => {
  let folder = ''
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'cli-state-'))
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  async function written(): Promise<void> {
    const store = await StateStore.open(nodeStateDirectory(folder))
    await store.start([{ id: 'f', startedAtMs: 5 }], [file])
    for (let offset = 1; offset <= 5; offset++) await store.commit([acked(offset)])
  }

  test('gives back what was committed', async () => {
    await written()

    const store = await StateStore.open(nodeStateDirectory(folder))

    expect([...store.files.values()]).toEqual([{ ...file, acked: 5 }])
  })

  test('41: a journal that is torn gives the lines before, and the store goes on', async () => {
    await written()
    const journal = readdirSync(folder)
      .filter(name => name.startsWith('journal'))
      .sort()
      .at(-1)!
    const bytes = readFileSync(join(folder, journal))
    const snapshot = readFileSync(join(folder, 'snapshot.json'))
    const faults: number[] = []
    // Every byte is in the model's test (test/cli/follow/state-store.test.ts).
    for (let length = bytes.length; length >= 0; length -= 41) {
      for (const name of readdirSync(folder)) rmSync(join(folder, name))
      writeFileSync(join(folder, 'snapshot.json'), snapshot)
      writeFileSync(join(folder, journal), bytes.subarray(0, length))

      const store = await StateStore.open(nodeStateDirectory(folder))

      const whole = bytes.subarray(0, length).toString().split('\n').length - 1
      if (store.files.get('g')?.acked !== whole) faults.push(length)
    }
    expect([faults, bytes.toString().split('\n').length - 1]).toEqual([[], 5])
  })

  test('42: zeros at the end of the journal end it; a snapshot of no length gives way to the one before', async () => {
    await written()
    const journal = readdirSync(folder)
      .filter(name => name.startsWith('journal'))
      .sort()
      .at(-1)!
    writeFileSync(join(folder, journal), Buffer.concat([readFileSync(join(folder, journal)), Buffer.alloc(4096)]))
    const zeros = await StateStore.open(nodeStateDirectory(folder))
    truncateSync(join(folder, 'snapshot.json'))

    const previous = await StateStore.open(nodeStateDirectory(folder))
    for (const name of ['snapshot.json', 'snapshot.prev.json']) writeFileSync(join(folder, name), 'x')
    const none = await StateStore.open(nodeStateDirectory(folder)).catch((error: unknown) => error)

    expect([zeros.files.get('g')?.acked, previous.files.get('g')?.acked]).toEqual([5, 5])
    expect(none).toMatchObject({ code: 'CLI_ERR_STATE' })
  })

  test('43: a crash between the two renames loses nothing', async () => {
    await written()
    const store = await StateStore.open({
      ...nodeStateDirectory(folder),
      rename: (from, to) =>
        from.endsWith('.tmp') ? Promise.reject(new Error('crash')) : nodeStateDirectory(folder).rename(from, to)
    }).catch((error: unknown) => error)

    const again = await StateStore.open(nodeStateDirectory(folder))

    expect([String(store), again.files.get('g')?.acked]).toEqual(['Error: crash', 5])
  })

  test('46: of a newer version is left as it is', async () => {
    await written()
    const text = readFileSync(join(folder, 'snapshot.json'), 'utf8')
      .split('\n')[0]!
      .replace('"version":1', '"version":9')
    const { crc32 } = await import('node:zlib')
    writeFileSync(join(folder, 'snapshot.json'), `${text}\ncrc32 ${crc32(text).toString(16).padStart(8, '0')}\n`)

    const opened = await StateStore.open(nodeStateDirectory(folder)).catch((error: unknown) => error)

    expect(opened).toMatchObject({ code: 'CLI_ERR_STATE', message: 'snapshot.json was written by a newer version' })
  })
})
