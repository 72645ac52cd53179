/** The numbered cases of rotation: by rename, by copy and truncate, by deletion, while the process runs. */
import { expect, test } from 'vitest'
import { Harness, tags } from './harness.ts'

const { lines } = Harness
const LOG = '/logs/app.log'

/** Everything that was written of these files, each line once and in order. */
function expectOnce(h: Harness, written: Readonly<Record<string, number>>): void {
  const sent = Object.fromEntries(
    Object.keys(written).map(name => [name, h.delivered.filter(text => text.startsWith(`${name}:`))])
  )
  const all = Object.fromEntries(Object.entries(written).map(([name, count]) => [name, tags(name, 0, count)]))
  expect(sent).toEqual(all)
  expect(h.delivered.length).toBe(Object.values(written).reduce((sum, count) => sum + count, 0))
}

async function started(
  settings: ConstructorParameters<typeof Harness>[0] = {},
  text = lines('one', 0, 100)
): Promise<Harness> {
  const h = new Harness(settings)
  h.files.create(LOG, text)
  await h.start()
  await h.advance(3_000)
  return h
}

test('T10: rename and create while all was read', async () => {
  const h = await started()

  h.files.rename(LOG, `${LOG}.1`)
  h.files.create(LOG, lines('two', 0, 10))
  await h.advance(20_000)

  expectOnce(h, { one: 100, two: 10 })
})

test('T11: rename and create with 50 MB unread: the old file is read first, to its end', async () => {
  const h = new Harness()
  const unread = 'x'.repeat(10_000)
  h.files.create(LOG, 'one:0\n')
  await h.start()
  h.sink.isBlocked = true
  h.files.append(LOG, `${unread}\n`.repeat(5_000))
  h.files.append(LOG, 'one:1\n')
  await h.advance(2_000)
  h.files.rename(LOG, `${LOG}.1`)
  h.files.create(LOG, lines('two', 0, 3))
  await h.advance(2_000)
  h.sink.unblock()
  await h.advance(20_000)

  const big = h.delivered.filter(text => text === unread).length
  expect([big, h.delivered.filter(text => text !== unread)]).toEqual([5_000, ['one:0', 'one:1', ...tags('two', 0, 3)]])
})

test('T12: rename, no file for 10 s, then a new one', async () => {
  const h = await started()

  h.files.append(LOG, lines('one', 100, 5))
  h.files.rename(LOG, `${LOG}.1`)
  await h.advance(10_000)
  h.files.create(LOG, lines('two', 0, 10))
  await h.advance(20_000)

  expectOnce(h, { one: 105, two: 10 })
})

test.each([['/logs/*'], [LOG]])('T13: the writer goes on in the renamed file for a minute (%s)', async glob => {
  const h = await started({ files: [glob] })

  h.files.rename(LOG, `${LOG}.1`)
  h.files.create(LOG, lines('two', 0, 10))
  for (let second = 0; second < 60; second++) {
    h.files.append(`${LOG}.1`, lines('one', 100 + second, 1))
    await h.advance(1_000)
  }
  await h.advance(20_000)

  expectOnce(h, { one: 160, two: 10 })
})

test('T13: a renamed file that grows after it was drained is opened again', async () => {
  const h = await started()

  h.files.rename(LOG, `${LOG}.1`)
  await h.advance(60_000)
  h.files.append(`${LOG}.1`, lines('one', 100, 1))
  await h.advance(20_000)

  expectOnce(h, { one: 101 })
})

test('T14: rename to a folder that no glob names', async () => {
  const h = await started()

  h.files.append(LOG, lines('one', 100, 5))
  h.files.rename(LOG, '/old/app.log.1')
  h.files.create(LOG, lines('two', 0, 10))
  await h.advance(20_000)

  expectOnce(h, { one: 105, two: 10 })
})

