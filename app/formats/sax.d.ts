/** sax has no types of its own; these are the parts that are used. */
declare module 'sax' {
  interface Parser {
    /** Counted from 0. */
    line: number
    onopentag: (tag: { name: string; attributes: Readonly<Record<string, string>> }) => void
    onclosetag: (name: string) => void
    ontext: (text: string) => void
    oncdata: (text: string) => void
    ondoctype: () => void
    onerror: (error: Error) => void
    write(chunk: string): Parser
    close(): Parser
  }
  const sax: { parser(strict: true, options?: { position?: boolean }): Parser }
  export default sax
}
