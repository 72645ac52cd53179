/**
 * Plots as inline SVG, without scripts.
 * Invariant: text comes from our own tables and is escaped; a plot is drawn from medians, with whiskers to the extremes;
 * a colour says whose figure it is, lines of one side differ by their dashes.
 */
import { COLOURS, legendOf, SIDE_NAMES } from './palette.ts'
import type { BarPlot, LinePlot, Plot, Side } from './report.ts'
import { median, quantile } from './statistics.ts'
import { formatValue } from './units.ts'

const WIDTH = 860
const LABEL_WIDTH = 250
const VALUE_WIDTH = 110
const BAR_HEIGHT = 20
const BAR_GAP = 8
const LEGEND_HEIGHT = 30
const PLOT_HEIGHT = 300
const MARGIN = 60
const TICKS = 5
const DASHES = ['none', '8 4', '2 4', '12 4 2 4', '4 2', '1 3']

export function plotSvg(plot: Plot): string {
  return plot.kind === 'bars' ? barsSvg(plot) : linesSvg(plot)
}

export function escapeText(text: string): string {
  return text.replace(/[&<>"]/g, character => `&#${character.charCodeAt(0)};`)
}

function barsSvg({ title, unit, bars }: BarPlot): string {
  const most = Math.max(...bars.map(({ samples }) => quantile(samples, 1)))
  const scale = (WIDTH - LABEL_WIDTH - VALUE_WIDTH) / most
  const rows = bars.map(({ label, side, samples }, row) => {
    const y = LEGEND_HEIGHT + row * (BAR_HEIGHT + BAR_GAP)
    const [low, middle, high] = [quantile(samples, 0), median(samples), quantile(samples, 1)].map(
      value => LABEL_WIDTH + value * scale
    ) as [number, number, number]
    const centre = y + BAR_HEIGHT / 2
    const width = (middle - LABEL_WIDTH).toFixed(1)
    return [
      text(LABEL_WIDTH - 8, centre + 4, label, 'end'),
      `<rect x="${LABEL_WIDTH}" y="${y}" width="${width}" height="${BAR_HEIGHT}" rx="2" fill="${COLOURS[side]}"/>`,
      samples.length > 1 ? whisker(low, high, centre) : '',
      text(high + 8, centre + 4, formatValue(median(samples), unit), 'start')
    ].join('')
  })
  return figure(title, LEGEND_HEIGHT + bars.length * (BAR_HEIGHT + BAR_GAP), [...legend(bars), ...rows])
}

function whisker(low: number, high: number, y: number): string {
  const [from, to] = [low.toFixed(1), high.toFixed(1)]
  const path = `M${from} ${y}H${to}M${from} ${y - 4}v8M${to} ${y - 4}v8`
  return `<path d="${path}" stroke="currentColor" stroke-opacity="0.7" fill="none"/>`
}

/** At the left end of the bars, or further to the left where it is long. */
function legend(bars: readonly { readonly side: Side }[]): string[] {
  const { entries, width } = legendOf(bars)
  return entries.map(entry => {
    const { side } = entry
    const x = Math.max(0, Math.min(LABEL_WIDTH, WIDTH - width)) + entry.x
    return `<rect x="${x}" y="4" width="12" height="12" rx="2" fill="${COLOURS[side]}"/>${text(x + 18, 14, SIDE_NAMES[side], 'start')}`
  })
}

function linesSvg({ title, xTitle, yTitle, xScale, lines }: LinePlot): string {
  const position = (x: number) => (xScale === 'log' ? Math.log10(x) : -Math.log10(1 - Math.min(x, 0.99999)))
  const xs = lines.flatMap(({ points }) => points.map(([x]) => x))
  const [first, last] = [Math.min(...xs), Math.max(...xs)]
  const highest = niceCeiling(Math.max(...lines.flatMap(({ points }) => points.map(([, y]) => y))))
  const span = position(last) - position(first) || 1
  const toX = (x: number) => MARGIN + ((position(x) - position(first)) / span) * (WIDTH - 2 * MARGIN)
  const toY = (y: number) => PLOT_HEIGHT - (y / highest) * (PLOT_HEIGHT - 30)
  const drawn = lines.map(({ label, side, points }, index) => {
    const path = points.map(([x, y], i) => `${i === 0 ? 'M' : 'L'}${toX(x).toFixed(1)} ${toY(y).toFixed(1)}`).join('')
    const legendY = PLOT_HEIGHT + 62 + index * 18
    const nth = lines.slice(0, index).filter(line => line.side === side).length
    const style = `stroke="${COLOURS[side]}" stroke-width="2" stroke-dasharray="${DASHES[nth % DASHES.length]}" fill="none"`
    return (
      `<path d="${path}" ${style}/>` +
      `<path d="M${MARGIN} ${legendY - 4}h36" ${style}/>` +
      text(MARGIN + 44, legendY, label, 'start')
    )
  })
  const marks = xScale === 'log' ? [...new Set(xs)] : [0, 0.5, 0.9, 0.99, 0.999, 0.9999].filter(x => x <= last)
  const xAxis = marks.map(x => text(toX(x), PLOT_HEIGHT + 18, xScale === 'log' ? x.toLocaleString('en-US') : `${x}`))
  const yAxis = Array.from({ length: TICKS + 1 }, (_, i) => {
    const y = (highest * i) / TICKS
    const line = `<path d="M${MARGIN} ${toY(y)}H${WIDTH - MARGIN}" stroke="#8b949e" stroke-opacity="0.35"/>`
    return line + text(MARGIN - 6, toY(y) + 4, y >= 10 || y === 0 ? y.toFixed(0) : y.toPrecision(2), 'end')
  })
  const titles = [text(WIDTH / 2, PLOT_HEIGHT + 38, xTitle), text(MARGIN, 14, yTitle, 'start')]
  return figure(title, PLOT_HEIGHT + 58 + lines.length * 18, [...yAxis, ...xAxis, ...titles, ...drawn])
}

/** The next of 1, 2, 2.5, 5 and 10 times a power of ten, so that the axis has round numbers. */
function niceCeiling(value: number): number {
  if (value <= 0) return 1
  const power = 10 ** Math.floor(Math.log10(value))
  return power * [1, 2, 2.5, 5, 10].find(step => value <= step * power)!
}

function figure(title: string, height: number, parts: readonly string[]): string {
  const size = `viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}"`
  return `<figure><figcaption>${escapeText(title)}</figcaption><svg ${size} role="img" aria-label="${escapeText(title)}">${parts.join('')}</svg></figure>`
}

function text(x: number, y: number, content: string, anchor: 'start' | 'middle' | 'end' = 'middle'): string {
  return `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" text-anchor="${anchor}">${escapeText(content)}</text>`
}
