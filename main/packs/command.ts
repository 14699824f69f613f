/** `tubelet packs …`: manages the packs of this machine without a window. */
import path from 'node:path'
import { Command, Option } from 'commander'
import { type PackWork, Precision } from '../../app/contract/packs.ts'
import { Task } from '../../app/pack/base.ts'
import { type Where, withTubelet, withWhere } from '../command-host.ts'
import type { Tubelet } from '../open.ts'
import { printError, printJson, printLine } from '../terminal.ts'

const STAGES: Record<PackWork['stage'], string> = {
  downloading: 'Downloading',
  checking: 'Checking the file',
  converting: 'Converting the weights',
  copying: 'Copying',
  testing: 'Testing what it says',
  switching: 'Starting the engine with it',
}
const NAMES: Record<Task, string> = { caption: 'captions', answer: 'answers', search: 'search', boxes: 'boxes', text: 'text on screen' }

export function packsCommand(): Command {
  const packs = new Command('packs').description('List, import, use and delete model packs')
  const command = (name: string, description: string) =>
    withWhere(packs.command(name).description(description), 'the library in which a pack is used')

  const list = command('list', 'Packs on this machine').option('--json', 'print one JSON document', false)
  list.action(({ json, ...where }: Where & { json: boolean }) =>
    withTubelet(where, async ({ packs }) => {
      const overview = await packs.overview()
      if (json) {
        printJson(overview.packs)
        return
      }
      for (const { id, manifest, bytes, does, encoded, problem } of overview.packs) {
        const size = `${(bytes / 1e6).toFixed(0)} MB`
        const what = problem
          ? 'cannot be used; delete it and import it again'
          : `${manifest?.tasks.map((task) => NAMES[task]).join(', ') ?? ''}${does.length > 0 ? ` (in use for ${does.map((task) => NAMES[task]).join(', ')})` : ''}; ${encoded.clips} clips seen; ${manifest?.scores.length === 0 ? 'no scores were measured' : `${manifest?.scores.length ?? 0} measured scores`}`
        printLine(`${does.length > 0 ? '*' : ' '} ${id.padEnd(36)} ${size.padStart(8)}  ${what}`)
      }
    }),
  )
  command(
    'import',
    'Make a pack of a checkpoint (.safetensors: openMaMMUT, OWL-ViT, OWLv2, SmolVLM2), or take a pack that was made elsewhere',
  )
    .argument('<file>', 'the checkpoint, a folder with one, or a pack folder')
    .addOption(new Option('--precision <precision>', 'how the weights are stored').choices(Precision.options).default('fp32'))
    .action((file: string, where: Where & { precision: Precision }) =>
      withTubelet(where, async ({ packs }) => {
        const before = new Set((await packs.overview()).packs.map(({ id }) => id))
        await watched(packs, await packs.import(path.resolve(file), where.precision))
        const made = (await packs.overview()).packs.find(({ id }) => !before.has(id))
        if (made) printLine(`${made.id} is ready. Use it with: tubelet packs use ${made.id}`)
      }),
    )
  command('use', 'Use a pack in a library; what it has not seen is seen by the next analysis')
    .argument('<id>', 'as "packs list" shows it')
    .addOption(new Option('--for <task>', 'one task; all that suit it where none is named').choices(Task.options))
    .action((id: string, { for: task, ...where }: Where & { for?: Task }) =>
      withTubelet(where, async ({ packs }) => {
        const { missing } = packs.plan(id, task ?? null)
        await packs.finished(packs.use(id, task ? [task] : null, false))
        printLine(
          missing.clips === 0
            ? `${id} is in use.`
            : `${id} is in use. ${missing.clips} clips (${(missing.videoSeconds / 60).toFixed(1)} min of video) were not seen by it${missing.estimate ? `, which takes about ${Math.ceil(missing.estimate.seconds / 60)} min here` : ''}: analyze their files again, or open the library.`,
        )
      }),
    )
  command('delete', 'Delete an imported pack, and what it has encoded in this library')
    .argument('<id>', 'as "packs list" shows it')
    .action((id: string, where: Where) =>
      withTubelet(where, ({ packs }) => {
        packs.delete(id)
        printLine(`${id} is deleted.`)
        return Promise.resolve()
      }),
    )
  return packs
}

/** Prints each stage as it begins. */
async function watched(packs: Tubelet['packs'], work: PackWork): Promise<void> {
  let told = ''
  const tell = () => {
    if (work.stage !== told) printError(`${STAGES[work.stage]}…`)
    told = work.stage
  }
  const timer = setInterval(tell, 250)
  tell()
  await packs.finished(work).finally(() => clearInterval(timer))
}
