/** Settings of a library: one JSON value per key. */
import type { DatabaseSync } from 'node:sqlite'

export function readSetting<T>(db: DatabaseSync, key: string, fallback: T): T {
  const value = db.prepare('SELECT value FROM settings WHERE key = ?').get(key)?.['value']
  return typeof value === 'string' ? (JSON.parse(value) as T) : fallback
}

export function writeSetting(db: DatabaseSync, key: string, value: unknown): void {
  db.prepare('INSERT INTO settings (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value').run(
    key,
    JSON.stringify(value),
  )
}
