/** The numbered cases of following files, on a model file system under a virtual clock: small files, equal files, names. */
import { expect, test } from 'vitest'
import { Harness, tags } from './harness.ts'

const { lines } = Harness
const MINUTE_MS = 60_000

test('T1: a file that is empty at first: its first line is sent', async () => {
  const h = new Harness()
  h.files.create('/logs/a.log')
  await h.start()
  await h.advance(5_000)

  h.files.append('/logs/a.log', 'a:0\n')
  await h.advance(2_000)

  expect(h.delivered).toEqual(['a:0'])
})

test('T2: a first line that has no newline for an hour is sent when the newline comes', async () => {
  const h = new Harness()
  h.files.create('/logs/a.log', 'a:')
  await h.start()
  await h.advance(60 * MINUTE_MS)
  const before = h.delivered
  h.files.append('/logs/a.log', '0\na:1')
  await h.advance(2_000)

  expect({ before, after: h.delivered }).toEqual({ before: [], after: ['a:0'] })
})

test.each([1, 1_023, 1_024, 1_025])(
  'T3: a file of %i bytes grows, the process restarts: each line is sent once',
  async bytes => {
    const h = new Harness()
    const first = `${'x'.repeat(bytes - 1)}\n`
    h.files.create('/logs/a.log', first)
    await h.start()
    await h.advance(3_000)
    await h.stop()
    h.files.append('/logs/a.log', lines('a', 0, 100))
    await h.start()
    await h.advance(3_000)
    await h.stop()
    h.files.append('/logs/a.log', lines('a', 100, 5))
    await h.start()
    await h.advance(3_000)

    const sent = first === '\n' ? [] : [first.trimEnd()]
    expect(h.delivered).toEqual([...sent, ...tags('a', 0, 105)])
  }
)

test('T4: two files with equal first 4 KiB are both sent', async () => {
  const h = new Harness()
  const banner = `${'banner '.repeat(600)}\n`
  h.files.create('/logs/a.log', `${banner}${lines('a', 0, 3)}`)
  await h.start()
  await h.advance(3_000)
  h.files.create('/logs/b.log', `${banner}${lines('b', 0, 3)}`)
  await h.advance(3_000)

  expect(h.delivered.filter(text => !text.startsWith('banner'))).toEqual([...tags('a', 0, 3), ...tags('b', 0, 3)])
})

test('T5: two files with the same bytes are both sent, the later one after it is clear that it is no copy', async () => {
  const h = new Harness()
  h.files.create('/logs/a.log', lines('a', 0, 300))
  await h.start()
  await h.advance(3_000)
  h.files.create('/logs/b.log', lines('a', 0, 300))
  await h.advance(30_000)
  const early = h.delivered.length
  await h.advance(40_000)

  expect({ early, all: h.delivered }).toEqual({ early: 300, all: [...tags('a', 0, 300), ...tags('a', 0, 300)] })
})

test('T5: two files with the same bytes on the first run are both sent at once', async () => {
  const h = new Harness()
  h.files.create('/logs/a.log', lines('a', 0, 3))
  h.files.create('/logs/b.log', lines('a', 0, 3))
  await h.start()
  await h.advance(1_000)

  expect(h.delivered.toSorted()).toEqual(['a:0', 'a:0', 'a:1', 'a:1', 'a:2', 'a:2'])
})

test('T28: a file with one line a second is not kept waiting by one that fills the sink', async () => {
  const h = new Harness()
  h.files.create('/logs/big.log', 'big\n')
  h.files.create('/logs/slow.log', 'first\n')
  await h.start()
  await h.advance(2_000)
  h.sink.capacity = 500
  h.sink.latencyMs = 50
  const sentAtMs = new Map<string, number>()
  h.sink.onDelivered = text => void (text.startsWith('slow') && sentAtMs.set(text, h.clock.nowMs()))
  const waits: number[] = []
  for (let second = 0; second < 10; second++) {
    h.files.append('/logs/big.log', `${'x'.repeat(999)}\n`.repeat(20_000))
    h.files.append('/logs/slow.log', `slow:${second}\n`)
    const writtenAtMs = h.clock.nowMs()
    await h.advance(1_000)
    waits.push((sentAtMs.get(`slow:${second}`) ?? Number.POSITIVE_INFINITY) - writtenAtMs)
  }

  const isBigBehind = h.follower!.status().bytesBehind > 50_000_000
  expect([isBigBehind, waits.filter(wait => wait > 1_000)]).toEqual([true, []])
})

test('T29: directories with **, one that appears at midnight, one that is removed', async () => {
  const h = new Harness({ files: ['/logs/**/*.log'] })
  h.files.create('/logs/2026-01-01/a.log', lines('one', 0, 2))
  await h.start()
  await h.advance(2_000)
  h.files.create('/logs/2026-01-02/deep/a.log', lines('two', 0, 2))
  await h.advance(2_000)
  h.files.append('/logs/2026-01-01/a.log', lines('one', 2, 1))
  h.files.unlink('/logs/2026-01-01/a.log')
  await h.advance(10_000)

  expect(h.delivered).toEqual([...tags('one', 0, 2), ...tags('two', 0, 2), ...tags('one', 2, 1)])
})

