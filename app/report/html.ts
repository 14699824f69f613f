/** HTML in which every text is inert: what is put into a template is escaped, unless it is HTML itself. */
import { withoutDirections } from '../inert.ts'

/** HTML that was made by `html`. */
export class Html {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

export type Content = string | number | Html | null | readonly Content[]

export function html(parts: TemplateStringsArray, ...contents: readonly Content[]): Html {
  return new Html(parts.reduce((text, part, at) => text + (at === 0 ? '' : inert(contents[at - 1] ?? null)) + part, ''))
}

function inert(content: Content): string {
  if (content === null) return ''
  if (content instanceof Html) return content.text
  if (typeof content === 'string') return escaped(content)
  if (typeof content === 'number') return String(content)
  return content.map(inert).join('')
}

const ESCAPES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }

/** Without characters that HTML cannot hold, and those that turn the direction of the text around them. */
function escaped(text: string): string {
  return withoutDirections(text)
    .toWellFormed()
    .replace(/(?![\t\n\r])\p{Cc}|[\ufffe\uffff]/gu, '')
    .replace(/[&<>"']/g, (one) => ESCAPES[one] ?? '')
}

/** Nothing is loaded from anywhere, and nothing runs. */
const POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"

/** A whole page as one file. */
export function page({ language, title, style, body }: { language: string; title: string; style: string; body: Html }): Html {
  return html`<!doctype html>
<html lang="${language}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${new Html(POLICY)}">
<meta name="viewport" content="width=device-width">
<meta name="referrer" content="no-referrer">
<title>${title}</title>
<style>${new Html(style)}</style>
</head>
<body>
${body}
</body>
</html>
`
}

/** A JPEG as an address within the page. */
export function jpegUrl(base64: string): Html {
  if (!/^[A-Za-z0-9+/]*=*$/.test(base64)) throw new RangeError('not base64')
  return new Html(`data:image/jpeg;base64,${base64}`)
}
