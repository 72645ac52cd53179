/** The AWS SDK for Java v2 against the fake: the synchronous client over HTTP/1.1, Netty over HTTP/2, CBOR and JSON. */
import { runScenario, type ScenarioOptions } from '../client-scenario.ts'
import type { Comparison, Referee } from '../outcome.ts'
import { buildJava, type JavaProgram, javaArguments, run } from '../toolchain.ts'

const VERSION = '2.57.8'
/** The SDK speaks CBOR to Kinesis unless this says otherwise. */
const JSON_ONLY = '-Daws.cborEnabled=false'

interface Setting {
  readonly client: 'sync' | 'netty'
  readonly says: string
  readonly isTls: boolean
  readonly properties: readonly string[]
}

const SETTINGS: readonly Setting[] = [
  { client: 'sync', says: 'Apache client, HTTP/1.1, CBOR', isTls: false, properties: [] },
  { client: 'sync', says: 'Apache client, HTTP/1.1 over TLS, JSON', isTls: true, properties: [JSON_ONLY] },
  { client: 'netty', says: 'Netty, HTTP/2, CBOR', isTls: false, properties: [] },
  { client: 'netty', says: 'Netty, HTTP/2 over TLS, CBOR', isTls: true, properties: [] },
  { client: 'netty', says: 'Netty, HTTP/2 over TLS, JSON', isTls: true, properties: [JSON_ONLY] }
]

export const javaSdk: Referee = {
  what: 'AWS SDK for Java v2, synchronous and Netty, against the fake',
  needs: 'Java 17 or later, Maven',
  async run(seed) {
    const program = buildJava('java-sdk', 'java-sdk', { 'sdk.version': VERSION })
    const comparisons: Comparison[] = []
    for (const setting of SETTINGS) comparisons.push(...(await runSetting(program, setting, seed)))
    return { toolchain: program.toolchain, comparisons }
  }
}

function runSetting({ classpath }: JavaProgram, setting: Setting, seed: number): Promise<Comparison[]> {
  const { client, says, isTls, properties } = setting
  const format = properties.includes(JSON_ONLY) ? 'json' : 'cbor'
  const options: ScenarioOptions = { program: `SDK for Java ${VERSION}, ${says}`, seed, format, isTls }
  return runScenario(options, async (...place) => {
    await run('java', [...properties, ...javaArguments(classpath, 'Scenario', [client, ...place])])
  })
}