test('T15: a chain of five renames between two looks sends nothing again', async () => {
  const h = new Harness()
  for (let n = 5; n >= 1; n--) {
    h.files.create(`${LOG}.${n}`, lines(`old${n}`, 0, 20))
    await h.advance(10)
  }
  h.files.create(LOG, lines('one', 0, 20))
  await h.start()
  await h.advance(10_000)

  for (let n = 5; n >= 1; n--) h.files.rename(`${LOG}.${n}`, `${LOG}.${n + 1}`)
  h.files.rename(LOG, `${LOG}.1`)
  h.files.create(LOG, lines('two', 0, 20))
  await h.advance(60_000)

  expectOnce(h, { old1: 20, old2: 20, old3: 20, old4: 20, old5: 20, one: 20, two: 20 })
})

test('T16: two rotations between two looks: all is read, oldest first', async () => {
  const h = await started()

  h.files.append(LOG, lines('one', 100, 5))
  h.files.rename(LOG, `${LOG}.1`)
  h.files.create(LOG, lines('two', 0, 10))
  h.files.rename(`${LOG}.1`, `${LOG}.2`)
  h.files.rename(LOG, `${LOG}.1`)
  await h.advance(1)
  h.files.create(LOG, lines('three', 0, 10))
  await h.advance(20_000)

  expect(h.delivered).toEqual([...tags('one', 0, 105), ...tags('two', 0, 10), ...tags('three', 0, 10)])
})

test('T17: copy and truncate with everything read: neither the copy nor the old bytes are sent again', async () => {
  const h = await started()

  h.files.copy(LOG, `${LOG}.1`)
  h.files.truncate(LOG)
  h.files.append(LOG, lines('two', 0, 10))
  await h.advance(120_000)

  expectOnce(h, { one: 100, two: 10 })
})

test.each([['/logs/*'], [LOG]])(
  'T18: copy and truncate with an unread remainder, the copy in the glob or not (%s)',
  async glob => {
    const h = await started({ files: [glob] })

    h.files.append(LOG, lines('one', 100, 50))
    h.files.copy(LOG, `${LOG}.1`)
    h.files.truncate(LOG)
    await h.advance(3_000)
    h.files.append(LOG, lines('two', 0, 10))
    await h.advance(120_000)

    expectOnce(h, { one: 150, two: 10 })
  }
)

test('T18: a line that was half written at the truncation is whole in the copy', async () => {
  const h = await started({}, `${lines('one', 0, 100)}one:1`)

  h.files.append(LOG, `00\n${lines('one', 101, 5)}`)
  h.files.copy(LOG, `${LOG}.1`)
  h.files.truncate(LOG)
  h.files.append(LOG, lines('two', 0, 10))
  await h.advance(120_000)

  expectOnce(h, { one: 106, two: 10 })
})

test('T19: copy and truncate, and more is written than before, between two looks', async () => {
  const h = await started()

  h.files.append(LOG, lines('one', 100, 5))
  h.files.copy(LOG, `${LOG}.1`)
  h.files.truncate(LOG)
  h.files.append(LOG, lines('two', 0, 500))
  await h.advance(120_000)

  expectOnce(h, { one: 105, two: 500 })
})

test('T20: copy and truncate, and exactly as much is written as before', async () => {
  const h = await started()

  h.files.copy(LOG, `${LOG}.1`)
  h.files.truncate(LOG)
  h.files.append(LOG, lines('two', 0, 100))
  await h.advance(120_000)

  expectOnce(h, { one: 100, two: 100 })
})

test('T21: copy to another folder and truncate: the remainder is found by copyDirs', async () => {
  const h = await started({ copyDirs: ['/old'] })

  h.files.append(LOG, lines('one', 100, 5))
  h.files.copy(LOG, '/old/app-backup')
  h.files.truncate(LOG)
  h.files.append(LOG, lines('two', 0, 10))
  await h.advance(120_000)

  expectOnce(h, { one: 105, two: 10 })
})

