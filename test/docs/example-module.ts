/**
 * An example of a comment as a module that compiles and runs: with imports of the public names that it uses, and with the names
 * that it finds around it.
 * Example: `isAggregated(data) // => true` -> `check(0, isAggregated(data), true)` behind an import of isAggregated.
 * Invariant: lines stay lines; what is put before the example is HEADER_LINES long.
 */
import ts from 'typescript-5.9'
import type { Example, PublicMember } from './public-surface.ts'

/** Lines before the example's own. */
export const HEADER_LINES = 3
/** A line that says what its expression is. */
const CHECK = /^(\s*)(.*?)\s+\/\/ => (.*)$/

export interface ExampleModule {
  readonly text: string
  /** The lines that say what an expression is. */
  readonly checkCount: number
}

/** `names`: those that an example may use; `modules`: where `around` and `check` are. */
export function exampleModule(
  example: Example,
  surface: readonly PublicMember[],
  names: readonly string[],
  surroundings: string
): ExampleModule {
  const { declared, used } = namesIn(example.text)
  const free = [...used].filter(name => !declared.has(name))
  const imports = free.flatMap(name => {
    const candidates = surface.filter(member => member.name === name)
    const found = candidates.find(({ entry }) => entry === example.entry) ?? candidates[0]
    if (found === undefined) return []
    const isType = found.kind === 'interface' || found.kind === 'type'
    return [`import { ${isType ? 'type ' : ''}${name} } from '${found.entry}'`]
  })
  const taken = free.filter(name => names.includes(name))
  let checkCount = 0
  const body = example.text.split('\n').map(line => {
    const [, indent, code = '', expected] = CHECK.exec(line) ?? []
    if (expected === undefined) return line
    const id = checkCount++
    const name = /^(?:const|let) (\w+) = /.exec(code)?.[1]
    return name === undefined
      ? `${indent}check(${id}, ${code}, ${expected})`
      : `${indent}${code}; check(${id}, ${name}, ${expected})`
  })
  const header = [
    imports.join('; '),
    `import { around, check } from '${surroundings}'`,
    `const { ${taken.join(', ')} } = await around(${JSON.stringify(taken)}); void check`
  ]
  return { text: [...header, ...body].join('\n'), checkCount }
}

/** The names that a text declares, and those that it uses and that are no property of something. */
function namesIn(text: string): { readonly declared: ReadonlySet<string>; readonly used: ReadonlySet<string> } {
  const declared = new Set<string>()
  const used = new Set<string>()
  const visit = (node: ts.Node): void => {
    if (ts.isIdentifier(node)) (isDeclaration(node) ? declared : isProperty(node) ? new Set() : used).add(node.text)
    ts.forEachChild(node, visit)
  }
  visit(ts.createSourceFile('example.ts', text, ts.ScriptTarget.ESNext, true))
  return { declared, used }
}

function isDeclaration(node: ts.Identifier): boolean {
  const { parent } = node
  const isNamed =
    ts.isVariableDeclaration(parent) ||
    ts.isBindingElement(parent) ||
    ts.isParameter(parent) ||
    ts.isImportSpecifier(parent) ||
    ts.isFunctionDeclaration(parent)
  return isNamed && parent.name === node
}

function isProperty(node: ts.Identifier): boolean {
  const { parent } = node
  if (ts.isPropertyAccessExpression(parent)) return parent.name === node
  if (ts.isBindingElement(parent)) return parent.propertyName === node
  return (ts.isPropertyAssignment(parent) || ts.isMethodDeclaration(parent)) && parent.name === node
}
