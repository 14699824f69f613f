/** What is found at given paths: real folders and files, each found once. */
import { execFileSync } from 'node:child_process'
import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { scan } from './scan.ts'

const folder = await mkdtemp(path.join(os.tmpdir(), 'tubelet-scan-'))
afterAll(() => rm(folder, { recursive: true }))

async function found(...paths: string[]) {
  const all: string[] = []
  for await (const one of scan(paths)) {
    const name = path.relative(folder, one.path)
    const more =
      one.kind === 'trouble'
        ? ` ${one.problem.code}`
        : one.kind === 'nothing'
          ? ` ${one.files}`
          : one.kind === 'numbered'
            ? ` ${one.numbered.count}`
            : ''
    all.push(`${one.kind} ${name}${more}`)
  }
  return all
}
async function files(into: string, names: Record<string, string | Uint8Array>): Promise<string> {
  const root = path.join(folder, into)
  for (const [name, content] of Object.entries(names)) {
    await mkdir(path.dirname(path.join(root, name)), { recursive: true })
    await writeFile(path.join(root, name), content)
  }
  return root
}
/** Two packets of a transport stream, right in the bytes that the scan looks at. */
const STREAM = Uint8Array.from({ length: 376 }, (_, at) => (at % 188 === 0 ? 0x47 : at % 256))

