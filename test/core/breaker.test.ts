import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Breaker } from '../../src/core/breaker.ts'

/** With a random number of 0 the next probe is half a span away. */
const noJitter = () => 0

describe('failures', () => {
  test('open it at the fifth in a row', () => {
    const breaker = new Breaker(noJitter)
    const states: boolean[] = []

    for (let i = 0; i < 5; i++) {
      breaker.failed(i, i)
      states.push(breaker.isOpen)
    }

    expect(states).toEqual([false, false, false, false, true])
    expect([breaker.mayStart(4), breaker.nextDeadlineMs]).toEqual([false, 4 + 500])
  })

  test('that an answer interrupts are counted anew', () => {
    const breaker = new Breaker(noJitter)
    for (let i = 0; i < 4; i++) breaker.failed(i, i)
    const hasEnded = breaker.answered()

    for (let i = 5; i < 9; i++) breaker.failed(i, i)

    expect([hasEnded, breaker.isOpen, breaker.mayStart(9), breaker.nextDeadlineMs]).toEqual([false, false, true, 0])
  })

  test('of requests that began before the wait are ignored', () => {
    const breaker = opened()
    const before = breaker.nextDeadlineMs

    for (let i = 0; i < 19; i++) breaker.failed(0, 20 + i)

    expect(breaker.nextDeadlineMs).toBe(before)
  })

  test('of probes double the wait, up to 30 seconds', () => {
    const breaker = opened()
    const waitsMs: number[] = []

    for (let i = 0; i < 8; i++) {
      const nowMs = breaker.nextDeadlineMs
      breaker.started()
      breaker.failed(nowMs, nowMs)
      waitsMs.push(breaker.nextDeadlineMs - nowMs)
    }

    expect(waitsMs).toEqual([1000, 2000, 4000, 8000, 15_000, 15_000, 15_000, 15_000])
  })

  test('leave a wait of half a span to a whole one', () => {
    const breaker = new Breaker(() => 0.999)
    for (let i = 0; i < 5; i++) breaker.failed(0, 0)

    expect(breaker.nextDeadlineMs).toBeCloseTo(999.5, 6)
  })
})

describe('probes', () => {
  test('go one at a time', () => {
    const breaker = opened()
    const atMs = breaker.nextDeadlineMs

    const answers = [breaker.mayStart(atMs - 1), breaker.mayStart(atMs)]
    breaker.started()

    expect([...answers, breaker.mayStart(atMs), breaker.mayStart(1e12), breaker.nextDeadlineMs]).toEqual([
      false,
      true,
      false,
      false,
      Infinity
    ])
  })

  test('that are answered close it, once', () => {
    const breaker = opened()
    breaker.started()

    const ended = [breaker.answered(), breaker.answered()]

    expect([...ended, breaker.isOpen, breaker.mayStart(0), breaker.nextDeadlineMs]).toEqual([
      true,
      false,
      false,
      true,
      0
    ])
  })

  test('that reach the service and are refused for their content close it too', () => {
    const breaker = opened()
    breaker.started()

    const hasEnded = breaker.reached()

    expect([hasEnded, breaker.isOpen]).toEqual([true, false])
  })

  test('begin with the short wait again after an answer', () => {
    const breaker = opened()
    for (let i = 0; i < 3; i++) breaker.failed(breaker.nextDeadlineMs, breaker.nextDeadlineMs)
    breaker.answered()

    for (let i = 0; i < 5; i++) breaker.failed(100_000, 100_000)

    expect(breaker.nextDeadlineMs).toBe(100_500)
  })
})

describe('refusals', () => {
  test('of a stream that never took a record are believed at the third', () => {
    const breaker = new Breaker(noJitter)
    const believed: boolean[] = []

    for (let nowMs = 0, i = 0; i < 4; i++, nowMs = breaker.nextDeadlineMs) believed.push(breaker.refused(nowMs, nowMs))

    expect(believed).toEqual([false, false, true, true])
  })

  test('open it at once, and are asked again soon', () => {
    const breaker = new Breaker(noJitter)

    breaker.refused(0, 0)

    expect([breaker.isOpen, breaker.nextDeadlineMs]).toEqual([true, 50])
  })

  test('of requests that began before the first was known count once', () => {
    const breaker = new Breaker(noJitter)

    const believed = Array.from({ length: 24 }, () => breaker.refused(0, 10))

    expect(new Set(believed.slice(1))).toEqual(new Set([false]))
    expect(breaker.nextDeadlineMs).toBe(10 + 50)
  })

  test('of a stream that took records are believed after 30 seconds of them', () => {
    const breaker = new Breaker(noJitter)
    breaker.answered()
    const believed: [number, boolean][] = []

    for (const nowMs of [1000, 2000, 4000, 30_999, 31_000]) believed.push([nowMs, breaker.refused(nowMs, nowMs)])

    expect(believed).toEqual([
      [1000, false],
      [2000, false],
      [4000, false],
      [30_999, false],
      [31_000, true]
    ])
  })

  test('that an answer interrupts are borne anew', () => {
    const breaker = new Breaker(noJitter)
    breaker.answered()
    breaker.refused(0, 0)
    breaker.answered()

    const believed = [breaker.refused(40_000, 40_000), breaker.refused(69_999, 69_999), breaker.refused(70_000, 70_000)]

    expect(believed).toEqual([false, false, true])
  })

  test('that another failure interrupts are counted anew', () => {
    const breaker = new Breaker(noJitter)
    breaker.refused(0, 0)
    breaker.refused(100, 100)
    breaker.failed(200, 200)

    const believed = [breaker.refused(300, 300), breaker.refused(400, 400), breaker.refused(500, 500)]

    expect(believed).toEqual([false, false, true])
  })
})

