/**
 * Helpers of @faker-js/faker, which is loaded only when a template names one.
 * Invariant: only names of `FAKER_NAMES` are reached, by own names of two levels; without the package the error says how to get it.
 */
import { CliError } from '../errors.ts'
import { FAKER_NAMES } from './aliases.ts'
import type { HelperTable } from './context.ts'

type FakerHelper = (...args: readonly unknown[]) => unknown
type Modules = Readonly<Record<string, Readonly<Record<string, FakerHelper>>>>

/** How arguments of KDG's time are given today. */
const ARGUMENTS: Readonly<Record<string, (args: readonly unknown[]) => readonly unknown[]>> = {
  'address.stateAbbr': () => [{ abbreviated: true }],
  'phone.phoneNumberFormat': () => [],
  'phone.phoneNumber': () => [],
  'finance.account': ([length]) => (typeof length === 'number' ? [length] : []),
  'finance.amount': args => named(args, ['min', 'max', 'dec']),
  'commerce.price': args => named(args, ['min', 'max', 'dec']),
  'internet.password': args => named(args, ['length']),
  'date.past': args => named(args, ['years']),
  'date.future': args => named(args, ['years']),
  'date.recent': args => named(args, ['days']),
  'date.between': args => named(args, ['from', 'to'])
}

/** Old arguments by position become arguments by name. An object is passed on. */
function named(args: readonly unknown[], names: readonly string[]): readonly unknown[] {
  if (args.length === 0 || args[0] instanceof Object) return args
  return [Object.fromEntries(args.map((value, place) => [names[place] ?? 'unused', value]))]
}

/** Returns the helpers of faker, seeded. Throws CLI_ERR_TEMPLATE when the package or the locale is not there. */
export async function fakerHelpers(
  seed: string,
  locale: string | undefined,
  refMs: number | undefined
): Promise<HelperTable> {
  const faker = await loadFaker(locale)
  faker.seed(hashOf(seed))
  if (refMs !== undefined) faker.setDefaultRefDate(refMs)
  const modules = faker as unknown as Modules
  return Object.fromEntries(
    Object.entries(FAKER_NAMES).flatMap(([name, target]) => {
      const [module = '', method = ''] = target.split('.')
      const helper = modules[module]?.[method]
      if (helper === undefined) return []
      const argumentsFor = ARGUMENTS[name]
      const make = (args: readonly unknown[]) => {
        const given = argumentsFor === undefined ? args : argumentsFor(args)
        return () => textOf(helper(...given))
      }
      return [[name, make]]
    })
  )
}

interface LoadedFaker {
  seed(value: number): unknown
  setDefaultRefDate(ms: number): void
}

async function loadFaker(locale = 'en'): Promise<LoadedFaker> {
  if (!/^[a-z]{2,3}(?:_[A-Za-z]{2,12})*$/.test(locale))
    throw new CliError('CLI_ERR_USAGE', '--locale is for instance de or pt_BR')
  try {
    const { faker } = await import(`@faker-js/faker/locale/${locale}`)
    return faker
  } catch (error) {
    const isMissing = error instanceof Error && 'code' in error && /NOT_FOUND|NOT_EXPORTED/.test(String(error.code))
    if (!isMissing) throw error
    throw new CliError(
      'CLI_ERR_TEMPLATE',
      `the template needs @faker-js/faker (locale ${locale}), which is not there`,
      {
        fix: 'npm install @faker-js/faker@10, or use helpers of gen --help',
        cause: error
      }
    )
  }
}

function textOf(value: unknown): string {
  if (value instanceof Date) return value.toISOString()
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}

function hashOf(text: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  return hash >>> 0
}
