/** The state directory under crashes at every call, torn bytes and damaged files. */
import { expect, test } from 'vitest'
import { decodeJournal, journalBytes } from '../../../src/cli/follow/state-format.ts'
import { StateStore } from '../../../src/cli/follow/state-store.ts'
import { Crash, ModelDirectory } from './model-directory.ts'
import { randomOf } from './random-of.ts'

const mark = { length: 1, sha256: 'aa' }
const file = { id: 'g', flow: 'f', path: '/a', device: '1', inode: '7', acked: 0, prefix: mark, anchor: mark }
const acked = (offset: number) => ({ t: 'acked', id: 'g', acked: offset, anchor: mark }) as const

/** Commits offsets until the directory crashes; returns the last offset that was confirmed, and the last that was tried. */
async function commitUntilCrash(
  directory: ModelDirectory
): Promise<{ confirmed: number; tried: number; isStarted: boolean }> {
  const seen = { confirmed: 0, tried: 0, isStarted: false }
  try {
    const store = await StateStore.open(directory)
    await store.start([{ id: 'f', startedAtMs: 5 }], [{ ...file, acked: store.files.get('g')?.acked ?? 0 }])
    seen.isStarted = true
    for (let offset = (store.files.get('g')?.acked ?? 0) + 1; ; offset++) {
      seen.tried = offset
      await store.commit([acked(offset)])
      seen.confirmed = offset
      if (offset % 3 === 0) await store.compact()
    }
  } catch (error) {
    if (!(error instanceof Crash)) throw error
    return seen
  }
}

test('33 (the state directory): a crash at any call, three in a row, loses nothing that was confirmed (1,000 seeds)', async () => {
  for (let seed = 0; seed < 1000; seed++) {
    const random = randomOf(seed)
    const directory = new ModelDirectory()
    let least = 0
    let most = 0
    let wasStarted = false
    for (let crash = 0; crash < 3; crash++) {
      directory.callsLeft = Math.floor(random() * 60)
      const seen = await commitUntilCrash(directory)
      directory.restart(random)
      most = Math.max(most, seen.tried)
      least = Math.max(least, seen.confirmed)
      wasStarted ||= seen.isStarted
      const store = await StateStore.open(directory)
      const offset = store.files.get('g')?.acked ?? 0
      expect({ seed, isLost: offset < least, isInvented: offset > most }).toEqual({
        seed,
        isLost: false,
        isInvented: false
      })
      least = offset
      if (wasStarted) expect(store.flows.get('f')).toEqual({ id: 'f', startedAtMs: 5 })
    }
  }
})

test('41: a journal torn at any byte gives the changes before the tear', () => {
  const bytes = journalBytes([acked(1), acked(2), acked(3)])
  const ends = [...bytes.keys()].filter(at => bytes[at] === 10).map(at => at + 1)

  const counts = [...Array(bytes.length + 1).keys()].map(end => decodeJournal(bytes.subarray(0, end)).changes.length)

  expect(counts).toEqual([...Array(bytes.length + 1).keys()].map(end => ends.filter(at => at <= end).length))
})

test('42: zeros after a journal end it', () => {
  const bytes = Buffer.concat([journalBytes([acked(1)]), Buffer.alloc(64), journalBytes([acked(9)])])

  const decoded = decodeJournal(bytes)

  expect(decoded).toEqual({ changes: [acked(1)], isWhole: false })
})

test('42: a damaged snapshot: the previous one and its journal give the same state; both damaged are refused', async () => {
  const directory = new ModelDirectory()
  const store = await StateStore.open(directory)
  await store.start([], [file])
  await store.commit([acked(8)])
  await store.compact()
  await directory.write('snapshot.json', Buffer.from('{}'))

  const recovered = await StateStore.open(directory)

  expect(recovered.files.get('g')?.acked).toBe(8)
  for (const name of ['snapshot.json', 'snapshot.prev.json']) await directory.write(name, new Uint8Array(0))
  await expect(StateStore.open(directory)).rejects.toMatchObject({ code: 'CLI_ERR_STATE' })
})

test('46: the state of a newer version is refused', async () => {
  const { crc32 } = await import('node:zlib')
  const directory = new ModelDirectory()
  await directory.write(
    'snapshot.json',
    Buffer.from(`{"version":2}\ncrc32 ${crc32('{"version":2}').toString(16).padStart(8, '0')}\n`)
  )

  const opened = StateStore.open(directory)

  await expect(opened).rejects.toMatchObject({
    code: 'CLI_ERR_STATE',
    message: 'snapshot.json was written by a newer version'
  })
})
