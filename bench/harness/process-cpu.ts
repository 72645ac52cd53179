/**
 * CPU time of another process with everything that it started, from Linux' /proc.
 * Invariant: counts every thread, every child that lives and every child that was waited for, each once. The kernel gives
 * hundredths of a second.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'

export const hasProcessTimes: boolean = existsSync('/proc/self/stat')

const MS_PER_TICK = 10

interface ProcessTimes {
  readonly parent: number
  readonly cpuMs: number
}

/** Milliseconds since the process `pid` started. */
export function treeCpuMs(pid: number): number {
  const processes = new Map<number, ProcessTimes>()
  for (const name of readdirSync('/proc')) {
    const times = /^\d+$/.test(name) ? timesOf(name) : undefined
    if (times !== undefined) processes.set(Number(name), times)
  }
  const isBelow = (id: number): boolean => {
    if (id === pid) return true
    const parent = processes.get(id)?.parent
    return parent !== undefined && isBelow(parent)
  }
  return [...processes].reduce((sum, [id, { cpuMs }]) => (isBelow(id) ? sum + cpuMs : sum), 0)
}

/** Fields of proc(5) behind the name in brackets: state, ppid, ..., utime, stime, cutime, cstime (numbers 14 to 17). */
function timesOf(pid: string): ProcessTimes | undefined {
  let stat: string
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
  } catch {
    // It ended between the listing and here.
    return undefined
  }
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const ticks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0)
  return { parent: Number(fields[1]), cpuMs: ticks * MS_PER_TICK }
}
