/**
 * `agent import`: the Kinesis Agent's config file as one of ours.
 * Invariant: stdout has the config alone. Ends with 1 when a part of the file has no equivalent, so that no user starts with less by mistake.
 */
import { buffer } from 'node:stream/consumers'
import { type Outcome, type Words, wordAt } from '../command.ts'
import { parseJsonc, readText } from '../config.ts'
import type { Json } from '../output/json.ts'
import type { Session } from '../session.ts'
import { type AgentImport, importAgentJson } from './import-config.ts'
import { importText } from './read-config.ts'

export interface ImportFlags {
  readonly strict?: boolean
  readonly skipFirehose?: boolean
}

const FIREHOSE = /\.deliveryStream$/

export async function runImport(session: Session, flags: ImportFlags, words: Words): Promise<Outcome> {
  const path = wordAt(words, 0) ?? '-'
  const text = path === '-' ? (await buffer(session.host.stdin())).toString() : readText(path)
  const imported = importAgentJson(parseJsonc(text, path), path)
  await session.host.stdout.write(`${JSON.stringify(imported.config, undefined, 2)}\n`)
  const isStrict = flags.strict === true && imported.unknown.length > 0
  const isLess = missingOf(imported, flags.skipFirehose === true).length > 0
  const { applied, notApplicable, unsupported, unknown } = imported
  const summary: Readonly<Record<string, Json>> = {
    applied: applied.map(note => ({ ...note })),
    notApplicable: notApplicable.map(note => ({ ...note })),
    unsupported: unsupported.map(note => ({ ...note })),
    unknown
  }
  return { exit: isStrict || isLess ? 1 : 0, summary, text: importText(imported) }
}

/** Returns the keys that ask for a missing feature. */
export function missingOf({ unsupported }: AgentImport, skipFirehose: boolean): readonly string[] {
  return unsupported.map(({ key }) => key).filter(key => !(skipFirehose && FIREHOSE.test(key)))
}
