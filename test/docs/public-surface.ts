/**
 * Every public name and member with its comment, read from the sources of the entry points.
 * Example: `KinesisProducer` of `kinesis-producer` -> the class, its constructor and each public method, with their examples.
 * Invariant: syntax only: nothing is resolved that is not written as an import or an `extends` of this project. The compiler
 * copies comments into the declarations as they are; test/package/hover.test.ts checks that.
 */
import { dirname, join, relative } from 'node:path'
import ts from 'typescript-5.9'
import { entrySources } from './compile-blocks.ts'
import { pathOf, read } from './documents.ts'

export type Kind =
  | 'function'
  | 'class'
  | 'interface'
  | 'type'
  | 'const'
  | 'constructor'
  | 'method'
  | 'accessor'
  | 'property'

export interface PublicMember {
  /** What a program imports: `kinesis-producer/testing`. */
  readonly entry: string
  /** `VirtualClock`, or `VirtualClock.advanceBy`. */
  readonly name: string
  readonly kind: Kind
  /** Whether it is of a class, and not of an interface. */
  readonly isOfClass: boolean
  readonly sentence: string
  readonly examples: readonly Example[]
}

export interface Example {
  readonly entry: string
  readonly owner: string
  readonly file: string
  /** The line of its first line, from 1. */
  readonly line: number
  readonly text: string
}

type Declared =
  | ts.InterfaceDeclaration
  | ts.ClassDeclaration
  | ts.TypeAliasDeclaration
  | ts.FunctionDeclaration
  | ts.VariableStatement

interface Found {
  readonly file: string
  readonly nodes: readonly Declared[]
}

const sources = new Map<string, ts.SourceFile>()

/** Returns every public name of every entry point, and their members; a name that two entry points have comes twice. */
export function publicSurface(): PublicMember[] {
  return [...entrySources()].flatMap(([entry, path]) =>
    [...exportsOf(relative(pathOf('.'), path))].flatMap(([name, found]) => membersOf(entry, name, found))
  )
}

/** Returns the names that a file exports, with their declarations. */
function exportsOf(file: string): Map<string, Found> {
  const names = new Map<string, Found>()
  for (const statement of sourceOf(file).statements) {
    if (ts.isExportDeclaration(statement) && statement.exportClause && ts.isNamedExports(statement.exportClause)) {
      const from = moduleOf(statement, file)
      for (const { name, propertyName } of statement.exportClause.elements) {
        names.set(name.text, declarationOf(from ?? file, (propertyName ?? name).text))
      }
    } else if (isExported(statement)) for (const name of namesOf(statement)) names.set(name, declarationOf(file, name))
  }
  return names
}

/** Follows a name through the files that hand it on. */
function declarationOf(file: string, name: string): Found {
  const nodes = sourceOf(file).statements.filter(
    (statement): statement is Declared => isDeclared(statement) && namesOf(statement).includes(name)
  )
  if (nodes.length > 0) return { file, nodes }
  for (const statement of sourceOf(file).statements) {
    const from = moduleOf(statement, file)
    if (from === undefined) continue
    const list = ts.isImportDeclaration(statement)
      ? statement.importClause?.namedBindings
      : ts.isExportDeclaration(statement)
        ? statement.exportClause
        : undefined
    if (list === undefined || !(ts.isNamedImports(list) || ts.isNamedExports(list))) continue
    const found = [...list.elements].find(element => element.name.text === name)
    if (found !== undefined) return declarationOf(from, (found.propertyName ?? found.name).text)
  }
  throw new Error(`${file} does not declare ${name}`)
}

function membersOf(entry: string, name: string, { file, nodes }: Found): PublicMember[] {
  // Of overloads, the first one has the comment.
  const [node] = nodes
  const isClass = ts.isClassDeclaration(node!)
  const whole = memberOf({ entry, name, file, kind: kindOf(node!), isOfClass: isClass }, node!)
  if (!ts.isClassDeclaration(node!) && !ts.isInterfaceDeclaration(node!))
    return [whole, ...fieldsWithin(whole, file, node!)]
  const inherited = [...(node.heritageClauses ?? [])].flatMap(({ types }) =>
    types.flatMap(({ expression }) => (ts.isIdentifier(expression) ? ofBase(expression.text) : []))
  )
  const seen = new Set<string>()
  const own = [...node.members].flatMap(member => {
    const memberName = nameOf(member)
    if (memberName === undefined || seen.has(memberName) || isHidden(member)) return []
    seen.add(memberName)
    const facts = { entry, name: `${name}.${memberName}`, file, kind: kindOf(member), isOfClass: isClass }
    return [memberOf(facts, member), ...fieldsWithin(facts, file, member)]
  })
  return [whole, ...own, ...inherited.filter(member => !seen.has(member.name.split('.')[1]!))]

  /** Members of a base that is not public itself are the name's own, as an editor shows them. */
  function ofBase(base: string): PublicMember[] {
    try {
      return membersOf(entry, name, declarationOf(file, base)).slice(1)
    } catch {
      // Not swallowed: bases of the language and of packages are documented there.
      return []
    }
  }
}

