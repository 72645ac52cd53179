/** The AWS SDK for Go v2 against the fake. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { runScenario } from '../client-scenario.ts'
import type { Referee } from '../outcome.ts'
import { build, buildFolder, run, sourceFolder, versionOf } from '../toolchain.ts'

export const goSdk: Referee = {
  what: 'AWS SDK for Go v2 against the fake',
  needs: 'Go 1.24 or later',
  async run(seed) {
    const go = versionOf('go', ['version'], 'Go 1.24 or later')
    const program = join(buildFolder('go-sdk'), 'scenario')
    build('go', ['build', '-o', program, '.'], sourceFolder('go-sdk'))
    const options = { program: `SDK for Go v2, kinesis ${sdkVersion()}, JSON`, seed, format: 'json' as const }
    const comparisons = await runScenario(options, async (...place) => {
      await run(program, place)
    })
    return { toolchain: `Go ${go}`, comparisons }
  }
}

function sdkVersion(): string {
  const modules = readFileSync(join(sourceFolder('go-sdk'), 'go.mod'), 'utf8')
  return /service\/kinesis v(\S+)/.exec(modules)?.[1] ?? 'of unknown version'
}
