/** The numbered cases of a restart: what happened while no process ran, the state, clocks, and what a failed record holds back. */
import { expect, test } from 'vitest'
import { Harness, ModelSink, tags } from './harness.ts'
import { ModelDirectory } from './model-directory.ts'
import { randomOf } from './random-of.ts'

const { lines } = Harness
const LOG = '/logs/app.log'
const DAY_MS = 86_400_000

/** A run that has sent what is there, and has ended. */
async function stopped(
  settings: ConstructorParameters<typeof Harness>[0] = {},
  text = lines('one', 0, 200)
): Promise<Harness> {
  const h = new Harness(settings)
  h.files.create(LOG, text)
  await h.start()
  await h.advance(3_000)
  await h.stop()
  return h
}

test.each([['/logs/*'], [LOG]])('T34: renamed while no process ran (%s)', async glob => {
  const h = await stopped({ files: [glob] })
  h.files.append(LOG, lines('one', 200, 5))
  h.files.rename(LOG, `${LOG}.1`)
  h.files.create(LOG, lines('two', 0, 5))
  await h.start()
  await h.advance(20_000)

  expect(h.delivered.toSorted()).toEqual([...tags('one', 0, 205), ...tags('two', 0, 5)].toSorted())
})

test('T35: a short file copied and truncated while no process ran, and nothing written since', async () => {
  const h = await stopped({}, 'one:0\n')
  h.files.copy(LOG, `${LOG}.1`)
  h.files.truncate(LOG)
  await h.start()
  await h.advance(120_000)

  expect(h.delivered).toEqual(['one:0'])
})

test('T35: a short file copied, truncated and renamed out of sight while no process ran: its rest is found', async () => {
  const h = await stopped({ files: [LOG] }, 'one:0\n')
  h.files.append(LOG, 'one:1\n')
  h.files.copy(LOG, `${LOG}.2`)
  h.files.truncate(LOG)
  h.files.rename(LOG, `${LOG}.1`)
  await h.start()
  await h.advance(20_000)

  expect(h.delivered).toEqual(['one:0', 'one:1'])
})

test('a file of which nothing was acknowledged is found again after a rename out of sight while no process ran', async () => {
  const h = new Harness({ files: [LOG] })
  h.files.create(LOG, 'one:')
  await h.start()
  await h.advance(3_000)
  await h.kill()
  h.files.append(LOG, '0\n')
  h.files.rename(LOG, `${LOG}.1`)
  await h.start()
  await h.advance(10_000)

  expect(h.delivered).toEqual(['one:0'])
})

test.each([['/logs/*'], [LOG]])('T35: copied and truncated while no process ran (%s)', async glob => {
  const h = await stopped({ files: [glob] })
  h.files.append(LOG, lines('one', 200, 5))
  h.files.copy(LOG, `${LOG}.1`)
  h.files.truncate(LOG)
  h.files.append(LOG, lines('two', 0, 5))
  await h.start()
  await h.advance(120_000)

  expect(h.delivered.toSorted()).toEqual([...tags('one', 0, 205), ...tags('two', 0, 5)].toSorted())
})

test('T36: three rotations while no process ran: all is read, oldest first', async () => {
  const h = await stopped()
  h.files.append(LOG, lines('one', 200, 5))
  for (const name of ['two', 'three', 'four']) {
    await h.advance(60_000)
    for (const n of [2, 1]) if (h.files.names.has(`${LOG}.${n}`)) h.files.rename(`${LOG}.${n}`, `${LOG}.${n + 1}`)
    h.files.rename(LOG, `${LOG}.1`)
    h.files.create(LOG, lines(name, 0, 5))
  }
  await h.start()
  await h.advance(20_000)

  expect(h.delivered).toEqual([
    ...tags('one', 0, 205),
    ...tags('two', 0, 5),
    ...tags('three', 0, 5),
    ...tags('four', 0, 5)
  ])
})

