/** The library file: one SQLite database a project, changed only by the numbered migrations below. */
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type Problem, problemOf, TubeletError } from '../../app/errors.ts'
import { backUpNow } from './backups.ts'
import { KeptStatements } from './statements.ts'

/** Migration n brings a file from version n to n + 1. Never edit one that was released: add another. */
export const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE sources (
    id INTEGER PRIMARY KEY, path TEXT NOT NULL, name TEXT NOT NULL, bytes INTEGER NOT NULL, mtime_ms REAL NOT NULL,
    fingerprint TEXT NOT NULL UNIQUE, added_at TEXT NOT NULL, state TEXT NOT NULL, problem TEXT, probe TEXT,
    pts BLOB, has_thumbnail INTEGER NOT NULL DEFAULT 0, filmstrip_cells INTEGER NOT NULL DEFAULT 0
  ) STRICT;
  CREATE TABLE clips (
    id INTEGER PRIMARY KEY, source_id INTEGER NOT NULL REFERENCES sources ON DELETE CASCADE, idx INTEGER NOT NULL, kind TEXT NOT NULL,
    start REAL NOT NULL, "end" REAL NOT NULL, start_frame INTEGER NOT NULL, end_frame INTEGER NOT NULL, frames TEXT NOT NULL,
    UNIQUE (source_id, start_frame, end_frame)
  ) STRICT;
  CREATE INDEX clips_in_order ON clips (source_id, start_frame);
  CREATE TABLE encodings (
    id INTEGER PRIMARY KEY, clip_id INTEGER NOT NULL REFERENCES clips ON DELETE CASCADE, pack_digest TEXT NOT NULL,
    embedding BLOB NOT NULL, memory BLOB NOT NULL, tokens BLOB, UNIQUE (clip_id, pack_digest)
  ) STRICT;
  CREATE TABLE annotations (
    id INTEGER PRIMARY KEY AUTOINCREMENT, clip_id INTEGER NOT NULL REFERENCES clips ON DELETE CASCADE, kind TEXT NOT NULL,
    topic TEXT NOT NULL, machine TEXT, human TEXT, state TEXT NOT NULL, evidence TEXT, provenance TEXT, updated_at TEXT NOT NULL
  ) STRICT;
  CREATE INDEX annotations_of_clip ON annotations (clip_id, kind);
  CREATE UNIQUE INDEX one_caption_one_answer ON annotations (clip_id, kind, topic) WHERE kind IN ('caption', 'answer');
  CREATE TABLE edits (
    id INTEGER PRIMARY KEY AUTOINCREMENT, description TEXT NOT NULL, annotation_id INTEGER NOT NULL, clip_id INTEGER NOT NULL REFERENCES clips ON DELETE CASCADE,
    before TEXT, after TEXT, undone INTEGER NOT NULL DEFAULT 0, at TEXT NOT NULL
  ) STRICT;
  CREATE TABLE jobs (
    id INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, title TEXT NOT NULL, source_id INTEGER REFERENCES sources ON DELETE CASCADE,
    payload TEXT NOT NULL, state TEXT NOT NULL, stage TEXT NOT NULL, progress REAL NOT NULL, problem TEXT
  ) STRICT;
  CREATE INDEX jobs_by_state ON jobs (state, id);
  CREATE TABLE settings (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
  `,
  // A pack's results are stored with its encoding, so that another pack may be used in between. A caption is a MachineResult.
  `
  ALTER TABLE encodings ADD COLUMN frames TEXT;
  ALTER TABLE encodings ADD COLUMN caption TEXT;
  CREATE INDEX encodings_of_pack ON encodings (pack_digest, clip_id);
  UPDATE encodings SET frames = (SELECT c.frames FROM clips c WHERE c.id = encodings.clip_id),
    caption = (SELECT json_object('body', json(a.machine), 'evidence', json(a.evidence), 'provenance', json(a.provenance)) FROM annotations a
      WHERE a.clip_id = encodings.clip_id AND a.kind = 'caption' AND a.provenance ->> '$.packDigest' = encodings.pack_digest);
  `,
  // Detections down to a floor are stored beneath the tracks, so that labels and thresholds can change without reading the encoding.
  `
  ALTER TABLE encodings ADD COLUMN looked_for TEXT;
  CREATE TABLE detections (
    clip_id INTEGER NOT NULL, pack_digest TEXT NOT NULL, phrases TEXT NOT NULL, found BLOB NOT NULL, PRIMARY KEY (clip_id, pack_digest, phrases),
    FOREIGN KEY (clip_id, pack_digest) REFERENCES encodings (clip_id, pack_digest) ON DELETE CASCADE
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE candidates (
    id INTEGER PRIMARY KEY AUTOINCREMENT, clip_id INTEGER NOT NULL, pack_digest TEXT NOT NULL, label TEXT NOT NULL, score REAL NOT NULL, boxes INTEGER NOT NULL,
    body TEXT NOT NULL, provenance TEXT NOT NULL,
    FOREIGN KEY (clip_id, pack_digest) REFERENCES encodings (clip_id, pack_digest) ON DELETE CASCADE
  ) STRICT;
  CREATE INDEX candidates_of_clip ON candidates (clip_id, pack_digest);
  CREATE INDEX candidates_by_score ON candidates (pack_digest, label, score, boxes, clip_id);
  ALTER TABLE annotations ADD COLUMN candidate INTEGER;
  CREATE INDEX annotations_of_candidate ON annotations (candidate) WHERE candidate IS NOT NULL;
  `,
  // The question table: columns with the same topic are the same; the view without a name is the table's last state.
  `
  CREATE TABLE columns (
    id INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, text TEXT NOT NULL, topic TEXT NOT NULL UNIQUE, automatic INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE views (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE, spec TEXT NOT NULL) STRICT;
  CREATE INDEX annotations_of_topic ON annotations (kind, topic, clip_id);
  `,
  // Changes that a person made at once are one step of undo; texts that a newer run replaced are kept; the queue has its own order.
  `
  ALTER TABLE edits ADD COLUMN step INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE edits ADD COLUMN action TEXT NOT NULL DEFAULT '';
  UPDATE edits SET step = id, action = substr(description, 1, instr(description, ' ') - 1), description = json_object('text', description);
  CREATE INDEX edits_by_step ON edits (undone, step);
  CREATE INDEX edits_of_clip ON edits (clip_id);
  CREATE TABLE replaced (
    id INTEGER PRIMARY KEY, annotation_id INTEGER NOT NULL, clip_id INTEGER NOT NULL REFERENCES clips ON DELETE CASCADE,
    machine TEXT NOT NULL, evidence TEXT, provenance TEXT
  ) STRICT;
  CREATE INDEX replaced_of_clip ON replaced (clip_id);
  ALTER TABLE jobs DROP COLUMN stage;
  ALTER TABLE jobs ADD COLUMN rank REAL NOT NULL DEFAULT 0;
  ALTER TABLE jobs ADD COLUMN placed INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE jobs ADD COLUMN started_at TEXT;
  ALTER TABLE jobs ADD COLUMN ended_at TEXT;
  UPDATE jobs SET rank = CASE kind WHEN 'analyse' THEN id ELSE id - 1e9 END;
  CREATE INDEX jobs_in_order ON jobs (state, rank);
  `,
  // Regions of a clip, for search by a box: computed from the encoding when first needed, and again after they were deleted.
  `
  CREATE TABLE regions (encoding_id INTEGER PRIMARY KEY REFERENCES encodings ON DELETE CASCADE, places TEXT NOT NULL, vectors BLOB NOT NULL) STRICT;
  `,
  // A change of the vocabulary is a step like others, on no clip.
  `
  CREATE TABLE edits_of_all (
    id INTEGER PRIMARY KEY AUTOINCREMENT, description TEXT NOT NULL, annotation_id INTEGER NOT NULL, clip_id INTEGER REFERENCES clips ON DELETE CASCADE,
    before TEXT, after TEXT, undone INTEGER NOT NULL DEFAULT 0, at TEXT NOT NULL, step INTEGER NOT NULL DEFAULT 0, action TEXT NOT NULL DEFAULT ''
  ) STRICT;
  INSERT INTO edits_of_all (id, description, annotation_id, clip_id, before, after, undone, at, step, action)
    SELECT id, description, annotation_id, clip_id, before, after, undone, at, step, action FROM edits;
  DROP TABLE edits;
  ALTER TABLE edits_of_all RENAME TO edits;
  CREATE INDEX edits_by_step ON edits (undone, step);
  CREATE INDEX edits_of_clip ON edits (clip_id);
  `,
  // Lists sort, filter and count by indexed generated columns instead of parsing every annotation's JSON.
  `
  ALTER TABLE annotations ADD COLUMN shown TEXT AS (json_extract(coalesce(human, machine), '$.text')) VIRTUAL;
  ALTER TABLE annotations ADD COLUMN overruled TEXT AS (CASE WHEN human IS NOT NULL THEN json_extract(machine, '$.text') END) VIRTUAL;
  ALTER TABLE annotations ADD COLUMN label TEXT AS (json_extract(coalesce(human, machine), '$.label')) VIRTUAL;
  ALTER TABLE annotations ADD COLUMN confidence REAL AS (json_extract(evidence, '$.confidence')) VIRTUAL;
  ALTER TABLE annotations ADD COLUMN unsure INTEGER AS (json_extract(evidence, '$.unsure')) VIRTUAL;
  ALTER TABLE annotations ADD COLUMN agreement REAL AS (json_extract(evidence, '$.agreement')) VIRTUAL;
  DROP INDEX annotations_of_topic;
  CREATE INDEX annotations_of_topic ON annotations (kind, topic, clip_id, state, shown, overruled, label, confidence, unsure, agreement);
  DROP INDEX annotations_of_clip;
  CREATE INDEX annotations_of_clip ON annotations (clip_id, kind, state);
  `,
  // Marking or removing a clip is a step of undo; what is needed to bring it back is kept, with the edits on it.
  `
  CREATE TABLE removed (clip_id INTEGER PRIMARY KEY, source_id INTEGER NOT NULL REFERENCES sources ON DELETE CASCADE, rows BLOB NOT NULL) STRICT;
  CREATE TABLE edits_of_any (
    id INTEGER PRIMARY KEY AUTOINCREMENT, description TEXT NOT NULL, annotation_id INTEGER NOT NULL, clip_id INTEGER,
    before TEXT, after TEXT, undone INTEGER NOT NULL DEFAULT 0, at TEXT NOT NULL, step INTEGER NOT NULL DEFAULT 0, action TEXT NOT NULL DEFAULT ''
  ) STRICT;
  INSERT INTO edits_of_any (id, description, annotation_id, clip_id, before, after, undone, at, step, action)
    SELECT id, description, annotation_id, clip_id, before, after, undone, at, step, action FROM edits;
  DROP TABLE edits;
  ALTER TABLE edits_of_any RENAME TO edits;
  CREATE INDEX edits_by_step ON edits (undone, step);
  CREATE INDEX edits_of_clip ON edits (clip_id);
  CREATE TRIGGER edits_go_with_clip AFTER DELETE ON clips WHEN NOT EXISTS (SELECT 1 FROM removed WHERE clip_id = OLD.id)
    BEGIN DELETE FROM edits WHERE clip_id = OLD.id; END;
  CREATE TRIGGER edits_go_with_removed AFTER DELETE ON removed WHEN NOT EXISTS (SELECT 1 FROM clips WHERE id = OLD.clip_id)
    BEGIN DELETE FROM edits WHERE clip_id = OLD.clip_id; END;
  CREATE INDEX clips_marked ON clips (source_id) WHERE kind = 'marked';
  `,
  // Clips picked outside the table to be the rows of a view.
  `
  CREATE TABLE picks (id INTEGER PRIMARY KEY AUTOINCREMENT, clip_ids TEXT NOT NULL) STRICT;
  `,
  // The window asks whether a preview copy of a source is being made while the source is on the screen.
  `
  CREATE INDEX jobs_of_source ON jobs (source_id, kind);
  `,
  // An id is given once: what was read of a removed clip or video must never be taken for another one's.
  `
  CREATE TABLE gone (what TEXT PRIMARY KEY, last_id INTEGER NOT NULL) STRICT;
  INSERT INTO gone (what, last_id) VALUES
    ('sources', (SELECT coalesce(max(id), 0) FROM sources)),
    ('clips', (SELECT coalesce(max(id), 0) FROM (SELECT id FROM clips UNION ALL SELECT clip_id FROM removed UNION ALL SELECT value FROM picks, json_each(clip_ids))));
  CREATE TRIGGER source_ids_stay_taken AFTER DELETE ON sources WHEN OLD.id > (SELECT last_id FROM gone WHERE what = 'sources')
    BEGIN UPDATE gone SET last_id = OLD.id WHERE what = 'sources'; END;
  CREATE TRIGGER clip_ids_stay_taken AFTER DELETE ON clips WHEN OLD.id > (SELECT last_id FROM gone WHERE what = 'clips')
    BEGIN UPDATE gone SET last_id = OLD.id WHERE what = 'clips'; END;
  `,
  // Every task has its pack. Results of detectors and readers for a clip and, with an empty digest (''), measurements of its frames, as compressed JSON.
  `
  CREATE TABLE seen (
    clip_id INTEGER NOT NULL REFERENCES clips ON DELETE CASCADE, by TEXT NOT NULL, body BLOB NOT NULL, PRIMARY KEY (clip_id, by)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX seen_by ON seen (by, clip_id);
  INSERT INTO settings (key, value) SELECT 'packs', json_object('caption', json(value), 'answer', json(value), 'search', json(value)) FROM settings WHERE key = 'pack';
  DELETE FROM settings WHERE key = 'pack';
  CREATE TABLE candidates_of_any (
    id INTEGER PRIMARY KEY AUTOINCREMENT, clip_id INTEGER NOT NULL REFERENCES clips ON DELETE CASCADE, pack_digest TEXT NOT NULL, label TEXT NOT NULL, score REAL NOT NULL,
    boxes INTEGER NOT NULL, body TEXT NOT NULL, provenance TEXT NOT NULL
  ) STRICT;
  -- Decided tracks still name candidates that are gone: none of their ids may be given again.
  INSERT INTO sqlite_sequence (name, seq) SELECT 'candidates_of_any', seq FROM sqlite_sequence WHERE name = 'candidates';
  INSERT INTO candidates_of_any SELECT id, clip_id, pack_digest, label, score, boxes, body, provenance FROM candidates;
  DROP TABLE candidates;
  ALTER TABLE candidates_of_any RENAME TO candidates;
  CREATE INDEX candidates_of_clip ON candidates (clip_id, pack_digest);
  CREATE INDEX candidates_by_score ON candidates (pack_digest, label, score, boxes, clip_id);
  `,
  // Search by words: an index of annotations, kept up to date by triggers. Rejected ones are not in it.
  // `said` has ß as ss; a second column, for texts with an umlaut, has ä as ae, also if macOS wrote it as two characters. `stems` is for English.
  // standing: 0 a guess (the clip is not familiar to the pack), 1 the machine's, 2 accepted, 3 a person's own. Tracks are found by their label. Answers
  // made from facts are left out: what they rest on is found, and "no dogs were seen" must not be found as a dog.
  `
  CREATE TABLE findable (id INTEGER PRIMARY KEY, clip_id INTEGER NOT NULL, standing INTEGER NOT NULL, strength REAL NOT NULL, label TEXT) STRICT;
  CREATE INDEX findable_by_label ON findable (label, clip_id, standing, strength) WHERE label IS NOT NULL;
  CREATE VIRTUAL TABLE said USING fts5 (plain, spelt, content = '', contentless_delete = 1, tokenize = 'unicode61 remove_diacritics 2');
  CREATE VIRTUAL TABLE stems USING fts5 (plain, content = '', contentless_delete = 1, tokenize = 'porter unicode61 remove_diacritics 2');
  CREATE VIRTUAL TABLE said_words USING fts5vocab (said, 'row');
  CREATE VIRTUAL TABLE named USING fts5 (plain, spelt, content = '', contentless_delete = 1, tokenize = 'unicode61 remove_diacritics 2');
  CREATE VIRTUAL TABLE named_words USING fts5vocab (named, 'row');
  CREATE VIEW to_find AS SELECT id, clip_id, label,
      CASE state WHEN 'edited' THEN 3 WHEN 'accepted' THEN 2 ELSE iif(coalesce(json_extract(evidence, '$.unfamiliar'), 0), 0, 1) END AS standing,
      coalesce(CASE kind WHEN 'track' THEN (SELECT max(json_extract(value, '$.score')) FROM json_each(coalesce(human, machine), '$.boxes')) ELSE confidence END, 1.0) AS strength
    FROM annotations WHERE state <> 'rejected' AND NOT (kind = 'answer' AND state = 'machine' AND coalesce(provenance ->> '$.packId', '') = 'facts');
  CREATE VIEW to_say AS SELECT id, plain, iif(spelt = plain, NULL, spelt) AS spelt FROM (SELECT id, replace(replace(shown, 'ß', 'ss'), 'ẞ', 'ss') AS plain,
      replace(replace(replace(replace(replace(replace(replace(replace(replace(shown, 'ß', 'ss'), 'ẞ', 'ss'), 'ä', 'ae'), 'ö', 'oe'), 'ü', 'ue'), 'Ä', 'ae'), 'Ö', 'oe'), 'Ü', 'ue'), char(776), 'e') AS spelt
    FROM annotations WHERE state <> 'rejected' AND kind <> 'track');
  CREATE VIEW to_name AS SELECT id, plain, iif(spelt = plain, NULL, spelt) AS spelt FROM (SELECT id, replace(replace(text, 'ß', 'ss'), 'ẞ', 'ss') AS plain,
      replace(replace(replace(replace(replace(replace(replace(replace(replace(text, 'ß', 'ss'), 'ẞ', 'ss'), 'ä', 'ae'), 'ö', 'oe'), 'ü', 'ue'), 'Ä', 'ae'), 'Ö', 'oe'), 'Ü', 'ue'), char(776), 'e') AS spelt
    FROM (SELECT id, name || ' ' || substr(dir, length(rtrim(dir, replace(dir, '/', ''))) + 1) AS text
      FROM (SELECT id, name, rtrim(rtrim(replace(path, char(92), '/'), replace(replace(path, char(92), '/'), '/', '')), '/') AS dir FROM sources)));
  INSERT INTO findable (id, clip_id, label, standing, strength) SELECT id, clip_id, label, standing, strength FROM to_find;
  INSERT INTO said (rowid, plain, spelt) SELECT id, plain, spelt FROM to_say;
  INSERT INTO stems (rowid, plain) SELECT id, plain FROM to_say;
  INSERT INTO named (rowid, plain, spelt) SELECT id, plain, spelt FROM to_name;
  CREATE TRIGGER find_what_comes AFTER INSERT ON annotations BEGIN
    INSERT INTO findable (id, clip_id, label, standing, strength) SELECT id, clip_id, label, standing, strength FROM to_find WHERE id = NEW.id;
    INSERT INTO said (rowid, plain, spelt) SELECT id, plain, spelt FROM to_say WHERE id = NEW.id;
    INSERT INTO stems (rowid, plain) SELECT id, plain FROM to_say WHERE id = NEW.id;
  END;
  CREATE TRIGGER find_what_is_left AFTER DELETE ON annotations BEGIN
    DELETE FROM findable WHERE id = OLD.id;
    DELETE FROM said WHERE rowid = OLD.id AND OLD.kind <> 'track' AND OLD.state <> 'rejected';
    DELETE FROM stems WHERE rowid = OLD.id AND OLD.kind <> 'track' AND OLD.state <> 'rejected';
  END;
  CREATE TRIGGER find_what_is_meant AFTER UPDATE ON annotations BEGIN
    DELETE FROM findable WHERE id = OLD.id;
    INSERT INTO findable (id, clip_id, label, standing, strength) SELECT id, clip_id, label, standing, strength FROM to_find WHERE id = NEW.id;
  END;
  CREATE TRIGGER find_what_is_said AFTER UPDATE ON annotations WHEN OLD.kind <> 'track' AND (OLD.id <> NEW.id OR OLD.shown IS NOT NEW.shown OR (OLD.state = 'rejected') <> (NEW.state = 'rejected')) BEGIN
    DELETE FROM said WHERE rowid = OLD.id AND OLD.state <> 'rejected';
    DELETE FROM stems WHERE rowid = OLD.id AND OLD.state <> 'rejected';
    INSERT INTO said (rowid, plain, spelt) SELECT id, plain, spelt FROM to_say WHERE id = NEW.id;
    INSERT INTO stems (rowid, plain) SELECT id, plain FROM to_say WHERE id = NEW.id;
  END;
  CREATE TRIGGER find_new_names AFTER INSERT ON sources BEGIN
    INSERT INTO named (rowid, plain, spelt) SELECT id, plain, spelt FROM to_name WHERE id = NEW.id;
  END;
  CREATE TRIGGER forget_names AFTER DELETE ON sources BEGIN DELETE FROM named WHERE rowid = OLD.id; END;
  CREATE TRIGGER find_other_names AFTER UPDATE OF path, name ON sources BEGIN
    DELETE FROM named WHERE rowid = OLD.id;
    INSERT INTO named (rowid, plain, spelt) SELECT id, plain, spelt FROM to_name WHERE id = NEW.id;
  END;
  `,
  // A label's number in exported files: given once and never to another label, so that a model trained on an old file can be compared with a new one.
  `
  CREATE TABLE categories (id INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL UNIQUE, name TEXT NOT NULL) STRICT;
  `,
  // A video is identified by its content, and its path is checked again and again. A removed video is kept in a bin: its rows of every
  // table, as v8.serialize writes them. Each step of undo stores who made it: the name of a window, or null.
  `
  ALTER TABLE sources ADD COLUMN stamp TEXT;
  ALTER TABLE sources ADD COLUMN file TEXT NOT NULL DEFAULT 'there';
  ALTER TABLE sources ADD COLUMN seen TEXT;
  ALTER TABLE sources ADD COLUMN seen_at TEXT;
  ALTER TABLE sources ADD COLUMN picture INTEGER;
  CREATE INDEX sources_by_path ON sources (path);
  ALTER TABLE edits ADD COLUMN made_in TEXT;
  CREATE TABLE bin (
    source_id INTEGER PRIMARY KEY, name TEXT NOT NULL, path TEXT NOT NULL, fingerprint TEXT NOT NULL, bytes INTEGER NOT NULL, clips INTEGER NOT NULL, reviewed INTEGER NOT NULL,
    removed_at TEXT NOT NULL
  ) STRICT;
  CREATE INDEX bin_by_content ON bin (fingerprint);
  CREATE TABLE bin_rows (id INTEGER PRIMARY KEY, source_id INTEGER NOT NULL REFERENCES bin ON DELETE CASCADE, rows BLOB NOT NULL) STRICT;
  CREATE INDEX bin_rows_of_source ON bin_rows (source_id);
  `,
  // Numbered pictures as a video: how many are shown per second, and which numbers exist.
  `
  ALTER TABLE sources ADD COLUMN numbered TEXT;
  `,
  // A person's tracks count in every clip that they reach into (reach.ts): this index finds those that leave their clip.
  `
  CREATE INDEX tracks_of_people ON annotations (clip_id, label) WHERE kind = 'track' AND (state = 'edited' OR machine IS NULL);
  `,
  // Sure facts of a clip, one row each (see findableFacts): found by words like annotations, but not annotations. whole: about the
  // picture, not about one thing in it.
  `
  CREATE TABLE told (
    id INTEGER PRIMARY KEY AUTOINCREMENT, clip_id INTEGER NOT NULL REFERENCES clips ON DELETE CASCADE, whole INTEGER NOT NULL, strength REAL NOT NULL, words TEXT NOT NULL
  ) STRICT;
  CREATE INDEX told_of_clip ON told (clip_id);
  CREATE VIRTUAL TABLE told_words USING fts5 (words, content = '', contentless_delete = 1, tokenize = 'porter unicode61 remove_diacritics 2');
  CREATE TRIGGER find_what_is_told AFTER INSERT ON told BEGIN INSERT INTO told_words (rowid, words) VALUES (NEW.id, NEW.words); END;
  CREATE TRIGGER find_what_is_untold AFTER DELETE ON told BEGIN DELETE FROM told_words WHERE rowid = OLD.id; END;
  `,
  // Labels that differ only in case are one (see spelling.ts): people's tracks are written as the vocabulary, the machine, or the first of them was.
  `
  UPDATE annotations SET human = json_set(human, '$.label', spelt.name) FROM (
    SELECT folded, name, min(place * 1e15 + nth) FROM (
      SELECT lower(v.value ->> '$.name') AS folded, v.value ->> '$.name' AS name, 0 AS place, v.key AS nth FROM settings, json_each(settings.value) v WHERE settings.key = 'vocabulary'
      UNION ALL SELECT lower(label), label, iif(machine IS NULL, 2, 1), id FROM annotations WHERE kind = 'track'
    ) GROUP BY folded
  ) spelt WHERE annotations.kind = 'track' AND annotations.human IS NOT NULL AND lower(annotations.label) = spelt.folded AND annotations.label <> spelt.name;
  `,
  // The file from which people's work was imported (Origin in app/annotation).
  `
  ALTER TABLE annotations ADD COLUMN origin TEXT;
  `,
  // Why nothing could answer a column's question about a clip: a Problem.
  `
  CREATE TABLE unanswered (
    clip_id INTEGER NOT NULL REFERENCES clips ON DELETE CASCADE, topic TEXT NOT NULL, why TEXT NOT NULL, PRIMARY KEY (topic, clip_id)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX unanswered_of_clip ON unanswered (clip_id);
  `,
  // Detectors of any words: what is kept of each picture that they saw (app/cells), and the labels that `seen` rows of theirs were made for.
  `
  CREATE TABLE cells (
    clip_id INTEGER NOT NULL REFERENCES clips ON DELETE CASCADE, by TEXT NOT NULL, ordinal INTEGER NOT NULL, body BLOB NOT NULL, PRIMARY KEY (clip_id, by, ordinal)
  ) STRICT;
  ALTER TABLE seen ADD COLUMN looked_for TEXT;
  `,
  // Who decided, and when (null where nobody gave a name, or before names were kept); and which versions the decision took the place of
  // (Lineage in app/annotation).
  `
  ALTER TABLE annotations ADD COLUMN by TEXT;
  ALTER TABLE annotations ADD COLUMN decided_at TEXT;
  ALTER TABLE annotations ADD COLUMN lineage TEXT;
  `,
  // Questions that a person asked about a clip itself, not by a column.
  `
  CREATE TABLE asked (
    clip_id INTEGER NOT NULL REFERENCES clips ON DELETE CASCADE, topic TEXT NOT NULL, question TEXT NOT NULL, PRIMARY KEY (topic, clip_id)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX asked_of_clip ON asked (clip_id);
  INSERT INTO asked (clip_id, topic, question) SELECT clip_id, topic, json_extract(machine, '$.question') FROM annotations
    WHERE kind = 'answer' AND provenance ->> '$.packId' = 'facts' AND 'question ' || topic NOT IN (SELECT topic FROM columns);
  `,
  // What was done to one annotation is found without reading what was done to all others; and what counts for a clip's review (REVIEWED in rows.ts, in
  // the same words) without thousands of tracks that people drew or imported; and where these begin and end (reach.ts) without reading their boxes.
  `
  CREATE INDEX edits_of_annotation ON edits (annotation_id, undone);
  CREATE INDEX reviewed_of_clip ON annotations (clip_id, state)
    WHERE (kind = 'caption' OR (kind IN ('track', 'text') AND (state = 'machine' OR machine IS NOT NULL)));
  DROP INDEX tracks_of_people;
  CREATE INDEX tracks_of_people ON annotations (
    clip_id, label, state, iif(json_valid(human), json_extract(human, '$.boxes[0].ordinal'), NULL), iif(json_valid(human), json_extract(human, '$.boxes[#-1].ordinal'), NULL)
  ) WHERE kind = 'track' AND (state = 'edited' OR machine IS NULL);
  `,
]

/**
 * @param upTo The version to migrate the file to: a test of a migration starts from an older one.
 * @throws TubeletError `conflict` when a newer Tubelet wrote the file.
 */
export function openDatabase(projectDir: string, upTo = MIGRATIONS.length): DatabaseSync {
  const file = path.join(projectDir, 'library.sqlite')
  const db = new KeptStatements(file, { timeout: 5_000 })
  try {
    return migrated(db, projectDir, file, upTo)
  } catch (error) {
    // Otherwise the file would stay locked.
    db.close()
    if (error instanceof TubeletError) throw error
    throw new TubeletError({ ...problemOf(error), file }, { cause: error })
  }
}

const versionOf = (db: DatabaseSync) => Number(db.prepare('PRAGMA user_version').get()?.['user_version'] ?? 0)

/**
 * The problem of a library that only a newer Tubelet knows, whose values nobody can judge here; null for any other one.
 * @param file A library that can be read.
 */
export function newerLibrary(file: string): Problem | null {
  const db = new DatabaseSync(file, { readOnly: true, timeout: 5_000 })
  try {
    return writtenByNewer(db, file)
  } finally {
    db.close()
  }
}

function writtenByNewer(db: DatabaseSync, file: string): Problem | null {
  if (versionOf(db) <= MIGRATIONS.length) return null
  return {
    code: 'conflict',
    message: 'This library was written by a newer version of Tubelet.',
    file,
    stillWorks: 'The library is unchanged.',
    next: 'Open it with that version, or choose another library.',
  }
}

function migrated(db: DatabaseSync, projectDir: string, file: string, upTo: number): DatabaseSync {
  // FULL: what was shown as done is on the disk even after a power cut.
  db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON')
  const version = versionOf(db)
  const newer = writtenByNewer(db, file)
  if (newer !== null) throw new TubeletError(newer)
  if (version > 0 && version < upTo) backUpNow(db, projectDir)
  for (const [offset, migration] of MIGRATIONS.slice(version, upTo).entries()) {
    db.exec(`BEGIN IMMEDIATE; ${migration}; PRAGMA user_version = ${version + offset + 1}; COMMIT`)
  }
  return db
}