/** Returns the fields of the object types that are written within a declaration: `close.timeoutMs`. */
function fieldsWithin(
  { entry, name }: Pick<PublicMember, 'entry' | 'name'>,
  file: string,
  node: ts.Node
): PublicMember[] {
  const fields: PublicMember[] = []
  const visit = (inner: ts.Node): void => {
    if (ts.isBlock(inner)) return
    if (ts.isTypeLiteralNode(inner)) {
      for (const field of inner.members) {
        const fieldName = `${name}.${field.name?.getText()}`
        fields.push(memberOf({ entry, name: fieldName, file, kind: 'property', isOfClass: false }, field))
      }
    }
    ts.forEachChild(inner, visit)
  }
  ts.forEachChild(node, visit)
  return fields
}

function memberOf(
  facts: Omit<PublicMember, 'sentence' | 'examples'> & { readonly file: string },
  node: ts.Node
): PublicMember {
  const { file, ...rest } = facts
  const source = sourceOf(file)
  const comment = [...ts.getJSDocCommentsAndTags(node)].filter(part => ts.isJSDoc(part)).at(-1)
  const examples = [...(comment?.tags ?? [])]
    .filter(tag => tag.tagName.text === 'example')
    .map(tag => {
      const text = tag.getText(source).replace(/^@example[ \t]*\n?/, '')
      const skipped = /^@example[ \t]*\n/.test(tag.getText(source)) ? 1 : 0
      const line = source.getLineAndCharacterOfPosition(tag.getStart(source)).line + 1 + skipped
      const lines = text.split('\n').map(row => row.replace(/^\s*\* ?/, ''))
      return { entry: facts.entry, owner: facts.name, file, line, text: lines.join('\n').trimEnd() }
    })
  return { ...rest, sentence: ts.getTextOfJSDocComment(comment?.comment) ?? '', examples }
}

function sourceOf(file: string): ts.SourceFile {
  const known = sources.get(file)
  if (known !== undefined) return known
  const source = ts.createSourceFile(file, read(file), ts.ScriptTarget.ESNext, true)
  sources.set(file, source)
  return source
}

function moduleOf(statement: ts.Statement, file: string): string | undefined {
  if (!ts.isExportDeclaration(statement) && !ts.isImportDeclaration(statement)) return undefined
  const specifier = statement.moduleSpecifier
  if (specifier === undefined || !ts.isStringLiteral(specifier) || !specifier.text.startsWith('.')) return undefined
  return join(dirname(file), specifier.text)
}

function isDeclared(statement: ts.Statement): statement is Declared {
  return (
    ts.isInterfaceDeclaration(statement) ||
    ts.isClassDeclaration(statement) ||
    ts.isTypeAliasDeclaration(statement) ||
    ts.isFunctionDeclaration(statement) ||
    ts.isVariableStatement(statement)
  )
}

function namesOf(statement: ts.Statement): string[] {
  if (!isDeclared(statement)) return []
  if (!ts.isVariableStatement(statement)) return statement.name === undefined ? [] : [statement.name.text]
  return statement.declarationList.declarations.flatMap(({ name }) => (ts.isIdentifier(name) ? [name.text] : []))
}

function isExported(statement: ts.Statement): boolean {
  return ts.canHaveModifiers(statement) && hasModifier(statement, ts.SyntaxKind.ExportKeyword)
}

function hasModifier(node: ts.HasModifiers, kind: ts.SyntaxKind): boolean {
  return (ts.getModifiers(node) ?? []).some(modifier => modifier.kind === kind)
}

/** `#private`, and members that the declarations do not have. */
function isHidden(member: ts.ClassElement | ts.TypeElement): boolean {
  if (member.name !== undefined && ts.isPrivateIdentifier(member.name)) return true
  return ts.canHaveModifiers(member) && hasModifier(member, ts.SyntaxKind.PrivateKeyword)
}

function nameOf(member: ts.ClassElement | ts.TypeElement): string | undefined {
  if (ts.isConstructorDeclaration(member)) return 'constructor'
  return member.name?.getText()
}

function kindOf(node: ts.Node): Kind {
  if (ts.isFunctionDeclaration(node)) return 'function'
  if (ts.isClassDeclaration(node)) return 'class'
  if (ts.isInterfaceDeclaration(node)) return 'interface'
  if (ts.isTypeAliasDeclaration(node)) return 'type'
  if (ts.isVariableStatement(node)) return 'const'
  if (ts.isConstructorDeclaration(node)) return 'constructor'
  if (ts.isMethodDeclaration(node) || ts.isMethodSignature(node)) return 'method'
  return ts.isGetAccessor(node) ? 'accessor' : 'property'
}
