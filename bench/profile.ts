/**
 * The top of a CPU profile by time spent in each function itself.
 * Invariant: shares are of the sampled time without idle, so that they add up to 100 %.
 */
import { readFileSync } from 'node:fs'

interface ProfileNode {
  readonly id: number
  readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number }
}

interface CpuProfile {
  readonly nodes: readonly ProfileNode[]
  readonly samples: readonly number[]
  readonly timeDeltas: readonly number[]
}

const TOP = 20
const NOT_WORK = ['(idle)', '(root)']

export function profileText(file: string): string {
  const { nodes, samples, timeDeltas }: CpuProfile = JSON.parse(readFileSync(file, 'utf8'))
  const names = new Map(nodes.map(node => [node.id, nameOf(node)]))
  const spent = new Map<string, number>()
  let total = 0
  samples.forEach((id, i) => {
    const name = names.get(id)!
    if (NOT_WORK.includes(name)) return
    spent.set(name, (spent.get(name) ?? 0) + timeDeltas[i]!)
    total += timeDeltas[i]!
  })
  const lines = [...spent].sort(([, left], [, right]) => right - left).slice(0, TOP)
  return lines.map(([name, time]) => `${((time / total) * 100).toFixed(1).padStart(5)} %  ${name}`).join('\n')
}

function nameOf({ callFrame: { functionName, url, lineNumber } }: ProfileNode): string {
  const name = functionName || '(anonymous)'
  if (url === '') return name
  const place = url.replace(/^file:\/\//, '').replace(/^.*\/(build|node_modules)\//, '')
  return `${name} ${place}:${lineNumber + 1}`
}
