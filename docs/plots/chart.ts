/**
 * Draws line charts on logarithmic axes as SVG text.
 * Invariant: the same chart gives the same bytes; every colour has a contrast of at least 3:1, text of 4:1, on white and
 * on GitHub's dark background alike, so one file serves both themes.
 */

export interface Series {
  readonly name: string
  readonly points: readonly (readonly [x: number, y: number])[]
  readonly isDashed?: boolean
}

export interface Axis {
  readonly title: string
  readonly min: number
  readonly max: number
  /** Where the grid is, with the text of each place. */
  readonly ticks: readonly (readonly [value: number, text: string])[]
}

export interface Chart {
  readonly title: string
  readonly x: Axis
  readonly y: Axis
  readonly series: readonly Series[]
}

const WIDTH = 720
const HEIGHT = 420
const LEFT = 84
const RIGHT = 40
const TOP = 48
const BOTTOM = 60
/** Below the title of the x axis, in two columns: inside of the plot, the grid would run through it. */
const LEGEND_TOP = HEIGHT + 10
const LEGEND_LINE = 20
const LEGEND_COLUMNS = 2
export const TEXT = '#6e7781'
const GRID = '#8b949e'
const COLOURS = ['#2f81f7', '#d2691e', '#2da44e', '#a371f7', '#bf8700']

export function draw(chart: Chart): string {
  const x = scale(chart.x, LEFT, WIDTH - RIGHT)
  const y = scale(chart.y, HEIGHT - BOTTOM, TOP)
  const height = LEGEND_TOP + Math.ceil(chart.series.length / LEGEND_COLUMNS) * LEGEND_LINE
  const lines = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" role="img" ` +
      `font-family="system-ui, sans-serif" font-size="13" fill="${TEXT}">`,
    `<title>${escape(chart.title)}</title>`,
    text(WIDTH / 2, 24, chart.title, 'middle', 15),
    ...chart.x.ticks.flatMap(([value, label]) => [
      grid(x(value), TOP, x(value), HEIGHT - BOTTOM),
      text(x(value), HEIGHT - BOTTOM + 18, label, 'middle')
    ]),
    ...chart.y.ticks.flatMap(([value, label]) => [
      grid(LEFT, y(value), WIDTH - RIGHT, y(value)),
      text(LEFT - 8, y(value) + 4, label, 'end')
    ]),
    text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 14, chart.x.title, 'middle'),
    `<g transform="translate(18 ${number((TOP + HEIGHT - BOTTOM) / 2)}) rotate(-90)">${text(0, 0, chart.y.title, 'middle')}</g>`,
    ...chart.series.flatMap((series, index) => curve(series, index, x, y)),
    '</svg>'
  ]
  return `${lines.join('\n')}\n`
}

function curve(
  { name, points, isDashed = false }: Series,
  index: number,
  x: (value: number) => number,
  y: (value: number) => number
): string[] {
  const colour = COLOURS[index % COLOURS.length]!
  const style = `fill="none" stroke="${colour}" stroke-width="2"${isDashed ? ' stroke-dasharray="6 4"' : ''}`
  const path = points.map(([a, b], i) => `${i === 0 ? 'M' : 'L'}${number(x(a))} ${number(y(b))}`).join('')
  const legendX = LEFT + (index % LEGEND_COLUMNS) * ((WIDTH - LEFT - RIGHT) / LEGEND_COLUMNS)
  const legendY = LEGEND_TOP + Math.floor(index / LEGEND_COLUMNS) * LEGEND_LINE
  return [
    `<path d="${path}" ${style}/>`,
    `<path d="M${legendX} ${legendY}h28" ${style}/>`,
    text(legendX + 36, legendY + 4, name, 'start')
  ]
}

function scale({ min, max }: Axis, from: number, to: number): (value: number) => number {
  const span = Math.log10(max) - Math.log10(min)
  return value => from + ((Math.log10(Math.min(max, Math.max(min, value))) - Math.log10(min)) / span) * (to - from)
}

function grid(x1: number, y1: number, x2: number, y2: number): string {
  const ends = `x1="${number(x1)}" y1="${number(y1)}" x2="${number(x2)}" y2="${number(y2)}"`
  return `<line ${ends} stroke="${GRID}" stroke-opacity="0.35"/>`
}

export function text(x: number, y: number, content: string, anchor: 'start' | 'middle' | 'end', size?: number): string {
  const fontSize = size === undefined ? '' : ` font-size="${size}"`
  return `<text x="${number(x)}" y="${number(y)}" text-anchor="${anchor}"${fontSize}>${escape(content)}</text>`
}

/** One decimal: finer than a pixel, and the same on every machine. */
function number(value: number): string {
  return String(Math.round(value * 10) / 10)
}

function escape(content: string): string {
  return content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}
