/**
 * The config file of `agent`, ours or the Kinesis Agent's.
 * Invariant: a file of the Agent is imported on the fly, and the differences are returned with it, for a report.
 */
import { parseJsonc, readText } from '../config.ts'
import { CliError } from '../errors.ts'
import { type AgentConfig, agentConfig } from './config.ts'
import { type AgentImport, importAgentJson, isAgentJson } from './import-config.ts'

export interface ReadConfig {
  readonly config: AgentConfig
  /** Of a file of the Kinesis Agent. */
  readonly imported: AgentImport | undefined
}

/** Throws CLI_ERR_INPUT or CLI_ERR_CONFIG. */
export function readAgentConfig(path: string | undefined): ReadConfig {
  if (path === undefined) throw new CliError('CLI_ERR_USAGE', '--config FILE is missing')
  const value = parseJsonc(readText(path), path)
  if (!isAgentJson(value)) return { config: agentConfig(value, path), imported: undefined }
  const imported = importAgentJson(value, path)
  return { config: agentConfig(imported.config, path), imported }
}

/** Returns the lists for people, one line for each key. */
export function importText({ applied, notApplicable, unsupported, unknown }: AgentImport): string {
  const lines = (title: string, notes: readonly { readonly key: string; readonly note: string }[]) =>
    notes.map(({ key, note }) => `${title}  ${key}: ${note}`)
  return [
    ...lines('applied      ', applied),
    ...lines('no effect    ', notApplicable),
    ...lines('unsupported  ', unsupported),
    ...unknown.map(key => `unknown        ${key}`)
  ].join('\n')
}