test('T37: the state is gone: the rule of the first run applies again', async () => {
  const h = await stopped({ from: 'end' }, `${lines('old', 0, 5)}half a li`)
  h.directory = new ModelDirectory()
  h.files.append(LOG, 'ne\n')
  h.files.append(LOG, lines('old', 5, 5))
  await h.start()
  await h.advance(2_000)
  h.files.append(LOG, lines('new', 0, 5))
  await h.advance(2_000)

  expect(h.delivered).toEqual(tags('new', 0, 5))
})

test('first run from the end: what is written later is sent, a half line as a whole, and a later file from its beginning', async () => {
  const h = new Harness({ from: 'end' })
  h.files.create(LOG, `${lines('old', 0, 500)}new:`)
  await h.start()
  await h.kill()
  h.files.append(LOG, '0\n')
  h.files.create('/logs/later.log', lines('later', 0, 2))
  await h.start()
  await h.advance(3_000)

  expect(h.delivered.toSorted()).toEqual(['later:0', 'later:1', 'new:0'])
})

test('T38: other device numbers after a reboot', async () => {
  const h = await stopped()
  h.files.device = '2'
  h.files.append(LOG, lines('one', 200, 5))
  await h.start()
  await h.advance(20_000)

  expect(h.delivered).toEqual(tags('one', 0, 205))
})

test.each(['two', 'one'])(
  'T39: the inode is used again by a new file while no process ran (head of %s)',
  async name => {
    const h = await stopped()
    h.files.reusesInodes = true
    const { number } = h.files.at(LOG)
    h.files.unlink(LOG)
    const text = name === 'one' ? lines('one', 0, 100) + lines('two', 0, 300) : lines('two', 0, 300)
    h.files.create('/logs/new.log', text)
    await h.start()
    await h.advance(20_000)

    expect(h.files.at('/logs/new.log').number).toBe(number)
    expect(h.delivered.filter(text => text.startsWith('two'))).toEqual(tags('two', 0, 300))
  }
)

test('T39: the inode of a short file is used again under another name while no process ran: it is sent', async () => {
  const h = await stopped({}, 'same\n')
  h.files.reusesInodes = true
  h.files.unlink(LOG)
  h.files.create('/logs/web.log', 'same\n')
  await h.start()
  await h.advance(10_000)

  expect(h.delivered).toEqual(['same', 'same'])
})

test('T40: restored from a backup: another inode with the same bytes goes on', async () => {
  const h = await stopped()
  h.files.copy(LOG, '/tmp/backup')
  h.files.unlink(LOG)
  h.files.rename('/tmp/backup', LOG)
  h.files.append(LOG, lines('one', 200, 5))
  await h.start()
  await h.advance(20_000)

  expect(h.delivered).toEqual(tags('one', 0, 205))
})

test('T47: the time of day goes back an hour and on a day: nothing that is there is forgotten, nothing is sent again', async () => {
  const h = await stopped()
  for (const wallOffsetMs of [-3_600_000, DAY_MS, 0]) {
    h.wallOffsetMs = wallOffsetMs
    await h.start()
    await h.advance(60_000)
    await h.stop()
  }

  expect([h.delivered, h.store?.files.size]).toEqual([tags('one', 0, 200), 1])
})

test('T47: a file that is gone is forgotten when both clocks say so', async () => {
  const h = await stopped()
  h.files.rename(LOG, '/elsewhere/app.log')
  const sizes = []
  await h.start()
  await h.advance(60_000)
  h.wallOffsetMs = 8 * DAY_MS
  await h.advance(60_000)
  sizes.push(h.store?.files.size)
  await h.advance(3_600_000)
  sizes.push(h.store?.files.size)

  expect(sizes).toEqual([1, 0])
})

