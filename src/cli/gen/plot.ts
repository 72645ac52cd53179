/**
 * Lines over seconds as SVG text.
 * Invariant: pure; the axis begins at 0 and ends at a round number above every value.
 */

export interface Series {
  readonly name: string
  readonly colour: string
  readonly values: readonly number[]
}

const WIDTH = 760
const HEIGHT = 260
const LEFT = 64
const RIGHT = 16
/** The legend, and below it the unit above the highest mark. */
const TOP = 50
const UNIT_Y = 34
const BOTTOM = 34
const TICKS = 4
/** Of text of 12 px: a little more than most fonts take. */
const CHARACTER_WIDTH = 7

/** `seconds` are the places of the values from left to right. */
export function plotSvg(seconds: readonly number[], series: readonly Series[], unit: string): string {
  const top = roundAbove(Math.max(0, ...series.flatMap(({ values }) => values)))
  const last = Math.max(1, seconds.at(-1) ?? 1)
  const xOf = (second: number) => LEFT + ((WIDTH - LEFT - RIGHT) * second) / last
  const yOf = (value: number) => HEIGHT - BOTTOM - ((HEIGHT - TOP - BOTTOM) * value) / top
  const grid = Array.from({ length: TICKS + 1 }, (_, tick) => {
    const value = (top * tick) / TICKS
    const y = yOf(value).toFixed(1)
    const line = `<line x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${y}" y2="${y}" stroke="#e3e6ea"/>`
    return `${line}<text x="${LEFT - 8}" y="${y}" dy="4" text-anchor="end">${numberText(value)}</text>`
  })
  const marks = ticksUpTo(last).map(
    second => `<text x="${xOf(second).toFixed(1)}" y="${HEIGHT - 14}" text-anchor="middle">${second} s</text>`
  )
  const lines = series.map(({ colour, values }) => {
    const points = values.map((value, place) => `${xOf(seconds[place]!).toFixed(1)},${yOf(value).toFixed(1)}`)
    // One value alone makes no line.
    const dots =
      points.length < 40
        ? points.map(point => `<circle cx="${point.replace(',', '" cy="')}" r="2.5" fill="${colour}"/>`).join('')
        : ''
    return `<polyline points="${points.join(' ')}" fill="none" stroke="${colour}" stroke-width="1.8"/>${dots}`
  })
  const legend = series.map(({ name, colour }, place) => {
    const before = series.slice(0, place).reduce((width, each) => width + 42 + each.name.length * CHARACTER_WIDTH, 0)
    const x = LEFT + before
    return `<rect x="${x}" y="6" width="12" height="12" fill="${colour}"/><text x="${x + 18}" y="16">${name}</text>`
  })
  const axis = `<text x="${LEFT - 8}" y="${UNIT_Y}" text-anchor="end">${unit}</text>`
  const parts = [...grid, ...marks, ...lines, ...legend, axis]
  return `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img">${parts.join('')}</svg>`
}

/** Returns 1, 2 or 5 times a power of ten, at least `value`; 1 for 0. */
function roundAbove(value: number): number {
  if (value <= 0) return 1
  const power = 10 ** Math.floor(Math.log10(value))
  return [1, 2, 5, 10].map(step => step * power).find(step => step >= value) ?? 10 * power
}

function ticksUpTo(last: number): number[] {
  const step = Math.max(1, roundAbove(last / 10))
  return Array.from({ length: Math.floor(last / step) + 1 }, (_, tick) => tick * step)
}

function numberText(value: number): string {
  return value >= 1000 ? value.toLocaleString('en-US') : String(Math.round(value * 100) / 100)
}
