/**
 * T33: the process dies at any call, of files or of the state, and the machine with it or not.
 * `FOLLOW_CRASHES=1000 npx vitest run test/cli/follow/crashes.test.ts` is the long run; a seed is one story with a few deaths.
 * 2026-11-28: 1,000 seeds in 54 s, nothing lost, no repeat above the bound.
 */
import { expect, test } from 'vitest'
import { Harness, ModelSink } from './harness.ts'
import { ModelWriter } from './model-writer.ts'
import { randomOf } from './random-of.ts'

const SEEDS = Number(process.env['FOLLOW_CRASHES'] ?? 60)
const LOG = '/logs/app.log'
const CHECKPOINT_MS = 1_000
/** A commit takes no time here; a poll may lie between an answer and the commit. */
const SLACK_MS = 300

interface Story {
  readonly h: Harness
  readonly writer: ModelWriter
  readonly lost: readonly string[]
  /** Lines that were sent again, and how many a crash may repeat. */
  readonly repeats: number
  readonly mayRepeat: number
  readonly calls: number
  readonly deaths: number
}

/** One story: appends, rotations and deaths drawn from a seed. The next process begins at once. */
async function story(seed: number, deathsAt: readonly number[]): Promise<Story> {
  const random = randomOf(seed)
  const h = new Harness({}, seed)
  const sent = new Map<string, number[]>()
  const isDelivered = (line: string) => sent.has(line)
  const writer = new ModelWriter(h.files, { log: LOG, areRotatedSeen: true, nowMs: () => h.clock.nowMs(), isDelivered })
  let mayRepeat = 0
  let calls = 0
  let deaths = 0
  const start = async (callsLeft: number) => {
    const sink = new ModelSink(h.clock)
    sink.latencyMs = 40
    sink.capacity = 500
    sink.onDelivered = text => sent.set(text, [...(sent.get(text) ?? []), h.clock.nowMs()])
    await h.startWith(sink, { callsLeft, diesAfterCall: random() < 0.5 })
  }
  const revive = async () => {
    if (!h.process.isDead) return
    deaths++
    calls += h.process.calls
    writer.processEnded()
    const sinceMs = h.diedAtMs - CHECKPOINT_MS - SLACK_MS
    const unsaved = [...sent.values()].filter(times => (times.at(-1) ?? 0) >= sinceMs).length
    mayRepeat += unsaved + h.sink.inFlight
    if (random() < 0.5) h.directory.restart(random)
    await start(deathsAt[deaths] ?? Number.POSITIVE_INFINITY)
  }
  await start(deathsAt[0] ?? Number.POSITIVE_INFINITY)
  for (let step = 0; step < 25; step++) {
    const draw = random()
    if (draw < 0.5) writer.append(1 + Math.floor(random() * 40))
    else if (draw < 0.6) writer.appendPart()
    else if (draw < 0.7) writer.rename()
    else if (draw < 0.8) writer.copyTruncate()
    for (let slices = Math.floor(random() * 20); slices >= 0; slices--) {
      await h.advance(100)
      await revive()
    }
  }
  for (let second = 0; second < 90; second++) {
    await h.advance(1_000)
    await revive()
  }
  calls += h.process.calls
  const whole = [...sent].filter(([text]) => /^\d+:\d+;$/.test(text))
  const repeats = whole.reduce((sum, [, times]) => sum + times.length - 1, 0)
  return { h, writer, lost: writer.owedLines.filter(line => !sent.has(line)), repeats, mayRepeat, calls, deaths }
}

test(`T33: a death at any call loses nothing, and repeats no more than what was in flight and not saved (${SEEDS} seeds)`, async () => {
  let deaths = 0
  for (let seed = 0; seed < SEEDS; seed++) {
    const { calls } = await story(seed, [])
    const random = randomOf(seed + 1_000_000)
    const deathsAt = Array.from({ length: 3 }, () => Math.floor(random() * calls * 0.6))
    const told = await story(seed, deathsAt)
    deaths += told.deaths
    const { lost, repeats, mayRepeat } = told
    expect({ seed, lost, isTooMuch: repeats > mayRepeat ? `${repeats} > ${mayRepeat}` : '' }).toEqual({
      seed,
      lost: [],
      isTooMuch: ''
    })
  }

  expect(deaths).toBeGreaterThan(SEEDS)
}, 3_600_000)

test('T33: a death at each of the first calls of a process', async () => {
  for (let call = 0; call < 80; call++) {
    const { lost, deaths } = await story(5, [call, call + 3])
    expect({ call, lost, deaths }).toEqual({ call, lost: [], deaths: 2 })
  }
}, 600_000)