describe('refusals on this side', () => {
  test('of a stream that never took a record are believed at the third', () => {
    const breaker = new Breaker(noJitter)
    const believed: boolean[] = []

    for (let nowMs = 0, i = 0; i < 3; i++, nowMs = breaker.nextDeadlineMs) {
      believed.push(breaker.refusedHere(nowMs, nowMs, false))
    }

    expect(believed).toEqual([false, false, true])
  })

  test.each([
    [5000, [true]],
    [1500, [true]],
    [1000, [false, true]],
    [600, [false, false, true]]
  ])('that take %i ms each are believed once they took 1.5 seconds', (tryMs, expected) => {
    const breaker = new Breaker(noJitter)
    let nowMs = 0

    const believed = expected.map(() => {
      const startMs = nowMs
      nowMs = startMs + tryMs
      return breaker.refusedHere(startMs, nowMs, false)
    })

    expect(believed).toEqual(expected)
  })

  test('of what may only be late are believed after 1.5 seconds, however many they are', () => {
    const breaker = new Breaker(noJitter)

    const believed = [0, 300, 600, 900, 1499, 1500].map(nowMs => breaker.refusedHere(nowMs, nowMs, true))

    expect(believed).toEqual([false, false, false, false, false, true])
  })

  test('of a stream that took records are believed after 30 seconds of them', () => {
    const breaker = new Breaker(noJitter)
    breaker.answered()

    const believed = [1000, 6000, 30_999, 31_000].map(nowMs => breaker.refusedHere(nowMs, nowMs, false))

    expect(believed).toEqual([false, false, false, true])
  })

  test('are asked about every 0.4 s at least, since nothing leaves for it', () => {
    const breaker = new Breaker(noJitter)
    const waitsMs: number[] = []

    for (let i = 0; i < 7; i++) {
      const nowMs = breaker.nextDeadlineMs
      breaker.refusedHere(nowMs, nowMs, false)
      waitsMs.push(breaker.nextDeadlineMs - nowMs)
    }

    expect(waitsMs).toEqual([50, 100, 200, 200, 200, 200, 200])
  })
})

describe('when the state of the stream was told', () => {
  test('a probe goes at once, and the waits begin short again', () => {
    const breaker = new Breaker(noJitter)
    breaker.answered()
    for (let i = 0; i < 8; i++) breaker.refused(breaker.nextDeadlineMs, breaker.nextDeadlineMs)

    breaker.probeNow(10_000, false)
    const isAllowed = breaker.mayStart(10_000)
    breaker.started()
    const isBelieved = breaker.refused(10_000, 40_000)

    expect([isAllowed, isBelieved, breaker.nextDeadlineMs]).toEqual([true, true, 40_050])
  })

  test('refusals of before do not count for a stream that became ready', () => {
    const breaker = new Breaker(noJitter)
    for (let i = 0; i < 8; i++) breaker.refused(i * 10_000, i * 10_000)

    breaker.probeNow(100_000, true)
    const believed = [100_000, 100_100, 100_300].map(nowMs => breaker.refused(nowMs, nowMs))

    expect(believed).toEqual([false, false, true])
  })

  test('a probe that is out stays the only one', () => {
    const breaker = new Breaker(noJitter)
    breaker.refused(0, 0)
    breaker.started()

    breaker.probeNow(10, true)

    expect([breaker.mayStart(10), breaker.nextDeadlineMs]).toEqual([false, Infinity])
  })
})

test('while it is open at most one request is out that it allowed, whatever happens', () => {
  const step = fc.record({
    kind: fc.constantFrom('start', 'start', 'failed', 'failed', 'refused', 'refusedHere', 'told', 'answered'),
    waitMs: fc.integer({ min: 0, max: 2000 })
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 100 }), steps => {
      const breaker = new Breaker(noJitter)
      let out: { startMs: number; isProbe: boolean }[] = []
      let nowMs = 0
      for (const { kind, waitMs } of steps) {
        nowMs += waitMs
        if (kind === 'start') {
          if (!breaker.mayStart(nowMs)) continue
          out.push({ startMs: nowMs, isProbe: breaker.isOpen })
          breaker.started()
        } else if (kind === 'told') {
          breaker.probeNow(nowMs, waitMs < 1000)
        } else {
          const request = out.shift()
          if (request === undefined) continue
          if (kind === 'failed') breaker.failed(request.startMs, nowMs)
          else if (kind === 'refused') breaker.refused(request.startMs, nowMs)
          else if (kind === 'refusedHere') breaker.refusedHere(request.startMs, nowMs, false)
          else {
            breaker.answered()
            out = out.map(({ startMs }) => ({ startMs, isProbe: false }))
          }
        }
        expect(out.filter(({ isProbe }) => isProbe).length).toBeLessThanOrEqual(1)
        expect(breaker.isOpen || breaker.mayStart(nowMs)).toBe(true)
      }
    }),
    { numRuns: 500 }
  )
})

/** Opened by five failures at 10, so that its first probe is at 510. */
function opened(): Breaker {
  const breaker = new Breaker(noJitter)
  for (let i = 0; i < 5; i++) breaker.failed(0, 10)
  return breaker
}
