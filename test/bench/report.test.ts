import { expect, test } from 'vitest'
import { pageOf } from '../../bench/harness/page.ts'
import { COLOURS, SIDE_NAMES } from '../../bench/harness/palette.ts'
import { metric, ratio } from '../../bench/harness/report.ts'
import type { Result } from '../../bench/harness/save.ts'
import { formatMetric } from '../../bench/harness/units.ts'

const RESULT: Result = {
  name: 'example',
  title: 'Example',
  tables: [{ title: 'a table', columns: ['who', 'rate'], rows: [['ours', metric('records/CPU s', [1, 2, 3])]] }],
  plots: [
    {
      kind: 'bars',
      title: 'a plot',
      unit: 'times',
      bars: [
        { label: 'we', side: 'ours', samples: [3, 4] },
        { label: 'they', side: 'KPL', samples: [1, 1] }
      ]
    }
  ],
  circumstances: {
    node: 'v20',
    cpu: 'a CPU',
    cores: 2,
    memoryBytes: 1,
    load: 0.5,
    commit: 'abc',
    date: '2026-01-01T00:00:00.000Z',
    rounds: 3,
    isQuick: false,
    seconds: 1
  }
}

test('a page shows the plots of a bench before its tables', () => {
  const page = pageOf([RESULT])

  const order = ['<figure>', '<table>'].map(tag => page.indexOf(tag))
  expect({ areThere: order.every(at => at > 0), isPlotFirst: order[0]! < order[1]! }).toEqual({
    areThere: true,
    isPlotFirst: true
  })
})

test('a plot has the colours of the sides that it shows, and a legend of those alone', () => {
  const page = pageOf([RESULT])

  const shown = Object.keys(COLOURS).filter(side => page.includes(`fill="${COLOURS[side as 'ours']}"`))
  const named = Object.values(SIDE_NAMES).filter(name => page.includes(`>${name}</text>`))
  expect({ shown, named }).toEqual({ shown: ['ours', 'KPL'], named: [SIDE_NAMES.ours, SIDE_NAMES.KPL] })
})

test('a ratio says whether it reaches its aim, and a figure without an aim says nothing', () => {
  const texts = [ratio([2], 1.5), ratio([1], 1.5), ratio([2]), metric('percent', [12.34])].map(formatMetric)

  expect(texts).toEqual(['2.00x [aim 1.50x: reached]', '1.00x [aim 1.50x: not reached]', '2.00x', '12.3 %'])
})
