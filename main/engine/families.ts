/** What the engine process runs: one pack on one execution provider, and the calls that the pack's family answers. */
import type { PackManifest } from '../../app/pack/pack.ts'
import type { Handlers } from '../channel.ts'
import { Detector } from './detector.ts'
import { openDetector, testDetector } from './detector-pack.ts'
import { Graphs, type Placement } from './graphs.ts'
import { openMammut } from './mammut.ts'
import { Model } from './model.ts'
import { openFolder } from './pack.ts'
import { openOwl, Owl } from './owl.ts'
import { openSmolVlm } from './smolvlm-pack.ts'
import { SmolVlm } from './smolvlm.ts'
import { openText, testText } from './text-pack.ts'
import { TextReader } from './text.ts'
import type { CallName, Calls } from './protocol.ts'

export type PackHandlers = { [N in CallName]?: Handlers<Calls>[N] }

/** A pack on a provider. */
export interface Placed {
  graphs: Graphs
  handlers: PackHandlers
  /** Returns how the outputs differ from the pack's known answers, or null. `brief`: compares texts only. */
  selfTest: (options: { signal?: AbortSignal | undefined; brief?: boolean }) => Promise<string | null>
}

export interface OpenedPack {
  dir: string
  manifest: PackManifest
  /** The pack's digest, see main/pack-digest.ts. */
  digest: string
  place: (placement: Placement) => Placed
}

/** @param untested For a pack that is being made, which has no known answers yet. @throws TubeletError `pack-invalid` */
export async function openPlaceable(dir: string, untested: boolean): Promise<OpenedPack> {
  const { folder, manifest, digest } = await openFolder(dir)
  const opened = { dir: folder.dir, manifest, digest }
  switch (manifest.family) {
    case 'mammut': {
      const pack = await openMammut(folder, manifest, digest, untested)
      return {
        ...opened,
        place: (placement) => {
          const graphs = new Graphs(pack.graphs, placement)
          const model = new Model(pack, graphs)
          return {
            graphs,
            selfTest: (options) => model.selfTest(options),
            handlers: {
              encode: ({ tubes }) => model.encode(tubes),
              unfamiliar: ({ embedding }) => Promise.resolve(model.unfamiliar(embedding)),
              caption: (encoding, { signal }) => model.caption(encoding, { signal }),
              answer: ({ question, ...encoding }, { note, signal }) => model.answer(encoding, question, { onToken: note, signal }),
              follow: ({ memory, text, question }, { signal }) => model.follow(memory, text, question, signal),
              regions: ({ tokens, most }) => model.regions(tokens, most),
              embedText: ({ texts, as }) => model.embedText(texts, as),
              detect: ({ tokens, labels }) => model.detect(tokens, labels),
              knownAnswers: ({ clips, texts }) => model.knownAnswers(clips, texts),
            },
          }
        },
      }
    }
    case 'smolvlm': {
      const pack = await openSmolVlm(folder, manifest, untested)
      return {
        ...opened,
        place: (placement) => {
          const graphs = new Graphs(pack.graphs, placement, { varied: true })
          const model = new SmolVlm(pack, graphs)
          return {
            graphs,
            selfTest: (options) => model.selfTest(options),
            handlers: {
              encode: ({ tubes: [pictures = new Uint8Array()] }) => model.encode(pictures),
              unfamiliar: () => Promise.resolve(false),
              caption: (asked, { signal }) => model.caption(asked, { signal }),
              answer: ({ question, ...asked }, { note, signal }) => model.answer(asked, question, { onToken: note, signal }),
              follow: ({ text, question, ...asked }, { signal }) => model.follow(asked, text, question, signal),
              knownAnswers: ({ clips }) => model.knownAnswers(clips),
            },
          }
        },
      }
    }
    case 'detector': {
      const pack = await openDetector(folder, manifest)
      return {
        ...opened,
        place: (placement) => {
          const graphs = new Graphs(pack.graphs, placement)
          const detector = new Detector(manifest, graphs)
          return {
            graphs,
            selfTest: () => testDetector(pack, detector),
            handlers: { see: ({ pictures, turn }) => detector.see(pictures, turn) },
          }
        },
      }
    }
    case 'owl': {
      const pack = await openOwl(folder, manifest, untested)
      return {
        ...opened,
        place: (placement) => {
          const graphs = new Graphs(pack.graphs, placement)
          const owl = new Owl(pack, graphs)
          return {
            graphs,
            selfTest: ({ brief }) => owl.selfTest(brief),
            handlers: {
              look: ({ pictures }) => owl.look(pictures),
              spot: ({ cells, labels }) => owl.spot(cells, labels),
              liken: ({ from, box, cells }) => Promise.resolve(owl.liken(from, box, cells)),
              knownLook: ({ picture, texts, every }) => owl.knownLook(picture, texts, every),
            },
          }
        },
      }
    }
    case 'text': {
      const pack = await openText(folder, manifest)
      return {
        ...opened,
        place: (placement) => {
          const graphs = new Graphs(pack.graphs, placement, { varied: true })
          const reader = new TextReader(manifest, pack.symbols, graphs)
          return {
            graphs,
            selfTest: () => testText(pack, reader),
            handlers: { read: ({ pictures, video }) => reader.read(pictures, video) },
          }
        },
      }
    }
  }
}
