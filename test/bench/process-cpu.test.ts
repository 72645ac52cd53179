import { expect, test } from 'vitest'
import { hasProcessTimes, treeCpuMs } from '../../bench/harness/process-cpu.ts'

test.runIf(hasProcessTimes)("a process's CPU time is what the kernel counts for it and its children", () => {
  const { user, system } = process.cpuUsage()
  const ownMs = (user + system) / 1000

  const countedMs = treeCpuMs(process.pid)
  const ofParentMs = treeCpuMs(process.ppid)

  // The kernel rounds down to hundredths of a second.
  expect({ isCounted: countedMs > ownMs - 50, isWithinParent: ofParentMs >= countedMs }).toEqual({
    isCounted: true,
    isWithinParent: true
  })
})

test.runIf(hasProcessTimes)('a process that is gone has no CPU time', () => {
  expect(treeCpuMs(2 ** 30)).toBe(0)
})
