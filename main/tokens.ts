/** Tokens for programs that use a library through REST: each has a name, a scope and an end, and can be taken back. Only their digests are stored. */
import { createHash, randomBytes } from 'node:crypto'
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { Command, Option } from 'commander'
import { z } from 'zod'
import { Scope } from '../app/contract/access.ts'
import { hasCode, inEnglish, problemOf, TubeletError } from '../app/errors.ts'
import { libraryIn, wholeNumber, words } from './options.ts'
import { printError, printJson, printLine } from './terminal.ts'

const Token = z.object({
  name: z.string(),
  scope: Scope,
  /** When it ends: ISO 8601. */
  until: z.string(),
  /** SHA-256 of the token, hexadecimal. */
  digest: z.string(),
})
type Token = z.infer<typeof Token>

const DAYS = 30
const MAY: Readonly<Record<Scope, string>> = { read: 'read', edit: 'read and edit', work: 'analyse videos for' }
const MOST_DAYS = 3650
const fileIn = (projectDir: string) => path.join(projectDir, 'tokens.json')
const digestOf = (token: string) => createHash('sha256').update(token).digest('hex')

/** What a token allows now; null if it is none of this library, was taken back, or has ended, or if the list of tokens cannot be read. */
export function scopeOf(projectDir: string, token: string, now = Date.now()): Scope | null {
  const digest = digestOf(token)
  try {
    return tokensOf(projectDir).find((one) => one.digest === digest && Date.parse(one.until) > now)?.scope ?? null
  } catch (error) {
    printError(inEnglish(problemOf(error)).message)
    return null
  }
}

/** @throws TubeletError `file-unreadable` where the file is there and is no list of tokens. */
function tokensOf(projectDir: string): Token[] {
  const file = fileIn(projectDir)
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return []
    throw error
  }
  try {
    return z.array(Token).parse(JSON.parse(text))
  } catch (cause) {
    throw new TubeletError(
      { code: 'file-unreadable', message: 'The list of tokens is damaged.', file, next: 'Delete it, and make new tokens.' },
      { cause },
    )
  }
}

/** Written beside and moved into place, so that a full disk leaves the old list. */
function keep(projectDir: string, tokens: readonly Token[]): void {
  const file = fileIn(projectDir)
  const beside = `${file}.${randomBytes(6).toString('hex')}`
  try {
    writeFileSync(beside, JSON.stringify(tokens), { mode: 0o600, flag: 'wx' })
    renameSync(beside, file)
  } finally {
    rmSync(beside, { force: true })
  }
}

/** @param project The library that is meant if none is named. */
export function tokenCommand(project: string): Command {
  const command = new Command('token').description('Make, list and take back tokens with which programs use a library through REST')
  const add = (name: string, description: string) =>
    command.command(name).description(description).option('--project <folder>', 'the library', project)
  add('make', 'Make a token and print it; it is shown this once')
    .argument('<name>', 'what it is for', words('A token has a name.'))
    .addOption(
      new Option(
        '--scope <scope>',
        'read: look and search; edit: also add videos, ask, review, import, export; work: analyse videos for it (tubelet worker)',
      )
        .choices(Scope.options)
        .default('read'),
    )
    .option('--days <days>', 'how long it is good', wholeNumber(`A number of days from 1 to ${MOST_DAYS}.`, 1, MOST_DAYS), DAYS)
    .action((name: string, { project: given, scope, days }: { project: string; scope: Scope; days: number }) => {
      const folder = libraryIn(given)
      const tokens = tokensOf(folder)
      if (tokens.some((one) => one.name === name))
        throw new TubeletError({
          code: 'conflict',
          message: 'There is a token called “{{name}}” already.',
          values: { name },
          next: 'Take it back first, or choose another name.',
        })
      const token = `tubelet_${randomBytes(24).toString('base64url')}`
      const until = new Date(Date.now() + days * 86_400_000).toISOString()
      keep(folder, [...tokens, { name, scope, until, digest: digestOf(token) }])
      printLine(token)
      printError(`It may ${MAY[scope]} this library until ${until}. Send it as “Authorization: Bearer TOKEN”.`)
    })
  add('list', 'The tokens of the library')
    .option('--json', 'print one JSON document', false)
    .action(({ project: given, json }: { project: string; json: boolean }) => {
      const tokens = tokensOf(libraryIn(given)).map(({ name, scope, until }) => ({
        name,
        scope,
        until,
        ended: Date.parse(until) <= Date.now(),
      }))
      if (json) printJson(tokens)
      else if (tokens.length === 0) printLine('There is no token.')
      else for (const { name, scope, until, ended } of tokens) printLine(`${name}  ${scope}  ${ended ? 'ended' : 'until'} ${until}`)
    })
  add('revoke', 'Take a token back at once')
    .argument('<name>', 'as it is listed')
    .action((name: string, { project: given }: { project: string }) => {
      const folder = libraryIn(given)
      const tokens = tokensOf(folder)
      const left = tokens.filter((one) => one.name !== name)
      if (left.length === tokens.length)
        throw new TubeletError({
          code: 'not-found',
          message: 'There is no token “{{name}}”.',
          values: { name },
          next: 'See “tubelet token list”.',
        })
      keep(folder, left)
      printLine(`${name} is taken back.`)
    })
  return command
}
