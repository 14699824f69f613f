/** Charts as files: in the light colours, with a title and a subtitle, and with text as text. */
import { download } from '../download.ts'

/** The variables of the light theme that charts use. */
const LIGHT: Record<string, string> = {
  '--bg': '#f6f7f9',
  '--panel': '#ffffff',
  '--text': '#16191d',
  '--muted': '#59626d',
  '--line': '#dfe3e8',
  '--strong-line': '#8b95a3',
  '--accent': '#2f5bea',
  '--good': '#156f3d',
  '--warn': '#8a5200',
  '--bad': '#b42318',
  '--block': '#dbe2f5',
  '--other-block': '#c9d4f0',
}
const FONT = 'font-family="system-ui, Segoe UI, Noto Sans, sans-serif"'
const MARGIN = 16
const HEAD = 48

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
}

/** `content` is SVG in its own units, `width` × `height`. */
export function framed({
  title,
  counts,
  content,
  width,
  height,
}: {
  title: string
  counts: string
  content: string
  width: number
  height: number
}): string {
  const light = content.replaceAll(/var\((--[\w-]+)\)/g, (whole, name: string) => LIGHT[name] ?? whole)
  const [w, h] = [width + 2 * MARGIN, height + HEAD + MARGIN]
  const text = (y: number, style: string, words: string) => `<text x="${MARGIN}" y="${y}" ${style}>${escaped(words)}</text>`
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${w}" height="${h}" viewBox="0 0 ${w} ${h}" ${FONT}>`,
    `<rect width="${w}" height="${h}" fill="#ffffff"/>`,
    text(22, 'font-size="15" font-weight="600" fill="#16191d"', title),
    text(39, 'font-size="11" fill="#59626d"', counts),
    `<g transform="translate(${MARGIN} ${HEAD})">${light}</g></svg>\n`,
  ].join('')
}

/** The contents of a drawn chart. */
export function contentOf(chart: SVGSVGElement): { content: string; width: number; height: number } {
  const { width, height } = chart.viewBox.baseVal
  const copy = chart.cloneNode(true) as SVGSVGElement
  for (const element of copy.querySelectorAll('[role], [tabindex], [class]'))
    for (const name of ['role', 'tabindex', 'class', 'aria-label']) element.removeAttribute(name)
  const serializer = new XMLSerializer()
  return { content: [...copy.childNodes].map((node) => serializer.serializeToString(node)).join(''), width, height }
}

export async function save(name: string, svg: string, as: 'svg' | 'png'): Promise<void> {
  const file = new Blob([svg], { type: 'image/svg+xml' })
  if (as === 'svg') {
    download(`${name}.svg`, file)
    return
  }
  const image = new Image()
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(svg)}`
  await image.decode()
  const canvas = document.createElement('canvas')
  // Twice the size: for a slide or a printed page.
  canvas.width = image.naturalWidth * 2
  canvas.height = image.naturalHeight * 2
  canvas.getContext('2d')?.drawImage(image, 0, 0, canvas.width, canvas.height)
  const png = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, 'image/png'))
  if (png) download(`${name}.png`, png)
}