test('T29: files that cannot be listed once are not taken for deleted ones', async () => {
  const h = new Harness()
  h.files.create('/logs/a.log', 'a:0\na:')
  await h.start()
  await h.advance(2_000)
  h.files.listFailsWith = 'EIO'
  await h.advance(MINUTE_MS)
  h.files.listFailsWith = undefined
  h.files.append('/logs/a.log', '1\n')
  await h.advance(2_000)

  expect(h.delivered).toEqual(['a:0', 'a:1'])
})

test('T30: a file with a hard link, a symbolic link and two globs is sent once', async () => {
  const h = new Harness({ files: ['/logs/*', '/logs/a*', '/other/*'] })
  h.files.create('/logs/a.log', lines('a', 0, 2))
  h.files.link('/logs/a.log', '/other/hard.log')
  h.files.symlinks.set('/logs/soft.log', '/logs/a.log')
  await h.start()
  await h.advance(2_000)
  h.files.append('/other/hard.log', lines('a', 2, 1))
  await h.advance(MINUTE_MS * 2)

  expect(h.delivered).toEqual(tags('a', 0, 3))
})

test('T30: a symbolic link that changes to another file is a rotation', async () => {
  const h = new Harness({ files: ['/logs/current'] })
  h.files.create('/data/1.log', lines('one', 0, 2))
  h.files.create('/data/2.log', lines('two', 0, 2))
  h.files.symlinks.set('/logs/current', '/data/1.log')
  await h.start()
  await h.advance(2_000)
  h.files.append('/data/1.log', lines('one', 2, 1))
  h.files.symlinks.set('/logs/current', '/data/2.log')
  await h.advance(10_000)

  expect(h.delivered).toEqual([...tags('one', 0, 3), ...tags('two', 0, 2)])
})

test.each(['directory', 'other'] as const)('T31: a %s is passed over with one warning and never opened', async kind => {
  const h = new Harness()
  h.files.create('/logs/pipe', '', kind)
  h.files.create('/logs/a.log', lines('a', 0, 1))
  await h.start()
  await h.advance(MINUTE_MS)

  expect([h.delivered, h.warnings]).toEqual([
    ['a:0'],
    ['CLI_WARN_NOT_A_FILE "/logs/pipe" is not a regular file, so it is not read']
  ])
})

test('T31: a file that is replaced by a FIFO is read to its end', async () => {
  const h = new Harness()
  h.files.create('/logs/a.log', lines('a', 0, 1))
  await h.start()
  await h.advance(2_000)
  h.files.append('/logs/a.log', lines('a', 1, 1))
  h.files.create('/logs/a.log', '', 'other')
  await h.advance(10_000)

  expect(h.delivered).toEqual(tags('a', 0, 2))
})

test('T61: a header is passed over once for each file, and not again after a restart', async () => {
  const h = new Harness()
  h.settings = { ...h.settings, framing: { ...h.settings.framing, skipHeader: 1 } }
  h.files.create('/logs/a.log', `header\n${lines('a', 0, 2)}`)
  await h.start()
  await h.advance(3_000)
  await h.stop()
  h.files.append('/logs/a.log', lines('a', 2, 2))
  await h.start()
  await h.advance(3_000)
  h.files.rename('/logs/a.log', '/logs/a.log.1')
  h.files.create('/logs/a.log', `header\n${lines('b', 0, 2)}`)
  await h.advance(10_000)

  expect(h.delivered).toEqual([...tags('a', 0, 4), ...tags('b', 0, 2)])
})

test('T65: a server of files that forgets a descriptor: the file is opened again and goes on', async () => {
  const h = new Harness()
  h.files.create('/logs/a.log', lines('a', 0, 300))
  await h.start()
  await h.advance(2_000)
  h.files.at('/logs/a.log').staleBefore = h.files.opens
  h.files.append('/logs/a.log', lines('a', 300, 3))
  await h.advance(2_000)

  expect(h.delivered).toEqual(tags('a', 0, 303))
})

test('T69: without inodes: appends, a rotation by rename and a truncation are found by content', async () => {
  const h = new Harness()
  h.files.hasInodes = false
  h.files.create('/logs/a.log', lines('one', 0, 200))
  await h.start()
  await h.advance(3_000)
  h.files.append('/logs/a.log', lines('one', 200, 10))
  await h.advance(3_000)
  h.files.append('/logs/a.log', lines('one', 210, 5))
  h.files.rename('/logs/a.log', '/logs/a.log.1')
  h.files.create('/logs/a.log', lines('two', 0, 3))
  await h.advance(20_000)
  h.files.truncate('/logs/a.log')
  h.files.append('/logs/a.log', lines('three', 0, 1))
  await h.advance(20_000)

  const of = (name: string) => h.delivered.filter(text => text.startsWith(name))
  expect([of('one'), of('two'), of('three')]).toEqual([tags('one', 0, 215), tags('two', 0, 3), tags('three', 0, 1)])
})

test('once: ends at the end of all files, and the last line needs no newline', async () => {
  const h = new Harness()
  h.files.create('/logs/a.log', 'a:0\na:1')
  h.files.create('/logs/b.log', 'b:0\n')
  h.files.create('/logs/empty.log')
  await h.start({ once: true })

  const { reason, unacknowledgedRecords, isSaved } = await h.result(1_000)

  expect([h.delivered.toSorted(), reason, unacknowledgedRecords, isSaved]).toEqual([
    ['a:0', 'a:1', 'b:0'],
    'finished',
    0,
    true
  ])
})
