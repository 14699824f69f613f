/**
 * In which clips an annotation is seen. Tracks, notes and captions of parts belong to the video and are stored with the clip in which they begin. What
 * people made or decided counts in every clip that it reaches into. One rule, as SQL in different join orders, for one clip or for the whole library.
 */

/** Tracks that a person made or edited. The machine's own end with their clip, even if a person accepted them. */
const OWN = `a.kind = 'track' AND (a.state = 'edited' OR a.machine IS NULL)`
/** In the words of the index `tracks_of_people`, which holds them: a track may have thousands of boxes. Null in what is damaged. */
const [FIRST, LAST] = [
  `iif(json_valid(a.human), json_extract(a.human, '$.boxes[0].ordinal'), NULL)`,
  `iif(json_valid(a.human), json_extract(a.human, '$.boxes[#-1].ordinal'), NULL)`,
]

/** Annotations `a` of clip `o`, with each other clip `r` of the video that they reach into: for queries about one clip. */
export const REACHING = `annotations a JOIN clips o ON o.id = a.clip_id JOIN clips r ON r.source_id = o.source_id AND r.id <> o.id
  AND a.kind IN ('track', 'note', 'segment') AND a.state <> 'machine'
  AND CASE a.kind WHEN 'track' THEN ${FIRST} ELSE json_extract(a.human, '$.span.startFrame') END < r.end_frame
  AND CASE a.kind WHEN 'track' THEN ${LAST} + 1 ELSE json_extract(a.human, '$.span.endFrame') END > r.start_frame`

/** Only the tracks, for queries that go through clips `r` one by one: uses the index of people's tracks. */
export const TRACKS_INTO = `clips r CROSS JOIN annotations a INDEXED BY tracks_of_people CROSS JOIN clips o ON ${OWN}
  AND o.id = a.clip_id AND o.source_id = r.source_id AND o.id <> r.id AND ${FIRST} < r.end_frame AND ${LAST} >= r.start_frame`

/** Tracks, not rejected, that leave clip `o`, for queries about the whole library: very few do. */
export const ELSEWHERE = `annotations a INDEXED BY tracks_of_people CROSS JOIN clips o CROSS JOIN clips r ON ${OWN} AND a.state <> 'rejected'
  AND o.id = a.clip_id AND (${LAST} >= o.end_frame OR ${FIRST} < o.start_frame) AND r.source_id = o.source_id AND r.id <> o.id AND r.start_frame <= ${LAST} AND r.end_frame > ${FIRST}`

/** Every track that is not rejected, once for each clip that it is in. */
export const TRACKS_IN_CLIPS = `SELECT a.clip_id, a.label, a.state, coalesce(a.unsure, 0) AS unsure FROM annotations a WHERE a.kind = 'track' AND a.topic = '' AND a.state <> 'rejected'
  UNION ALL SELECT r.id, a.label, a.state, 0 FROM ${ELSEWHERE}`

const [FIRST_OF, LAST_OF] = [`json_extract(l.value, '$.human.boxes[0].ordinal')`, `json_extract(l.value, '$.human.boxes[#-1].ordinal')`]

/** Clips into which a track reaches, or reached, that was lately edited in one of the clips ?1 (a JSON list of ids); those themselves are left out. */
export const TOUCHED = `WITH moved AS MATERIALIZED (
    SELECT o.source_id, o.start_frame, o.end_frame, ${FIRST_OF} AS first, ${LAST_OF} AS last
    FROM edits e CROSS JOIN json_each(json_array(json(e.before), json(e.after))) l CROSS JOIN clips o
      ON e.id > (SELECT max(id) - ?2 FROM edits) AND e.clip_id IN (SELECT value FROM json_each(?1)) AND e.action NOT IN ('vocabulary', 'clip', 'source', 'brought', 'view') AND o.id = e.clip_id
  )
  SELECT DISTINCT r.id FROM moved m CROSS JOIN clips r ON (m.first < m.start_frame OR m.last >= m.end_frame)
    AND r.source_id = m.source_id AND r.start_frame <= m.last AND r.end_frame > m.first WHERE r.id NOT IN (SELECT value FROM json_each(?1))`

/** The clip of a source that shows a frame: of several, the one that nobody marked. */
export const CLIP_WITH = `SELECT id FROM clips WHERE source_id = ?1 AND start_frame <= ?2 AND end_frame > ?2 ORDER BY kind = 'marked', start_frame LIMIT 1`

/** Moves the tracks, notes and captions of parts that people made in the clip ?1 to the clips in which they begin; those of no other clip stay. */
export const MOVE_OUT = `WITH goes AS MATERIALIZED (
    SELECT a.id, (SELECT c.id FROM clips c WHERE c.source_id = o.source_id AND c.id <> o.id
      AND c.start_frame <= CASE a.kind WHEN 'track' THEN ${FIRST} ELSE json_extract(a.human, '$.span.startFrame') END
      AND c.end_frame > CASE a.kind WHEN 'track' THEN ${FIRST} ELSE json_extract(a.human, '$.span.startFrame') END
      ORDER BY c.kind = 'marked', c.start_frame LIMIT 1) AS into_clip
    FROM annotations a JOIN clips o ON o.id = a.clip_id WHERE o.id = ?1 AND a.kind IN ('track', 'note', 'segment') AND a.machine IS NULL
  )
  UPDATE annotations SET clip_id = goes.into_clip FROM goes WHERE annotations.id = goes.id AND goes.into_clip IS NOT NULL RETURNING annotations.id, annotations.clip_id`
