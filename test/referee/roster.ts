/** Every referee by its name: one table, which the command line, its list and docs/compatibility.md walk. */
import { glue } from './glue/glue.ts'
import { goSdk } from './go-sdk/go-sdk.ts'
import { javaSdk } from './java-sdk/java-sdk.ts'
import { kcl } from './kcl/kcl.ts'
import { kpl } from './kpl/kpl.ts'
import { npm } from './npm/npm.ts'
import type { Referee } from './outcome.ts'
import { python } from './python/aggregation.ts'
import { boto3 } from './python/boto3.ts'

export const REFEREES: Readonly<Record<string, Referee>> = {
  kpl,
  kcl,
  python,
  npm,
  boto3,
  'java-sdk': javaSdk,
  'go-sdk': goSdk,
  glue
}