describe('scan', () => {
  it('finds videos in natural order, passes hidden entries over, and follows links once', async () => {
    const names = ['clip10.mp4', 'clip2.MP4', 'notes.doc', '.dot.mp4', 'in ünï/空白 & $(x).webm', 'in ünï/.hidden/x.mp4', '-y.gif']
    const root = await files('tree', Object.fromEntries(names.map((name) => [name, '\0'])))
    await symlink(root, path.join(root, 'loop'))
    await symlink(path.join(root, 'nowhere'), path.join(root, 'broken.mp4'))
    const videos = ['video tree/-y.gif', 'video tree/clip2.MP4', 'video tree/clip10.mp4', 'video tree/in ünï/空白 & $(x).webm']
    // A link that leads nowhere is told, where it may be to a video.
    await symlink(path.join(root, 'nowhere'), path.join(root, 'broken.txt'))
    const broken = 'trouble tree/broken.mp4 file-missing'
    expect(await found(root)).toEqual([broken, ...videos])
    expect(await found(path.join(root, 'broken.mp4'))).toEqual([broken])
    expect(await found(path.join(root, 'notes.doc'), path.join(root, 'gone'), root)).toEqual([
      ...['video tree/notes.doc', 'trouble tree/gone file-missing', broken],
      ...videos,
    ])
    // Named twice, and by its folder too.
    expect(await found(path.join(root, 'clip2.MP4'), root, path.join(root, 'clip2.MP4'))).toHaveLength(videos.length + 1)
  })

  it.skipIf(process.platform === 'win32')(
    'lets a real file lead, and links to it follow',
    { meta: { needs: 'a Unix system' } },
    async () => {
      const root = await files('linked', { 'camA/clip.mp4': '\0', 'camC/clip.mp4': '\0' })
      await mkdir(path.join(root, 'a day', 'x'), { recursive: true })
      await symlink(path.join(root, 'camA', 'clip.mp4'), path.join(root, 'a day', 'soft.mp4'))
      await symlink(path.join(root, 'camC'), path.join(root, 'a day', 'x', 'all'))
      const real = ['video linked/camA/clip.mp4', 'video linked/camC/clip.mp4']
      expect(await found(root)).toEqual([...real, 'video linked/a day/soft.mp4'])
      // Also where a person names them in that order.
      expect(await found(...['a day/soft.mp4', 'a day', 'camA', 'camC'].map((name) => path.join(root, name)))).toEqual([
        ...real,
        'video linked/a day/soft.mp4',
      ])
      // By themselves they are followed.
      expect(await found(path.join(root, 'a day'))).toEqual(['video linked/a day/x/all/clip.mp4', 'video linked/a day/soft.mp4'])
      expect(await found(path.join(root, 'a day', 'x', 'all'))).toEqual(['video linked/a day/x/all/clip.mp4'])
      // A folder within one that was named is not empty.
      expect(await found(root, path.join(root, 'camA'))).toHaveLength(3)
    },
  )

  it.skipIf(process.platform === 'win32')(
    'refuses a pipe, which may never say anything',
    { meta: { needs: 'a Unix system' } },
    async () => {
      const pipe = path.join(folder, 'pipe.mp4')
      execFileSync('mkfifo', [pipe])
      expect(await found(pipe)).toEqual(['trouble pipe.mp4 file-unreadable'])
    },
  )

  it.skipIf(process.getuid?.() === 0)(
    'goes on after a folder that it may not read',
    { meta: { needs: 'a user other than root' } },
    async () => {
      const root = await files('locked', { 'z.mp4': '\0' })
      await mkdir(path.join(root, 'a'))
      await chmod(path.join(root, 'a'), 0)
      expect(await found(root)).toEqual(['video locked/z.mp4', 'trouble locked/a file-unreadable'])
      await chmod(path.join(root, 'a'), 0o700)
    },
  )

  it('tells TypeScript and other texts from videos by what is in them', async () => {
    const root = await files('code', {
      'a.ts': 'export const ü = 1\n',
      'b.mts': 'export {}\n',
      'c.ts': STREAM,
      'd.mp4': 'a text\n',
      'e.mp4': '',
    })
    expect(await found(root)).toEqual(['text code/a.ts', 'text code/b.mts', 'video code/c.ts', 'text code/d.mp4', 'video code/e.mp4'])
    // A file that a person names is taken for a video, unless its ending may be that of a text.
    expect(await found(path.join(root, 'a.ts'), path.join(root, 'd.mp4'))).toEqual(['text code/a.ts', 'video code/d.mp4'])
    // The bytes that are read end in the middle of a letter.
    await files('code', { 'f.ts': '// ä\n'.repeat(1000) })
    expect(await found(path.join(root, 'f.ts'))).toEqual(['text code/f.ts'])
  })

  it('names sidecars beside videos, and says what lies in a folder without any', async () => {
    const root = await files('mixed', {
      'a.mp4': '\0',
      'a.srt': '1\n',
      'a.xml': '<a/>',
      'a.en.VTT': 'WEBVTT\n',
      'a.lrc': '',
      'doc/readme.txt': '',
    })
    const sidecars = ['a.en.VTT', 'a.lrc', 'a.srt', 'a.xml'].map((name) => `sidecar mixed/${name}`)
    expect((await found(root)).sort()).toEqual([...sidecars, 'video mixed/a.mp4'])
    await mkdir(path.join(folder, 'empty'))
    expect(await found(path.join(folder, 'empty'))).toEqual(['nothing empty 0'])
    expect(await found(path.join(root, 'doc'))).toEqual(['sidecar mixed/doc/readme.txt', 'nothing mixed/doc 1'])
  })

  it('offers numbered pictures, by their folder, by some of them and by their pattern', async () => {
    const numbers = [1, 2, 3, 5, 8]
    const root = await files('run', Object.fromEntries(numbers.map((n) => [`img_${String(n).padStart(3, '0')}.png`, '\0'])))
    await files('run', { 'cover.jpg': '\0', 'deep/1.jpg': '\0', 'deep/2.jpg': '\0', 'deep/10.jpg': '\0' })
    expect(await found(root)).toEqual(['numbered run/img_%03d.png 5', 'numbered run/deep/%d.jpg 3'])
    const some = ['img_001.png', 'img_002.png', 'img_003.png', 'cover.jpg'].map((name) => path.join(root, name))
    expect(await found(...some)).toEqual(['numbered run/img_%03d.png 5', 'video run/cover.jpg'])
    expect(await found(path.join(root, 'img_%03d.png'))).toEqual(['numbered run/img_%03d.png 5'])
    expect(await found(path.join(root, 'no_%03d.png'))).toEqual(['trouble run/no_%03d.png file-missing'])
  })

  it('knows packs and checkpoints, and the videos beside them', async () => {
    const pack = await files('pack', { 'pack.json': '{}', 'tokenizer.json': '{}', 'sample.mp4': '\0' })
    expect(await found(pack)).toEqual(['pack pack', 'video pack/sample.mp4'])
    const model = await files('model', { 'open_clip_model.safetensors': '\0' })
    expect(await found(model, path.join(model, 'open_clip_model.safetensors'))).toEqual([
      'pack model',
      'pack model/open_clip_model.safetensors',
    ])
    // A camera's .bin file is not a model.
    expect(await found(await files('card', { 'index.bin': '\0', 'a.mp4': '\0' }))).toEqual(['video card/a.mp4'])
  })

  it.skipIf(process.platform !== 'linux')('names a file whose name is no UTF-8, with a way out', { meta: { needs: 'Linux' } }, async () => {
    const root = await files('old', { 'a.mp4': '\0' })
    execFileSync('sh', ['-c', 'printf x > "$1/$(printf "stra\\337e.mp4")"', 'sh', root])
    const troubles = []
    for await (const one of scan([root])) if (one.kind === 'trouble') troubles.push(one.problem)
    expect(troubles).toMatchObject([
      { code: 'file-unreadable', values: { name: 'straße.mp4' }, next: expect.stringContaining('convmv') as string },
    ])
    expect(await found(root)).toContain('video old/a.mp4')
    // As Node gets it from a shell.
    expect(await found(path.join(root, 'stra\ufffde.mp4'))).toEqual(['trouble old/stra\ufffde.mp4 file-unreadable'])
  })
})