test('T52: a record that fails for good ends the following, and the next run begins with it', async () => {
  const h = new Harness()
  h.files.create(LOG, lines('one', 0, 10))
  await h.start()
  await h.advance(2_000)
  h.sink.endOf = text =>
    text === 'one:15' ? { kind: 'failed', code: 'KPL_ERR_X', message: 'no', isPoison: true } : { kind: 'delivered' }
  h.files.append(LOG, lines('one', 10, 10))
  const { reason, failure, unacknowledgedRecords } = await h.result()
  await h.start()
  await h.advance(2_000)

  const offset = Buffer.byteLength(lines('one', 0, 15))
  expect([reason, failure, unacknowledgedRecords > 0]).toEqual([
    'failed',
    { code: 'KPL_ERR_X', message: 'no', path: LOG, offset, isPoison: true },
    true
  ])
  expect(h.sinks[1]?.delivered[0]).toEqual({ text: 'one:15', path: LOG, offset })
})

test('T52: a record that a policy skips does not hold the others', async () => {
  const h = new Harness()
  h.files.create(LOG, lines('one', 0, 10))
  await h.start()
  h.sink.endOf = text => (text === 'one:15' ? { kind: 'skipped' } : { kind: 'delivered' })
  h.files.append(LOG, lines('one', 10, 10))
  await h.advance(3_000)

  const [file] = h.follower!.status().files
  expect([h.delivered.length, file?.acked === file?.size, h.follower!.status().skipped]).toEqual([
    19,
    true,
    { policy: 1 }
  ])
})

test('T53: 10,000 acknowledgements in any order: the saved offset never passes a record that is not acknowledged', async () => {
  const h = new Harness()
  h.files.create(LOG, lines('one', 0, 10_000))
  const sink = new ModelSink(h.clock)
  sink.endOf = () => 'later'
  await h.startWith(sink)
  await h.advance(2_000)
  const random = randomOf(7)
  const before = h.follower!.status().files[0]?.acked
  h.sink.answerLater(settles =>
    settles
      .map(settle => ({ settle, rank: random() }))
      .sort((a, b) => a.rank - b.rank)
      .map(({ settle }) => settle)
      .slice(0, 9_999)
  )
  await h.advance(5_000)
  await h.kill()
  await h.start()
  await h.advance(5_000)

  expect([before, new Set(h.delivered).size]).toEqual([0, 10_000])
})

test('T54: a flow is taken away and comes back: it goes on where it was', async () => {
  const h = new Harness()
  h.files.create(LOG, lines('one', 0, 10))
  await h.start()
  await h.advance(2_000)
  const gone = h.follower!.replaceFlows([])
  await h.advance(1_000)
  await gone
  h.files.append(LOG, lines('one', 10, 5))
  await h.advance(5_000)
  const meanwhile = h.delivered.length
  void h.follower!.replaceFlows([{ settings: h.settings, sink: h.sink }])
  await h.advance(2_000)

  expect([meanwhile, h.delivered]).toEqual([10, tags('one', 0, 15)])
})

test('T54: a flow gets other settings while a deleted file is not read to its end', async () => {
  const h = new Harness()
  h.files.create(LOG, lines('one', 0, 10))
  await h.start()
  await h.advance(2_000)
  h.sink.isBlocked = true
  h.files.append(LOG, lines('one', 10, 100_000))
  await h.advance(1_000)
  h.files.unlink(LOG)
  await h.advance(2_000)
  h.settings = { ...h.settings, pollMs: 100 }
  void h.follower!.replaceFlows([{ settings: h.settings, sink: h.sink }])
  await h.advance(5_000)
  h.sink.unblock()
  await h.advance(20_000)

  expect(h.delivered).toEqual(tags('one', 0, 100_010))
})

test.each([
  [undefined, tags('old', 0, 5)],
  [3_600_000, []]
])('T54: the globs are widened: an old file is read from 0, unless ignoreOlder is %s', async (ignoreOlderMs, sent) => {
  const h = new Harness({ files: [LOG], from: 'end', ignoreOlderMs })
  h.files.create('/logs/old.log', lines('old', 0, 5))
  h.files.create(LOG, lines('one', 0, 5))
  await h.advance(DAY_MS)
  await h.start()
  await h.advance(2_000)
  h.settings = { ...h.settings, files: ['/logs/*'] }
  void h.follower!.replaceFlows([{ settings: h.settings, sink: h.sink }])
  await h.advance(5_000)

  expect(h.delivered).toEqual(sent)
})