test('T21: no copy is found: it is told once, and the new bytes are sent', async () => {
  const h = await started()

  h.files.truncate(LOG)
  h.files.append(LOG, lines('two', 0, 10))
  await h.advance(120_000)

  expectOnce(h, { one: 100, two: 10 })
  expect([h.warnings.length, h.follower?.status().truncatedLost]).toEqual([1, 1])
})

test('T22: the copy is seen half written, before the truncation', async () => {
  const h = await started({}, lines('one', 0, 1_000))

  h.files.append(LOG, lines('one', 1_000, 10))
  const whole = h.files.at(LOG)
  const copy = h.files.copy(LOG, `${LOG}.1`, 4_000)
  await h.advance(3_000)
  h.files.write(copy, whole.bytes.subarray(4_000, whole.length))
  await h.advance(3_000)
  h.files.truncate(LOG)
  h.files.append(LOG, lines('two', 0, 10))
  await h.advance(120_000)

  expectOnce(h, { one: 1_010, two: 10 })
})

test('a copy whose original goes on is sent after a minute, or passed over', async () => {
  const given = []
  for (const copies of ['send', 'skip'] as const) {
    const h = await started({ copies }, lines('one', 0, 300))
    h.files.copy(LOG, `${LOG}.copy`)
    await h.advance(120_000)
    h.files.append(LOG, lines('one', 300, 1))
    await h.advance(5_000)
    await h.stop()
    await h.start()
    await h.advance(90_000)
    given.push(h.delivered)
  }

  expect(given).toEqual([
    [...tags('one', 0, 300), ...tags('one', 0, 300), 'one:300'],
    [...tags('one', 0, 300), 'one:300']
  ])
})

test('T23: truncated to a smaller size that is not 0: what is there is sent as new', async () => {
  const h = await started()

  h.files.truncate(LOG, Buffer.byteLength(lines('one', 0, 10)))
  await h.advance(20_000)

  expect(h.delivered).toEqual([...tags('one', 0, 100), ...tags('one', 0, 10)])
})

test('T23: edited in place at equal size: it is sent as new', async () => {
  const h = await started()

  await h.advance(1_000)
  h.files.truncate(LOG)
  h.files.append(LOG, lines('eno', 0, 100))
  await h.advance(20_000)

  expectOnce(h, { one: 100, eno: 100 })
})

test('T48: deleted with 10 MB unread', async () => {
  const h = await started()
  h.sink.isBlocked = true
  await h.advance(1_000)

  h.files.append(LOG, `${'x'.repeat(999)}\n`.repeat(10_000))
  h.files.append(LOG, lines('one', 100, 1))
  await h.advance(1_000)
  h.files.unlink(LOG)
  await h.advance(5_000)
  const { heldDeletedBytes } = h.follower!.status()
  h.sink.unblock()
  await h.advance(20_000)

  expect(heldDeletedBytes).toBeGreaterThan(9_000_000)
  expect([h.delivered.length, h.delivered.at(-1), h.files.opened]).toEqual([10_101, 'one:100', 0])
})

test('T48: a deleted file keeps its descriptor when another file needs one', async () => {
  const h = new Harness()
  h.files.create(LOG, 'one:0\n')
  await h.start({ maxDescriptors: 1 })
  await h.advance(2_000)
  h.sink.isBlocked = true
  h.files.append(LOG, lines('one', 1, 50_000))
  await h.advance(1_000)
  h.files.unlink(LOG)
  h.files.create('/logs/two.log', 'two:0\n')
  await h.advance(5_000)
  h.sink.unblock()
  await h.advance(20_000)

  expectOnce(h, { one: 50_001, two: 1 })
})

test('T48: the last line of a deleted file is sent without its newline', async () => {
  const h = await started()

  h.files.append(LOG, 'one:100')
  h.files.unlink(LOG)
  await h.advance(20_000)

  expectOnce(h, { one: 101 })
})

