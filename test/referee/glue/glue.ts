/**
 * The Java library of the Glue Schema Registry, as `run.mjs` of this folder asks it, against what `npm test` has of it.
 * `run.mjs` writes the file that the tests read; here its answers are compared with that file.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import type { Referee } from '../outcome.ts'
import { PROJECT, run, sourceFolder, versionOf } from '../toolchain.ts'

interface Answers {
  readonly library: string
  readonly decoded: readonly object[]
  readonly encoded: readonly object[]
  readonly serialized: readonly object[]
}

const RECORDED = 'test/glue/java-vectors.json'

export const glue: Referee = {
  what: 'Java library of the Glue Schema Registry, both ways',
  needs: 'Java 17 or later, Maven',
  async run() {
    const java = versionOf('java', ['-version'], 'Java 17 or later and Maven')
    versionOf('mvn', ['-version'], 'Java 17 or later and Maven')
    const answers: Answers = JSON.parse(await run(process.execPath, [join(sourceFolder('glue'), 'run.mjs')]))
    const recorded: Answers = JSON.parse(readFileSync(join(PROJECT, RECORDED), 'utf8'))
    const row = (what: string, list: 'decoded' | 'encoded' | 'serialized') => ({
      program: answers.library.split(':').slice(1).join(' '),
      what,
      compared: answers[list].length,
      differences: answers[list].filter((answer, i) => !isDeepStrictEqual(answer, recorded[list][i])).length
    })
    return {
      toolchain: `Java ${java}`,
      comparisons: [
        row('reads our frames (`npm test` compares ours with it)', 'decoded'),
        row('frames data as the KPL does (`npm test` compares ours with it)', 'encoded'),
        row('writes values, which we read (`npm test`)', 'serialized')
      ]
    }
  }
}
