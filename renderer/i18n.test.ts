/** Every text that the window shows is translated. The sources are parsed as TypeScript. */
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import ts from 'typescript'
import { expect, test } from 'vitest'
import de from './locales/de/index.ts'
import en from './locales/en/index.ts'

const root = path.resolve(import.meta.dirname, '..')
const german: Record<string, string> = de
const singular: Record<string, string> = en
/** Calls whose first argument is English to be translated. */
const MARKS = new Set(['t', 'phrase', 'said', 'hint', 'fault', 'unusable'])
/** The parts of a problem that people read. */
const SENTENCES = new Set(['message', 'next', 'stillWorks'])
const ATTRIBUTES = new Set(['aria-label', 'aria-description', 'aria-roledescription', 'title', 'placeholder', 'alt', 'label', 'action'])
/** Names are the same in every language. */
const NAMES = /\b(Tubelet|ffmpeg|COCO|CVAT|JSON|WebVTT|PNG|SVG|Ctrl|Shift)\b/g

interface Use {
  text: string
  plural: boolean
  where: string
}
const uses: Use[] = []
const faults: string[] = []

for (const folder of ['app', 'main', 'renderer']) {
  for (const file of readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' })) {
    if (/\.tsx?$/.test(file) && !/\.(test|testing|d)\.tsx?$/.test(file)) read(path.join(folder, file))
  }
}

function read(file: string): void {
  const source = ts.createSourceFile(
    file,
    readFileSync(path.join(root, file), 'utf8'),
    ts.ScriptTarget.Latest,
    true,
    file.endsWith('x') ? ts.ScriptKind.TSX : ts.ScriptKind.TS,
  )
  const at = (node: ts.Node) => `${file}:${source.getLineAndCharacterOfPosition(node.getStart()).line + 1}`
  const fault = (node: ts.Node, what: string) => faults.push(`${at(node)} ${what}: ${node.getText().slice(0, 80)}`)
  const raw = file.endsWith('.tsx')

  /** The strings that an expression can be, including branches of conditions. */
  const strings = (node: ts.Expression, found: (node: ts.StringLiteralLike | ts.TemplateExpression) => void): void => {
    if (ts.isStringLiteralLike(node) || ts.isTemplateExpression(node)) found(node)
    else if (ts.isParenthesizedExpression(node) || ts.isAsExpression(node)) strings(node.expression, found)
    else if (ts.isConditionalExpression(node)) for (const side of [node.whenTrue, node.whenFalse]) strings(side, found)
    else if (
      ts.isBinaryExpression(node) &&
      [
        ts.SyntaxKind.QuestionQuestionToken,
        ts.SyntaxKind.BarBarToken,
        ts.SyntaxKind.AmpersandAmpersandToken,
        ts.SyntaxKind.PlusToken,
      ].includes(node.operatorToken.kind)
    )
      for (const side of [node.left, node.right]) strings(side, found)
  }
  const shows = (node: ts.Expression, plural = false) =>
    strings(node, (literal) => {
      if (ts.isTemplateExpression(literal)) fault(literal, 'has values inside; give them as {{name}}')
      else if (literal.text !== '') uses.push({ text: literal.text, plural, where: at(literal) })
    })
  /** A sentence of a problem: given as a literal, as a constant of the file, or at every call of the function whose parameter it is. */
  const sentence = (node: ts.Expression): void => {
    if (!ts.isIdentifier(node)) {
      shows(node)
      return
    }
    let scope: ts.Node = node
    for (; !ts.isSourceFile(scope); scope = scope.parent) {
      const place = ts.isFunctionDeclaration(scope) ? scope.parameters.findIndex(({ name }) => name.getText() === node.text) : -1
      if (place !== -1 && ts.isFunctionDeclaration(scope)) {
        const called = scope.name?.text
        const usual = scope.parameters[place]?.initializer
        if (usual) shows(usual)
        each(source, (other) => {
          const argument = ts.isCallExpression(other) && other.expression.getText() === called ? other.arguments[place] : undefined
          if (argument) sentence(argument)
        })
        return
      }
    }
    each(source, (other) => {
      if (ts.isVariableDeclaration(other) && other.name.getText() === node.text && other.initializer) shows(other.initializer)
    })
  }
  const shownRaw = (node: ts.Expression) =>
    strings(node, (literal) => {
      const text = ts.isTemplateExpression(literal)
        ? [literal.head, ...literal.templateSpans.map((span) => span.literal)].map((part) => part.text).join(' ')
        : literal.text
      if (isEnglish(text)) fault(literal, 'is not translated')
    })

  each(source, (node) => {
    if (ts.isCallExpression(node)) {
      const name = node.expression.getText()
      const [first, second] = node.arguments
      if (first && MARKS.has(name)) {
        shows(
          first,
          second !== undefined &&
            ts.isObjectLiteralExpression(second) &&
            second.properties.some((property) => property.name?.getText() === 'count'),
        )
      }
      if (first && raw && /^toast(\.\w+)?$/.test(name)) shownRaw(first)
    } else if (ts.isObjectLiteralExpression(node)) {
      const named = new Map(node.properties.map((property) => [property.name?.getText(), property]))
      if (!named.has('code') || !named.has('message')) return
      for (const [name, property] of named) {
        if (name === undefined || !SENTENCES.has(name)) continue
        if (ts.isPropertyAssignment(property)) sentence(property.initializer)
        else if (ts.isShorthandPropertyAssignment(property)) sentence(property.name)
      }
    } else if (raw && ts.isJsxText(node)) {
      if (isEnglish(node.text)) fault(node, 'is not translated')
    } else if (raw && ts.isJsxAttribute(node) && ATTRIBUTES.has(node.name.getText())) {
      if (node.initializer && ts.isStringLiteral(node.initializer)) shownRaw(node.initializer)
      else if (node.initializer && ts.isJsxExpression(node.initializer) && node.initializer.expression)
        shownRaw(node.initializer.expression)
    } else if (raw && ts.isJsxExpression(node) && node.expression && !ts.isJsxAttribute(node.parent)) shownRaw(node.expression)
  })
}

