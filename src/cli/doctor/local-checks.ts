/**
 * The part of `doctor` that needs no service: the config file, its flows, and the state directory.
 * Invariant: a config that will not do is a check that failed, with its place; nothing else is looked at then.
 */
import type { AgentConfig } from '../agent/config.ts'
import { isAgentJson } from '../agent/import-config.ts'
import { readAgentConfig } from '../agent/read-config.ts'
import { type StateFlags, statePlace } from '../agent/state-place.ts'
import { type CommonConfig, parseJsonc, readText } from '../config.ts'
import { CliError } from '../errors.ts'
import type { Session } from '../session.ts'
import type { Tell } from './check.ts'
import { descriptorCheck, flowChecks } from './flow-checks.ts'
import { stateChecks } from './state-checks.ts'

/** Returns the config of `agent`, if there is one. */
export async function localChecks(
  session: Session,
  flags: StateFlags,
  tell: Tell
): Promise<AgentConfig | undefined | 'bad'> {
  const { config: path } = session.flags
  let config: AgentConfig | undefined
  try {
    config = path === undefined || !hasFlows(path) ? undefined : readAgentConfig(path).config
  } catch (error) {
    if (!(error instanceof CliError)) throw error
    await tell({ id: 'config', status: 'fail', message: error.message, fix: error.fix })
    return 'bad'
  }
  if (config === undefined && flags.state === undefined) return undefined
  const flows = config?.flows ?? []
  if (config !== undefined) await tell({ id: 'config', status: 'pass', message: `${flows.length} flows` })
  let fileCount = 0
  for (const flow of flows) {
    const { checks, count } = await flowChecks(flow, session.host.wallMs())
    fileCount += count
    for (const check of checks) await tell(check)
  }
  const descriptors = descriptorCheck(fileCount)
  if (descriptors !== undefined && flows.length > 0) await tell(descriptors)
  for (const check of await stateChecks(session, statePlace(session.host, flags, config?.state))) await tell(check)
  return config
}

/** Where Kinesis is, as a file of flows says it; a file of the Kinesis Agent is not read a second time. */
export function commonOf(config: AgentConfig | undefined): CommonConfig | undefined {
  if (config === undefined) return undefined
  const { region, endpoint } = config
  return {
    ...(region === undefined ? undefined : { region }),
    ...(endpoint === undefined ? undefined : { endpoint }),
    producer: {}
  }
}

/** The config file of `put` has no flows, and says only where Kinesis is. */
function hasFlows(path: string): boolean {
  const value = parseJsonc(readText(path), path)
  return isAgentJson(value) || (value instanceof Object && 'flows' in value)
}
