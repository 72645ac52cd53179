/**
 * A client of Glue with the session's region and credentials.
 * Invariant: the package is loaded only here, and when it is not there the error says how to get it.
 */
import type { GlueClient } from '@aws-sdk/client-glue'
import { assertEndpoint, producerOptions } from '../connection.ts'
import { CliError } from '../errors.ts'
import type { Session } from '../session.ts'

/** Throws CLI_ERR_SERVICE without the package, CLI_ERR_USAGE for an invalid endpoint. */
export async function glueClient(session: Session, glueEndpoint: string | undefined): Promise<GlueClient> {
  const { region, credentials, allowInsecureEndpoint } = producerOptions(session)
  if (glueEndpoint !== undefined) assertEndpoint(glueEndpoint, allowInsecureEndpoint === true)
  const { GlueClient: Client } = await loadGlue()
  return new Client({
    ...(region === undefined ? undefined : { region }),
    ...(credentials === undefined ? undefined : { credentials }),
    ...(glueEndpoint === undefined ? undefined : { endpoint: glueEndpoint })
  })
}

async function loadGlue(): Promise<typeof import('@aws-sdk/client-glue')> {
  try {
    return await import('@aws-sdk/client-glue')
  } catch (cause) {
    const fix = 'npm install @aws-sdk/client-glue'
    throw new CliError('CLI_ERR_USAGE', 'schemas need the package @aws-sdk/client-glue', { fix, cause })
  }
}
