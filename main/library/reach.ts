/**
 * In which clips a thing is seen. Tracks, notes and captions of parts belong to the video; the clip that they lie with is where they were begun. What
 * people made or decided counts in every clip that it reaches into: one rule, in three orders for who asks of one clip or of the whole library.
 */

/** What the machine followed ends with its clip, also where a person accepted it. */
const OWN = `a.kind = 'track' AND (a.state = 'edited' OR a.machine IS NULL)`
const [FIRST, LAST] = [`json_extract(a.human, '$.boxes[0].ordinal')`, `json_extract(a.human, '$.boxes[#-1].ordinal')`]

/** Annotations `a`, begun in clip `o`, with each other clip `r` of the video that they reach into: for the few that lie about one clip. */
export const REACHING = `annotations a JOIN clips o ON o.id = a.clip_id JOIN clips r ON r.source_id = o.source_id AND r.id <> o.id
  AND a.kind IN ('track', 'note', 'segment') AND a.state <> 'machine'
  AND CASE a.kind WHEN 'track' THEN ${FIRST} ELSE json_extract(a.human, '$.span.startFrame') END < r.end_frame
  AND CASE a.kind WHEN 'track' THEN ${LAST} + 1 ELSE json_extract(a.human, '$.span.endFrame') END > r.start_frame`

/** The tracks of these, for one clip `r` after the other: through the index of the tracks of people. */
export const TRACKS_INTO = `clips r CROSS JOIN annotations a INDEXED BY tracks_of_people CROSS JOIN clips o ON ${OWN}
  AND o.id = a.clip_id AND o.source_id = r.source_id AND o.id <> r.id AND ${FIRST} < r.end_frame AND ${LAST} >= r.start_frame`

/** Tracks that nobody rejected and that leave the clip in which they were begun, for the whole library: nearly all stay in theirs. */
export const ELSEWHERE = `annotations a INDEXED BY tracks_of_people CROSS JOIN clips o CROSS JOIN clips r ON ${OWN} AND a.state <> 'rejected'
  AND o.id = a.clip_id AND (${LAST} >= o.end_frame OR ${FIRST} < o.start_frame) AND r.source_id = o.source_id AND r.id <> o.id AND r.start_frame <= ${LAST} AND r.end_frame > ${FIRST}`

const [FIRST_OF, LAST_OF] = [`json_extract(l.value, '$.human.boxes[0].ordinal')`, `json_extract(l.value, '$.human.boxes[#-1].ordinal')`]

/** Other clips than these (a JSON list of ids) into which a track reaches, or reached, that was edited in one of them lately. */
export const TOUCHED = `SELECT DISTINCT r.id FROM edits e CROSS JOIN json_each(json_array(json(e.before), json(e.after))) l CROSS JOIN clips o CROSS JOIN clips r
  ON e.id > (SELECT max(id) - ?2 FROM edits) AND e.clip_id IN (SELECT value FROM json_each(?1)) AND e.action NOT IN ('vocabulary', 'clip', 'source') AND o.id = e.clip_id
  AND (${FIRST_OF} < o.start_frame OR ${LAST_OF} >= o.end_frame)
  AND r.source_id = o.source_id AND r.start_frame <= ${LAST_OF} AND r.end_frame > ${FIRST_OF} WHERE r.id NOT IN (SELECT value FROM json_each(?1))`
