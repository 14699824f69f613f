/** A report and a contact sheet as a colleague sees them: in a browser, without Tubelet. */
import { inflateSync } from 'node:zlib'
import AxeBuilder from '@axe-core/playwright'
import { expect, test } from '@playwright/test'
import { reportPage } from '../app/report/report.ts'
import { sheetPage } from '../app/report/sheet.ts'
import type { Language } from '../app/words.ts'
import { tricky } from './documents.ts'

/** One pixel. */
const JPEG =
  '/9j/4AAQSkZJRgABAQEASABIAAD/2wBDAP//////////////////////////////////////////////////////////////////////////////////////wgALCAABAAEBAREA/8QAFBABAAAAAAAAAAAAAAAAAAAAAP/aAAgBAQABPxA='
const HOSTILE = '<img src=x onerror="document.title=1"></style><script>document.title=1</script>'

function pages(language: Language): string[] {
  const { source, clips } = tricky
  const about = {
    language,
    at: 0,
    timeZone: 'Europe/Berlin',
    appVersion: '0.1.0',
    library: HOSTILE,
    subject: HOSTILE,
    leftOut: [HOSTILE],
    tooMany: 3,
  }
  const picture = { ordinal: 1, time: 0.5, jpeg: JPEG }
  const box = { box: { x1: 10, y1: 10, x2: 90, y2: 90 }, label: HOSTILE, standing: 'unsure' as const }
  const videos = [
    {
      title: HOSTILE,
      fingerprint: source.fingerprint,
      probe: source.probe,
      partial: true,
      clips: clips.map(({ id, index, start, end, annotations }) => ({
        id,
        number: index + 1,
        start,
        end,
        pictures: [
          { ...picture, boxes: [box] },
          { ...picture, jpeg: null, boxes: [] },
        ],
        statements: annotations.map((annotation) => ({ annotation, span: { start, end } })),
        facts: [{ kind: 'thing' as const, text: { en: HOSTILE, de: HOSTILE }, ordinals: [1], reliability: 0.8, people: false }],
      })),
    },
  ]
  const tiles = [{ title: HOSTILE, start: 0, end: 1, ...picture }]
  return [reportPage({ ...about, videos, withoutPictures: 2 }).text, sheetPage({ ...about, tiles }).text]
}

for (const language of ['en', 'de'] as const)
  test(`a report and a contact sheet in ${language} are accessible, and nothing in them runs or is loaded`, async ({ page }) => {
    const asked: string[] = []
    page.on('request', (request) => asked.push(request.url()))
    for (const text of pages(language)) {
      await page.setContent(text)
      await expect(page.getByRole('heading', { level: 1 })).toContainText(HOSTILE)
      expect(await page.title()).toContain(HOSTILE)
      const { violations } = await new AxeBuilder({ page })
        .withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'])
        .analyze()
      expect(violations.map(({ id, nodes }) => `${id} ${nodes[0]?.html.slice(0, 160)}`)).toEqual([])
      expect(await page.evaluate(() => document.querySelectorAll('script, [onerror], img:not([alt])').length)).toBe(0)
    }
    expect(asked.filter((url) => !url.startsWith('data:'))).toEqual([])
  })

test('on paper no picture is cut, and every page has its number', async ({ page }) => {
  const [text = ''] = pages('en')
  // Articles of different heights, so that they would end anywhere on a page.
  await page.setContent(text)
  const drawn = await page.evaluate(() => {
    const article = document.querySelector('article')
    for (let copy = 0; copy < 30 && article; copy += 1) {
      const next = article.cloneNode(true) as HTMLElement
      for (const more of next.querySelectorAll<HTMLElement>('.picture div')) more.style.setProperty('--ratio', String(0.5 + (copy % 7) / 4))
      article.after(next)
    }
    return document.querySelectorAll('img').length
  })
  const pdf = await page.pdf({ preferCSSPageSize: true, printBackground: true })
  const sheets = contentsOf(pdf)
  expect(sheets.length).toBeGreaterThan(5)
  // One that is cut is drawn on both pages.
  const images = sheets.map((sheet) => sheet.match(/\/Image\d+ Do|\/X\d+ Do/g)?.length ?? 0)
  expect(images.reduce((sum, count) => sum + count, 0)).toBe(drawn)
})

/** What is drawn on each page of a PDF. */
function contentsOf(pdf: Buffer): string[] {
  const streams = [...pdf.toString('latin1').matchAll(/<<([^]*?)>>\s*stream\r?\n/g)]
  return streams.flatMap(({ 0: head, 1: facts = '', index }) => {
    if (!facts.includes('/FlateDecode') || facts.includes('/Subtype')) return []
    const from = index + head.length
    const text = inflateSync(pdf.subarray(from, pdf.indexOf('endstream', from))).toString('latin1')
    return / Do\b|\bBT\b/.test(text) ? [text] : []
  })
}
