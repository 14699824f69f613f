/** The W3C validator's parser has no types; these are the ones that are used. Node finds no names in it, only the whole. */
declare module 'webvtt-parser' {
  interface Cue {
    id: string
    startTime: number
    endTime: number
    tree: { children: { type: string; value?: string }[] }
  }
  export class WebVTTParser {
    constructor(entities: Readonly<Record<string, string>>)
    parse(text: string, mode: 'captions'): { cues: Cue[]; errors: { message: string; line: number }[] }
  }
  const parser: { WebVTTParser: typeof WebVTTParser }
  export default parser
}
