/** The files of a detector: its graph, and a picture with known boxes for its self-test. */
import { z } from 'zod'
import { FileRef } from '../../app/pack/base.ts'
import type { DetectorManifest } from '../../app/pack/detector.ts'
import type { Detector } from './detector.ts'
import type { GraphFiles } from './graphs.ts'
import type { PackFolder } from './pack.ts'
import type { Picture } from './protocol.ts'

const Side = z.number().int().positive()
const Share = z.number().min(0).max(1)

/** The graph's known outputs, computed where the pack was converted. */
const SelfTest = z.object({
  /** Gzipped RGB bytes [height, width, 3]. */
  picture: FileRef.extend({ width: Side, height: Side }),
  /** All boxes with a score of at least `least`, in shares of the picture. */
  least: Share,
  boxes: z.array(z.object({ name: z.string(), score: Share, box: z.object({ cx: Share, cy: Share, w: Share, h: Share }) })).min(1),
  /** Largest allowed difference of a score or of a share. */
  tolerance: z.number().positive(),
})

export interface DetectorPack {
  graphs: GraphFiles
  knownAnswers: Omit<z.infer<typeof SelfTest>, 'picture'> & { picture: Picture }
}

/** @throws TubeletError `pack-invalid` when anything is missing, changed, malformed or outside the folder. */
export async function openDetector(folder: PackFolder, manifest: DetectorManifest): Promise<DetectorPack> {
  const graphs = { detector: await folder.read(manifest.graphs.detector) }
  const { picture, ...answers } = folder.parse(SelfTest, await folder.read(manifest.selfTest), manifest.selfTest.file)
  const { width, height } = picture
  return { graphs, knownAnswers: { ...answers, picture: { rgb: await folder.unzip(picture, width * height * 3), width, height } } }
}

/** Compare with the known answers. Returns what is wrong, or null. */
export async function testDetector({ knownAnswers }: DetectorPack, detector: Detector): Promise<string | null> {
  const { picture, least, boxes, tolerance } = knownAnswers
  const [seen = []] = await detector.see([picture], 0)
  const near = (a: number, b: number) => Math.abs(a - b) <= tolerance
  for (const { name, score, box } of boxes) {
    const found = seen.some(
      (one) =>
        one.name === name &&
        near(one.score, score) &&
        near(one.box.cx, box.cx) &&
        near(one.box.cy, box.cy) &&
        near(one.box.w, box.w) &&
        near(one.box.h, box.h),
    )
    if (!found) return `the box of "${name}" is off`
  }
  const more = seen.filter(({ score }) => score >= least + tolerance).length - boxes.length
  return more > 0 ? `there are ${more} boxes too many` : null
}
