/**
 * Draws panels of horizontal bars as SVG text, with the one palette of the benches.
 * Invariant: the same panels give the same bytes; a colour says whose figure it is, and the legend says so too.
 */
import { COLOURS, legendOf, SIDE_NAMES } from '../../bench/harness/palette.ts'
import type { Side } from '../../bench/harness/report.ts'
import { TEXT, text } from './chart.ts'

export interface Bar {
  readonly label: string
  readonly side: Side
  readonly value: number
  /** What stands behind the bar. */
  readonly note: string
}

export interface Panel {
  readonly title: string
  readonly bars: readonly Bar[]
}

export interface BarChart {
  readonly title: string
  readonly panels: readonly Panel[]
  /** Below everything, small. */
  readonly caption: string
}

const WIDTH = 720
const LABEL_WIDTH = 190
const NOTE_WIDTH = 120
const BAR_HEIGHT = 20
const BAR_STEP = 26
const PANEL_TOP = 26
const PANEL_GAP = 14
const TOP = 72

export function drawBars({ title, panels, caption }: BarChart): string {
  const heights = panels.map(({ bars }) => PANEL_TOP + bars.length * BAR_STEP + PANEL_GAP)
  const tops = heights.map((_, i) => TOP + heights.slice(0, i).reduce((sum, height) => sum + height, 0))
  const height = TOP + heights.reduce((sum, each) => sum + each, 0) + 24
  const { entries, width } = legendOf(panels.flatMap(({ bars }) => bars))
  const lines = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" role="img" ` +
      `font-family="system-ui, sans-serif" font-size="13" fill="${TEXT}">`,
    `<title>${title}</title>`,
    text(WIDTH / 2, 24, title, 'middle', 15),
    ...entries.flatMap(({ side, x }) => legend(side, (WIDTH - width) / 2 + x)),
    ...panels.flatMap((panel, i) => drawPanel(panel, tops[i]!)),
    text(WIDTH / 2, height - 10, caption, 'middle', 11),
    '</svg>'
  ]
  return `${lines.join('\n')}\n`
}

function legend(side: Side, x: number): string[] {
  return [
    `<rect x="${x}" y="40" width="12" height="12" rx="2" fill="${COLOURS[side]}"/>`,
    text(x + 18, 51, SIDE_NAMES[side], 'start')
  ]
}

/** Each panel has a scale of its own: they show different things. */
function drawPanel({ title, bars }: Panel, top: number): string[] {
  const scale = (WIDTH - LABEL_WIDTH - NOTE_WIDTH) / Math.max(...bars.map(({ value }) => value))
  return [
    text(LABEL_WIDTH, top + 14, title, 'start', 13),
    ...bars.flatMap(({ label, side, value, note }, i) => {
      const y = top + PANEL_TOP + i * BAR_STEP
      const width = Math.round(value * scale * 10) / 10
      return [
        text(LABEL_WIDTH - 8, y + 15, label, 'end'),
        `<rect x="${LABEL_WIDTH}" y="${y}" width="${width}" height="${BAR_HEIGHT}" rx="2" fill="${COLOURS[side]}"/>`,
        text(LABEL_WIDTH + width + 8, y + 15, note, 'start')
      ]
    })
  ]
}