test('T39: the inode of a deleted file is used again by one with another name and the same bytes: it is sent', async () => {
  const h = new Harness()
  h.files.reusesInodes = true
  const { number } = h.files.create(LOG, 'same\n')
  await h.start()
  await h.advance(3_000)
  h.files.unlink(LOG)
  await h.advance(12_000)
  h.files.create('/logs/web.log', 'same\n')
  await h.advance(10_000)

  expect([h.files.at('/logs/web.log').number === number, h.delivered]).toEqual([true, ['same', 'same']])
})

test('T39: the inode of a file that was read to its end is used again before its answers come: nothing is said to be lost', async () => {
  const h = new Harness()
  h.files.reusesInodes = true
  await h.start()
  h.sink.endOf = () => 'later'
  h.files.create(LOG, lines('one', 0, 300))
  await h.advance(3_000)
  h.files.rename(LOG, '/old/app.log.1')
  await h.advance(10_000)

  h.files.unlink('/old/app.log.1')
  h.files.create(LOG, lines('two', 0, 400))
  await h.advance(20_000)
  h.sink.answerLater()
  await h.advance(1_000)
  const { truncatedLost } = await h.stop()

  expectOnce(h, { one: 300, two: 400 })
  expect([h.warnings, truncatedLost]).toEqual([[], 0])
})

test('a copy of a few bytes is no proof: a file of another program with the same bytes is not taken for the rest', async () => {
  const h = new Harness()
  h.files.create(LOG, 'same\n')
  await h.start()
  await h.advance(3_000)
  h.files.truncate(LOG)
  h.files.create('/logs/web.log', 'same\n')
  await h.advance(20_000)

  expect(h.delivered).toEqual(['same', 'same'])
})

test('copy, truncate and rename between two looks: nothing is sent again, and the next file is read', async () => {
  const h = await started({}, 'one:0\n')
  h.files.copy(LOG, `${LOG}.2`)
  h.files.truncate(LOG)
  h.files.rename(LOG, `${LOG}.1`)
  h.files.create(LOG, 'two:0\n')
  await h.advance(20_000)

  expectOnce(h, { one: 1, two: 1 })
})

test('T49: unreadable, then readable: one warning, and everything is sent', async () => {
  const h = new Harness()
  const inode = h.files.create(LOG, lines('one', 0, 3))
  inode.failsWith = 'EACCES'
  await h.start()
  await h.advance(120_000)
  const { unreadable } = h.follower!.status()
  inode.failsWith = undefined
  await h.advance(70_000)

  expect(unreadable).toBe(1)
  expectOnce(h, { one: 3 })
  expect(h.warnings).toEqual([`CLI_WARN_UNREADABLE "${LOG}" cannot be read: EACCES`])
})

test('T49: a file that cannot be read after a restart either is not said to be gone', async () => {
  const h = new Harness()
  h.files.create(LOG, lines('one', 0, 3)).failsWith = 'EACCES'
  await h.start()
  await h.advance(3_000)
  await h.stop()
  await h.start()
  await h.advance(120_000)

  const { unsentBytes } = await h.stop()

  const warning = `CLI_WARN_UNREADABLE "${LOG}" cannot be read: EACCES`
  expect([h.warnings, unsentBytes]).toEqual([[warning, warning], 0])
})

test('T49: a file that cannot be read any more goes on where it was', async () => {
  const h = await started()
  h.files.append(LOG, lines('one', 100, 3))
  h.files.at(LOG).failsWith = 'EIO'
  await h.advance(120_000)
  h.files.at(LOG).failsWith = undefined
  await h.advance(70_000)

  expectOnce(h, { one: 103 })
})

