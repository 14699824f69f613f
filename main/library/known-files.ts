/** Which file each video is: its content, where it was seen last, and what is at that path now. */
import type { DatabaseSync, SQLInputValue, SQLOutputValue } from 'node:sqlite'
import type { BackendEvent, Source } from '../../app/contract.ts'

/** What is known of a video's file. */
export interface KnownFile {
  id: number
  path: string
  bytes: number
  mtimeMs: number
  /** The fingerprint of the file, without the stream that is analysed. */
  content: string
  /** The file's stamp when its content was last seen; null in libraries made by older versions. */
  stamp: string | null
  file: Source['file']
  /** The stamp of another file that is at the path now. */
  seen: string | null
  /** Whether nothing would be lost if the video were replaced: it has no decisions and no complete analysis. */
  replaceable: boolean
}

/** The content in a source's fingerprint, which also has the stream's index if the file has several pictures. */
export function contentOf(fingerprint: string): string {
  return fingerprint.split('#')[0] ?? fingerprint
}

const VIEW = `SELECT s.id, s.path, s.bytes, s.mtime_ms, s.fingerprint, s.stamp, s.file, s.seen,
  s.state NOT IN ('done') AND NOT EXISTS (SELECT 1 FROM edits e JOIN clips c ON c.id = e.clip_id WHERE c.source_id = s.id)
    AND NOT EXISTS (SELECT 1 FROM clips c JOIN annotations a ON a.clip_id = c.id WHERE c.source_id = s.id AND a.state <> 'machine') AS replaceable
  FROM sources s`

export class KnownFiles {
  readonly #db: DatabaseSync
  readonly #emit: (event: BackendEvent) => void

  constructor(db: DatabaseSync, emit: (event: BackendEvent) => void) {
    this.#db = db
    this.#emit = emit
  }

  get(id: number): KnownFile | null {
    return this.#find('s.id = ?', id)[0] ?? null
  }

  /** The path at which each video was seen last, by source id. */
  paths(): Map<number, string> {
    return new Map(
      this.#db
        .prepare('SELECT id, path FROM sources ORDER BY id')
        .all()
        .map((row) => [Number(row['id']), String(row['path'])]),
    )
  }

  /** The videos that were seen last at this path. */
  at(path: string): KnownFile[] {
    return this.#find('s.path = ?', path)
  }

  /** Videos with another file at their path, and that path. */
  replaced(): { sourceId: number; path: string }[] {
    return this.#find(`s.file = 'replaced'`).map(({ id, path }) => ({ sourceId: id, path }))
  }

  /** Sources with this content; several if several pictures of the file are analysed. */
  ofContent(content: string): KnownFile[] {
    return this.#find(`s.fingerprint = ?1 OR (s.fingerprint > ?1 || '#' AND s.fingerprint < ?1 || '$')`, content)
  }

  /** Record that a video's content was found at this path. */
  found(id: number, path: string, name: string, stamp: string): void {
    this.#update(id, { path, name, stamp, file: 'there', seen: null, seen_at: null })
  }

  /** Record a new content of a source: its file grew, or a person said that it is the same video. */
  changed(id: number, content: string, { bytes, mtimeMs, stamp }: { bytes: number; mtimeMs: number; stamp: string }): void {
    this.#db.prepare(`UPDATE sources SET fingerprint = ? || iif(picture IS NULL, '', '#' || picture) WHERE id = ?`).run(content, id)
    this.#update(id, { bytes, mtime_ms: mtimeMs, stamp, file: 'there', seen: null, seen_at: null })
  }

  /** Record that a video is no longer at its path. @param seen The stamp of the file that is there instead; null if none. */
  lost(id: number, file: 'missing' | 'replaced', seen: string | null): void {
    if (this.#db.prepare('SELECT 1 FROM sources WHERE id = ? AND file = ? AND seen IS ?').get(id, file, seen)) return
    this.#update(id, { file, seen, seen_at: new Date().toISOString() })
  }

  /** The same of all videos below a folder that is no longer there. @param folder Its path with a separator at its end. */
  lostBelow(folder: string): void {
    const ids = this.#db
      .prepare(
        `UPDATE sources SET file = 'missing', seen = NULL, seen_at = ?1 WHERE file = 'there' AND substr(path, 1, length(?2)) = ?2 RETURNING id`,
      )
      .all(new Date().toISOString(), folder)
      .map((row) => Number(row['id']))
    if (ids.length > 0) this.#emit({ type: 'sources', ids })
  }

  /** Videos that were not where they were when somebody looked. */
  missing(): KnownFile[] {
    return this.#find(`s.file = 'missing'`)
  }

  /** Record whether a file is being written at the moment. */
  growing(id: number, is: boolean): void {
    const { changes } = this.#db
      .prepare(`UPDATE sources SET file = ?1 WHERE id = ?2 AND file = ?3`)
      .run(is ? 'growing' : 'there', id, is ? 'there' : 'growing')
    if (changes > 0) this.#emit({ type: 'sources', ids: [id] })
  }

  #find(where: string, ...values: SQLInputValue[]): KnownFile[] {
    return this.#db
      .prepare(`${VIEW} WHERE ${where} ORDER BY s.id`)
      .all(...values)
      .map(knownFile)
  }

  #update(id: number, values: Record<string, SQLInputValue>): void {
    this.#db
      .prepare(
        `UPDATE sources SET ${Object.keys(values)
          .map((name) => `${name} = ?`)
          .join(', ')} WHERE id = ?`,
      )
      .run(...Object.values(values), id)
    this.#emit({ type: 'sources', ids: [id] })
  }
}

function knownFile(row: Record<string, SQLOutputValue>): KnownFile {
  return {
    id: Number(row['id']),
    path: String(row['path']),
    bytes: Number(row['bytes']),
    mtimeMs: Number(row['mtime_ms']),
    content: contentOf(String(row['fingerprint'])),
    stamp: row['stamp'] === null ? null : String(row['stamp']),
    file: row['file'] as Source['file'],
    seen: row['seen'] === null ? null : String(row['seen']),
    replaceable: row['replaceable'] === 1,
  }
}
