/** boto3 against the fake. */
import { join } from 'node:path'
import { runScenario } from '../client-scenario.ts'
import type { Referee } from '../outcome.ts'
import { buildPython, run, sourceFolder } from '../toolchain.ts'

const VERSION = '1.44.8'

export const boto3: Referee = {
  what: 'boto3 against the fake',
  needs: 'Python 3.10 or later with pip',
  async run(seed) {
    const { python, toolchain } = buildPython([`boto3==${VERSION}`])
    const comparisons = await runScenario(
      { program: `boto3 ${VERSION}, JSON`, seed, format: 'json' },
      async (...place) => {
        await run(python, [join(sourceFolder('python'), 'scenario.py'), ...place])
      }
    )
    return { toolchain, comparisons }
  }
}
