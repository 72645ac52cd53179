/**
 * `doctor --schema FILE`: whether the registry has the definition, without registering it.
 * Invariant: calls GetSchemaByDefinition and nothing else; the definition is not shown.
 */
import { CliError } from '../errors.ts'
import { resolvedSchema } from '../schema/given-schema.ts'
import type { SchemaPlaceFlags } from '../schema/schema-flags.ts'
import type { Session } from '../session.ts'
import type { Check } from './check.ts'

const FIXES: Readonly<Record<string, string>> = {
  KPL_ERR_SCHEMA_NOT_FOUND: 'check --schema-name, --registry and --region; or register it: put --auto-register',
  KPL_ERR_SCHEMA_INCOMPATIBLE: 'correct the definition, or the compatibility rule of its schema',
  KPL_ERR_SCHEMA_PENDING: 'try again in a minute',
  KPL_ERR_SCHEMA_UNAVAILABLE: 'check --glue-endpoint, the route and the VPC endpoint of Glue; try again'
}

export async function schemaCheck(
  session: Session,
  flags: SchemaPlaceFlags,
  stream: string | undefined
): Promise<Check> {
  const name = flags.schemaName ?? stream
  if (name === undefined) {
    throw new CliError('CLI_ERR_USAGE', '--schema needs the STREAM or --schema-name NAME: the name of the schema')
  }
  try {
    const { name: schemaName, dataFormat, versionId, registryName } = await resolvedSchema(session, flags, name)
    const message = `${schemaName} (${dataFormat}) of ${registryName} has this definition: version ${versionId}`
    return { id: 'schema', status: 'pass', message }
  } catch (error) {
    // From any copy of the library.
    if (!(error instanceof Error) || error.name !== 'SchemaError') throw error
    const { code, action } = { code: '', action: '', ...error }
    const fix = code === 'KPL_ERR_SCHEMA_ACCESS' ? `allow the IAM action ${action}` : FIXES[code]
    return { id: 'schema', status: 'fail', message: error.message, fix }
  }
}