test('a state that cannot be saved: sending goes on, and after a minute the following ends', async () => {
  const h = new Harness()
  h.files.create(LOG, lines('one', 0, 10))
  await h.start()
  await h.advance(3_000)
  h.directory.failsWith = 'ENOSPC'
  h.files.append(LOG, lines('one', 10, 10))
  await h.advance(30_000)
  const sent = h.delivered.length
  const { reason, isSaved } = await h.result()

  expect([sent, reason, isSaved, h.warnings]).toEqual([
    20,
    'state',
    false,
    ['CLI_WARN_STATE the state cannot be saved: ENOSPC']
  ])
})

test('a state that can be saved again is whole', async () => {
  const h = new Harness()
  h.files.create(LOG, lines('one', 0, 10))
  await h.start()
  await h.advance(3_000)
  h.directory.failsWith = 'EIO'
  h.files.append(LOG, lines('one', 10, 10))
  await h.advance(30_000)
  h.directory.failsWith = undefined
  await h.advance(5_000)
  await h.kill()
  await h.start()
  await h.advance(5_000)

  expect(h.delivered).toEqual(tags('one', 0, 20))
})

test('a line that is passed over is passed over once: the lines behind it are found again after a restart', async () => {
  const h = new Harness()
  h.settings = { ...h.settings, framing: { ...h.settings.framing, maxLineBytes: 1_000 } }
  h.files.create(LOG, `${lines('one', 0, 100)}${'x'.repeat(2_000_000)}`)
  await h.start()
  await h.advance(3_000)
  h.files.append(LOG, `x\n${lines('one', 100, 100)}${'y'.repeat(500)}`)
  await h.advance(3_000)
  await h.stop()
  h.files.append(LOG, `\n${lines('one', 200, 5)}`)
  await h.start()
  await h.advance(3_000)

  expect(h.delivered).toEqual([...tags('one', 0, 200), 'y'.repeat(500), ...tags('one', 200, 5)])
})

const MULTILINE = { start: /^\d/, maxLines: 1_000, maxBytes: 1024 * 1024, flushAfterMs: 2_000 }

function multiline(h: Harness): Harness {
  h.settings = { ...h.settings, framing: { ...h.settings.framing, multiline: MULTILINE } }
  return h
}

test('T24: a record of several lines over two reads, over a rotation and over a restart', async () => {
  const h = multiline(new Harness())
  h.files.create(LOG, '1 a\n')
  await h.start()
  await h.advance(1_000)
  h.files.append(LOG, ' b\n2 a\n')
  await h.advance(1_000)
  h.files.append(LOG, ' b\n')
  h.files.rename(LOG, `${LOG}.1`)
  h.files.create(LOG, '3 a\n')
  await h.advance(1_000)
  await h.stop()
  h.files.append(LOG, ' b\n')
  await h.start()
  await h.advance(10_000)

  expect(h.delivered.toSorted()).toEqual(['1 a\n b', '2 a\n b', '3 a\n b'])
})

test.each([
  [-10, ['1 a\n b', '2 a']],
  [260, ['1 a', ' b', '2 a']]
])(
  'T26: the last record of several lines goes flushAfter after its last byte; a line %i ms from then',
  async (ms, sent) => {
    const h = multiline(new Harness())
    h.files.create(LOG, '0\n')
    await h.start()
    await h.advance(10_000)
    h.files.append(LOG, '1 a\n')
    await h.advance(1_000)
    const readAtMs = h.clock.nowMs() - (h.clock.nowMs() % 250)
    await h.advance(readAtMs + 1_000 + ms - h.clock.nowMs())
    h.files.append(LOG, ' b\n2 a\n')
    await h.advance(10_000)

    expect(h.delivered).toEqual(['0', ...sent])
  }
)
