/** The page at /api/docs: every route of the contract for a reader, without a script and without anything from elsewhere. */
import { escapeUTF8 } from 'entities'
import { z } from 'zod'
import { mayCall } from '../app/contract/access.ts'
import type { RouteSpec } from '../app/contract/route.ts'
import { contract, type RouteName } from '../app/contract.ts'

const STYLE = `
  :root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif; }
  body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
  h1, h2 { line-height: 1.2; } h2 { margin-top: 2.5rem; text-transform: capitalize; }
  article { border-top: 1px solid color-mix(in srgb, currentColor 25%, transparent); padding: .6rem 0; }
  h3 { margin: 0; font: 600 15px/1.5 ui-monospace, monospace; overflow-wrap: anywhere; }
  p { margin: .2rem 0; } pre { overflow: auto; max-height: 30rem; font-size: 13px; }
  summary { cursor: pointer; }
`

export function apiPage(): Response {
  return new Response(page(), {
    headers: {
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
      'x-content-type-options': 'nosniff',
    },
  })
}

function page(): string {
  const routes = (Object.entries(contract) as [RouteName, RouteSpec][]).map(([name, spec]) => ({ name, spec }))
  const areas = Map.groupBy(routes, ({ spec }) => spec.path.split('/')[2] ?? '')
  return [
    `<!doctype html><html lang="en"><meta charset="utf-8"><title>Tubelet: REST</title><style>${STYLE}</style>`,
    '<main><h1>Tubelet for programs</h1>',
    '<p>Send a token as <code>Authorization: Bearer TOKEN</code>; <code>tubelet token make NAME</code> makes one. The same for generators of clients: ',
    '<a href="/api/openapi.json">openapi.json</a> (OpenAPI 3.1). A problem has a status from 400 on and says <code>problem.message</code> and <code>problem.next</code>.</p>',
    ...[...areas].map(([area, list]) => `<h2>${escapeUTF8(area)}</h2>${list.map(article).join('')}`),
    '</main></html>',
  ].join('')
}

function article({ name, spec }: { name: RouteName; spec: RouteSpec }): string {
  const { method, path, summary, params, query, body, accepts, output, events, bytes, errors } = spec
  const who = mayCall('read', name) ? 'any token' : mayCall('edit', name) ? 'a token that may edit' : 'the key alone'
  const schemas = [
    ['Path', params],
    ['Query', query],
    ['Body', body],
    ['Answer', output],
    ['Each event', events],
  ] as const
  return [
    `<article id="${name}"><h3>${method.toUpperCase()} ${escapeUTF8(path)}</h3><p>${escapeUTF8(summary)}.</p><p>Needs ${who}.`,
    accepts === undefined ? '' : ` The body is ${escapeUTF8(accepts)}.`,
    bytes === undefined ? '' : ` The answer is ${escapeUTF8(bytes)}.`,
    errors === undefined ? '' : ` Problems: ${errors.join(', ')}.`,
    '</p>',
    ...schemas.flatMap(([title, schema]) =>
      schema === undefined ? [] : [`<details><summary>${title}</summary><pre>${written(schema)}</pre></details>`],
    ),
    '</article>',
  ].join('')
}

function written(schema: z.ZodType): string {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' })
  return escapeUTF8(JSON.stringify(rest, null, 2))
}
