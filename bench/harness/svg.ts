/**
 * Plots as inline SVG, without scripts.
 * Invariant: text comes from our own tables and is escaped; a plot is drawn from medians, with whiskers to the extremes.
 */
import type { BarPlot, LinePlot, Plot } from './report.ts'
import { median, quantile } from './statistics.ts'
import { formatValue } from './units.ts'

const WIDTH = 860
const LABEL_WIDTH = 300
const BAR_HEIGHT = 24
const PLOT_HEIGHT = 300
const MARGIN = 60
const TICKS = 5
const COLOURS = ['#1f6feb', '#d1601f', '#2a9d4a', '#8250df', '#b5179e', '#6e7781', '#0a7d8c', '#a67c00']

export function plotSvg(plot: Plot): string {
  return plot.kind === 'bars' ? barsSvg(plot) : linesSvg(plot)
}

export function escapeText(text: string): string {
  return text.replace(/[&<>"]/g, character => `&#${character.charCodeAt(0)};`)
}

function barsSvg({ title, unit, bars }: BarPlot): string {
  const most = Math.max(...bars.map(({ samples }) => quantile(samples, 1)))
  const scale = (WIDTH - LABEL_WIDTH - 130) / most
  const rows = bars.map(({ label, samples }, row) => {
    const y = row * (BAR_HEIGHT + 8) + 8
    const [low, middle, high] = [quantile(samples, 0), median(samples), quantile(samples, 1)].map(
      value => LABEL_WIDTH + value * scale
    ) as [number, number, number]
    const centre = y + BAR_HEIGHT / 2
    return [
      text(LABEL_WIDTH - 8, centre + 4, label, 'end'),
      `<rect x="${LABEL_WIDTH}" y="${y}" width="${middle - LABEL_WIDTH}" height="${BAR_HEIGHT}" fill="${colour(row)}"/>`,
      `<path d="M${low} ${centre}H${high}M${low} ${y + 6}v12M${high} ${y + 6}v12" stroke="#000" fill="none"/>`,
      text(high + 8, centre + 4, formatValue(median(samples), unit), 'start')
    ].join('')
  })
  return figure(title, bars.length * (BAR_HEIGHT + 8) + 16, rows)
}

function linesSvg({ title, xTitle, yTitle, xScale, lines }: LinePlot): string {
  const position = (x: number) => (xScale === 'log' ? Math.log10(x) : -Math.log10(1 - Math.min(x, 0.99999)))
  const xs = lines.flatMap(({ points }) => points.map(([x]) => x))
  const [first, last] = [Math.min(...xs), Math.max(...xs)]
  const highest = Math.max(...lines.flatMap(({ points }) => points.map(([, y]) => y))) || 1
  const span = position(last) - position(first) || 1
  const toX = (x: number) => MARGIN + ((position(x) - position(first)) / span) * (WIDTH - 2 * MARGIN)
  const toY = (y: number) => PLOT_HEIGHT - (y / highest) * (PLOT_HEIGHT - 30)
  const drawn = lines.map(({ label, points }, index) => {
    const path = points.map(([x, y], i) => `${i === 0 ? 'M' : 'L'}${toX(x).toFixed(1)} ${toY(y).toFixed(1)}`).join('')
    const legendY = PLOT_HEIGHT + 62 + index * 18
    return (
      `<path d="${path}" stroke="${colour(index)}" stroke-width="2" fill="none"/>` +
      `<rect x="${MARGIN}" y="${legendY - 10}" width="12" height="12" fill="${colour(index)}"/>` +
      text(MARGIN + 18, legendY, label, 'start')
    )
  })
  const marks = xScale === 'log' ? [...new Set(xs)] : [0, 0.5, 0.9, 0.99, 0.999, 0.9999].filter(x => x <= last)
  const xAxis = marks.map(x => text(toX(x), PLOT_HEIGHT + 18, xScale === 'log' ? x.toLocaleString('en-US') : `${x}`))
  const yAxis = Array.from({ length: TICKS + 1 }, (_, i) => {
    const y = (highest * i) / TICKS
    const line = `<path d="M${MARGIN} ${toY(y)}H${WIDTH - MARGIN}" stroke="#ddd"/>`
    return line + text(MARGIN - 6, toY(y) + 4, y >= 10 ? y.toFixed(0) : y.toPrecision(2), 'end')
  })
  const titles = [text(WIDTH / 2, PLOT_HEIGHT + 38, xTitle), text(MARGIN, 14, yTitle, 'start')]
  return figure(title, PLOT_HEIGHT + 70 + lines.length * 18, [...yAxis, ...xAxis, ...titles, ...drawn])
}

function figure(title: string, height: number, parts: readonly string[]): string {
  const size = `viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}"`
  return `<figure><figcaption>${escapeText(title)}</figcaption><svg ${size} role="img">${parts.join('')}</svg></figure>`
}

function text(x: number, y: number, content: string, anchor: 'start' | 'middle' | 'end' = 'middle'): string {
  return `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" text-anchor="${anchor}">${escapeText(content)}</text>`
}

function colour(index: number): string {
  return COLOURS[index % COLOURS.length]!
}