test('T50: the producer is full for 10 minutes, with a rotation and a deletion meanwhile', async () => {
  const h = await started()
  h.sink.isBlocked = true
  h.files.append(LOG, lines('one', 100, 10))
  await h.advance(60_000)
  h.files.rename(LOG, `${LOG}.1`)
  h.files.create(LOG, lines('two', 0, 10))
  await h.advance(60_000)
  h.files.unlink(`${LOG}.1`)
  await h.advance(480_000)
  const { calls } = h.files
  await h.advance(60_000)
  const callsInAMinute = h.files.calls - calls
  h.sink.unblock()
  await h.advance(20_000)

  expectOnce(h, { one: 110, two: 10 })
  expect(callsInAMinute).toBeLessThan(60 * 20)
})

test('T51: throttled to a tenth for an hour: nothing is read that cannot be sent, and nothing spins', async () => {
  const h = new Harness()
  h.files.create(LOG)
  await h.start()
  h.sink.capacity = 10
  h.sink.latencyMs = 1_000
  for (let minute = 0; minute < 60; minute++) {
    h.files.append(LOG, `${'x'.repeat(999)}\n`.repeat(6_000))
    await h.advance(60_000)
  }

  const [file] = h.follower!.status().files
  const heldBytes = (file?.offset ?? 0) - (file?.acked ?? 0)
  expect(h.delivered.length).toBeGreaterThan(34_000)
  expect(heldBytes).toBeLessThan(512 * 1024)
  expect(h.files.calls).toBeLessThan(3_600 * 20)
})

test('T63: a file that is done is deleted, but not when a writer appends at that moment', async () => {
  const h = await started({ afterDone: 'delete' })
  h.files.create('/logs/busy.log', lines('busy', 0, 3))
  await h.advance(2_000)
  // The scan looks at the file, and right before the deletion it is looked at again: that is the moment.
  let looks: number[] = []
  h.files.step = (call, path) => {
    if (call !== 'stat' || path !== '/logs/busy.log') return
    looks = [...looks.filter(atMs => atMs === h.clock.nowMs()), h.clock.nowMs()]
    if (looks.length === 2 && h.files.textOf(path) === lines('busy', 0, 3)) h.files.append(path, lines('busy', 3, 1))
  }
  await h.advance(310_000)
  const isBusyThere = h.files.names.has('/logs/busy.log')
  await h.advance(400_000)

  expectOnce(h, { one: 100, busy: 4 })
  expect([isBusyThere, [...h.files.names.keys()]]).toEqual([true, []])
})

test('T63: a file that was closed for another one is not deleted while its writer rests for a moment', async () => {
  const h = new Harness({ afterDone: 'delete' })
  for (let n = 0; n < 20; n++) h.files.create(`/logs/${n}.log`, lines(`n${n}`, 0, 1))
  await h.start({ maxDescriptors: 2 })
  await h.advance(60_000)
  const early = h.files.names.size
  await h.advance(300_000)

  expect([early, h.files.names.size, h.files.maxOpened, h.delivered.length]).toEqual([20, 0, 2, 20])
})

test('strictOrder: the next file waits until the renamed one was quiet for the whole time', async () => {
  const h = await started({ strictOrder: true })

  h.files.rename(LOG, `${LOG}.1`)
  h.files.create(LOG, lines('two', 0, 1))
  await h.advance(4_000)
  h.files.append(`${LOG}.1`, lines('one', 100, 1))
  await h.advance(4_000)
  const early = h.delivered.includes('two:0')
  await h.advance(6_000)

  expectOnce(h, { one: 101, two: 1 })
  expect(early).toBe(false)
})

test('T52: nothing is unacknowledged after a stop while the producer is full and then answers', async () => {
  const h = await started()
  h.sink.capacity = 10
  h.sink.latencyMs = 100
  h.files.append(LOG, lines('one', 100, 500))
  await h.advance(1_500)
  const { reason, unacknowledgedRecords } = await h.stop()
  await h.start()
  await h.advance(3_000)

  expectOnce(h, { one: 600 })
  expect([reason, unacknowledgedRecords]).toEqual(['stopped', 0])
})