function each(node: ts.Node, visit: (node: ts.Node) => void): void {
  visit(node)
  ts.forEachChild(node, (child) => each(child, visit))
}

function isEnglish(text: string): boolean {
  return /\p{L}{2}/u.test(text.replaceAll(NAMES, ''))
}

test('nothing is shown in raw English', () => {
  expect(faults).toEqual([])
})

test('every text has its German, with both plural forms where it counts, and its English singular', () => {
  const missing = uses.flatMap(({ text, plural, where }) => {
    const wanted = plural ? [`${text}_one`, `${text}_other`] : [text]
    return [
      ...wanted.filter((key) => german[key] === undefined).map((key) => `${where} de: ${JSON.stringify(key)}`),
      ...(plural && singular[`${text}_one`] === undefined ? [`${where} en: ${JSON.stringify(`${text}_one`)}`] : []),
    ]
  })
  expect(missing).toEqual([])
})

test('a translation has the values of its text, and none is left over', () => {
  const used = new Set(uses.map(({ text }) => text))
  const textOf = (key: string) => (used.has(key) ? key : key.replace(/_(one|other)$/, ''))
  const values = (text: string) => [...text.matchAll(/\{\{(\w+)/g)].map(([, name]) => name).sort()
  for (const [key, translation] of [...Object.entries(german), ...Object.entries(singular)]) {
    const text = textOf(key)
    expect(used, `${key} is not shown anywhere`).toContain(text)
    // A singular may write "one" as a word.
    const [wanted, given] = [values(text), values(translation)].map((names) =>
      names.filter((name) => !(key.endsWith('_one') && name === 'count')),
    )
    expect(given, key).toEqual(wanted)
  }
})

/** The files of one language, with their names. */
function files(language: 'de' | 'en'): [name: string, words: Record<string, string>][] {
  const folder = path.join(root, 'renderer', 'locales', language)
  return readdirSync(folder)
    .filter((name) => name.endsWith('.json'))
    .map((name) => [name, JSON.parse(readFileSync(path.join(folder, name), 'utf8')) as Record<string, string>])
}

test('what packs of Tubelet’s own say of themselves is translated', () => {
  const text = (file: string) => readFileSync(path.join(root, file), 'utf8')
  for (const pack of ['objects-80', 'screen-text', 'tubelet-mini']) {
    const { description, scores } = JSON.parse(text(`models/packs/${pack}/pack.json`)) as { description: string; scores: { on: string }[] }
    for (const said of new Set([description, ...scores.map(({ on }) => on)])) expect(german).toHaveProperty([said])
  }
  const template = text('models/packs/openmammut/template.json')
  expect(german).toHaveProperty([(JSON.parse(template) as { manifest: { licence: string } }).manifest.licence])
  // The app writes the sentence of a pack that it makes, and displays it again from the facts in pack.json.
  const made = Object.keys(german).find((key) => key.includes('{{frames}} frames of a clip'))
  expect(text('main/packs/openmammut.ts')).toContain(made?.split('{{frames}}')[1])
  const seen = Object.keys(german).find((key) => key.includes('finds boxes of any words'))
  expect(text('main/packs/owl.ts')).toContain(seen?.split('{{file}}')[1])
})

test('a text is translated in one file only: of two, nobody knows which is shown', () => {
  for (const language of ['de', 'en'] as const) {
    const keys = files(language).flatMap(([, words]) => Object.keys(words))
    expect(keys.filter((key, at) => keys.indexOf(key) !== at)).toEqual([])
  }
})

test('German addresses nobody, and calls a thing by one name', () => {
  // “Sie” and “Ihr” as forms of address, or “du”; at the beginning of a sentence “Sie” refers to something mentioned before.
  const address = /(?<!^|[.!?] )\bSie\b|\b(Ihr\w*|[Dd]u|[Dd]ich|[Dd]ir|[Dd]eine?\w*)\b/
  const rivals =
    /\b(Label|Labels|Kasten|Kästen|Modellpaket\w*|Warteschlange|Übersicht|Vorschau-Kopie)\b|analys|verw[oae]rf|verworfen|kodiert/i
  const said = files('de').flatMap(([name, words]) => Object.entries(words).map(([key, text]) => ({ name, key, text })))
  expect(said.filter(({ text }) => address.test(text))).toEqual([])
  expect(said.filter(({ text }) => rivals.test(text.replaceAll(/\{\{.*?\}\}|Label Studio/g, '')))).toEqual([])
  expect(said.filter(({ text }) => /\p{L}…/u.test(text))).toEqual([])
})
