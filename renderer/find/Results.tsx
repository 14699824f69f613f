import {
  Captions,
  ChevronRight,
  FileVideo,
  Frame,
  Image,
  Layers,
  ListChecks,
  type LucideIcon,
  MessageCircleQuestion,
  SearchX,
  StickyNote,
  Table2,
  TextInitial,
  UserRound,
} from 'lucide-react'
import { type CSSProperties, Fragment, useState } from 'react'
import type { Clip } from '../../app/contract.ts'
import type { FindHit, FindQuery, FindResult, Why } from '../../app/contract/find.ts'
import { problemOf } from '../../app/errors.ts'
import { momentOf, reasonParts } from '../../app/find.ts'
import { urlOf } from '../api.ts'
import { clockSpan, number, percent } from '../format.ts'
import { shown, t } from '../i18n.ts'
import { NotEncoded } from '../packs/NotEncoded.tsx'
import { Standing } from '../parts/LibraryList.tsx'
import { ProblemCard } from '../parts/ProblemCard.tsx'
import { Unlearnt } from '../parts/Unlearnt.tsx'
import { goToFrame } from '../player.ts'
import { useStatus } from '../cache.ts'
import { useUi } from '../store.ts'
import { sortAgain, useSearch } from './queries.ts'
import { showInTable } from '../table/picked.ts'
import { MOST_LISTED, useFind } from './store.ts'

type Measure = FindResult['measure']

/** How well something matches: a probability, or an uncalibrated similarity. */
function scoreText(score: number, measure: Measure): string {
  return measure === 'probability' ? percent(score) : number(score, 2)
}

/** The results, or the statement that nothing matches. */
export function Results() {
  const { data, error, isPlaceholderData } = useSearch()
  const { query, filters } = useFind()
  const clipId = useUi((ui) => ui.clipId)
  const pack = useStatus().data?.packs.search?.manifest
  const uncalibrated = pack?.family === 'mammut' && !pack.calibration.measured
  if (error !== null)
    return (
      <div className="pad">
        <ProblemCard problem={problemOf(error)} />
      </div>
    )
  if (data === undefined)
    return (
      <p className="pad muted" role="status">
        {t('Searching…')}
      </p>
    )
  const { hits, nearest, matches, measure, searched, total, unread, late, line, couldGuess } = data
  const partial = (searched > 0 && searched < total) || unread > 0
  const none = hits.length === 0
  const strange = hits.filter(({ why }) => why.some(({ guess }) => guess)).length
  // Whether a pack also compared pictures with the words, or the words were only looked up.
  const compared = query?.by === 'words' && line !== null
  const partly = nearest.some(({ score }) => score === null)
  return (
    <div className="scroll results" aria-busy={isPlaceholderData} data-waiting={isPlaceholderData}>
      <div className="pad found" role="status">
        {isPlaceholderData ? (
          <strong className="muted">{t('Searching…')}</strong>
        ) : none ? (
          <NoMatch result={data} />
        ) : (
          <strong>{headline(query, matches)}</strong>
        )}
        {compared && searched > 0 && uncalibrated && (
          <p className="muted small">
            {t('This model was not calibrated: the order counts, the line between match and no match is a guess.')}
          </p>
        )}
        {compared && !isPlaceholderData && <Unlearnt task="search" text={query.words} />}
        {strange > 0 && !isPlaceholderData && (
          <p className="guess small">
            {t('{{count}} of those listed are like no clip that the model was taught: how well they match is a guess.', { count: strange })}
          </p>
        )}
        {query?.by === 'words' && !isPlaceholderData && <Guesses query={query} couldGuess={couldGuess} />}
        {partial && !isPlaceholderData && (
          <p className="muted small partial">
            {query !== null &&
              searched > 0 &&
              searched < total &&
              t('Searched {{searched}} of {{count}} clips so far.', { searched, count: total })}{' '}
            {unread > 0 && t('{{count}} videos are still being read.', { count: unread })}
          </p>
        )}
      </div>
      {query !== null && searched < total && !isPlaceholderData && <NotEncoded quiet />}
      {matches > 0 && !isPlaceholderData && (
        <div className="pad to-table">
          <button className="small" onClick={() => void showInTable({ search: { query, filters } })}>
            <Table2 size={14} aria-hidden />
            {t('Show all {{count, number}} in the table', { count: matches })}
          </button>
        </div>
      )}
      {late > 0 && (
        <button className="late" onClick={sortAgain}>
          {t('{{count}} new results belong further up. Sort again', { count: late })}
        </button>
      )}
      {none && nearest.length > 0 && (
        <p className="pad muted" aria-hidden>
          {partly ? t('These have some of the words') : t('Nearest')}
        </p>
      )}
      <ul
        className={none ? 'plain faded' : 'plain'}
        aria-label={!none ? t('Matches') : partly ? t('These have some of the words') : t('Nearest, below the line')}
      >
        {(none ? nearest : hits).map((hit) => (
          <Hit key={hit.clip.id} hit={hit} measure={measure} chosen={clipId} />
        ))}
      </ul>
      {hits.length > 0 &&
        hits.reduce((sum, { alike }) => sum + 1 + alike.length, 0) < matches &&
        (hits.length < MOST_LISTED ? (
          <button className="more" onClick={() => useFind.getState().more()}>
            {t('Show more')}
          </button>
        ) : (
          <p className="pad muted small">{t('These are the first {{n}}; the table shows all.', { n: number(MOST_LISTED) })}</p>
        ))}
      {none && nearest.length === 0 && total === 0 && Object.keys(filters).length > 0 && (
        <button className="more" onClick={() => useFind.getState().setFilters({})}>
          {t('Clear filters')}
        </button>
      )}
    </div>
  )
}

function headline(query: ReturnType<typeof useFind.getState>['query'], count: number): string {
  if (query === null) return t('{{count}} clips', { count })
  if (query.by === 'words') return t('{{count}} clips match “{{words}}”', { count, words: query.words })
  return query.by === 'clip' ? t('{{count}} clips stand out as similar', { count }) : t('{{count}} clips have something similar', { count })
}

function NoMatch({ result }: { result: FindResult }) {
  const query = useFind((find) => find.query)
  const { nearest, measure, line, searched, total } = result
  const best = nearest[0]?.score
  if (total === 0 || query === null)
    return (
      <strong className="none">
        <SearchX size={16} aria-hidden />
        {t('No clip passes the filters')}
      </strong>
    )
  if (searched === 0)
    return (
      <strong className="none">
        <SearchX size={16} aria-hidden />
        {t('No clip could be searched yet')}
      </strong>
    )
  return (
    <>
      <strong className="none">
        <SearchX size={16} aria-hidden />
        {query.by === 'words' ? t('No clip matches “{{words}}”', { words: query.words }) : t('Nothing stands out as similar')}
      </strong>
      {best != null && line !== null && (
        <p className="muted small">
          {query.by === 'words'
            ? t('No clip scores above the match line of {{line}} (best {{best}}).', {
                line: scoreText(line, measure),
                best: scoreText(best, measure),
              })
            : t('Likeness that stands out here begins at {{line}} (best {{best}}).', {
                line: scoreText(line, measure),
                best: scoreText(best, measure),
              })}
        </p>
      )}
      {query.by === 'words' && <Instead result={result} />}
    </>
  )
}

/**
 * What to search for instead: known words similar to the unknown ones, captions with some of the words, and all names whose boxes can be
 * found.
 */
function Instead({ result: { unknown, suggestions, findable, line } }: { result: FindResult }) {
  const missing = ({ word, seen, nearest }: FindResult['unknown'][number]) => {
    if (seen) return t('“{{word}}” is looked for, but was found in no clip.', { word })
    if (nearest.length > 0) return t('No pack here has a name for “{{word}}”, and nothing says it. Nearest that can be found:', { word })
    // A pack that compares pictures with words is not limited to names.
    return line === null && findable.length > 0
      ? t('No pack here has a name for “{{word}}”, and nothing says it.', { word })
      : t('Nothing here says “{{word}}”.', { word })
  }
  return (
    <div className="suggest small">
      {unknown.map((one) => (
        <p key={one.word}>
          {missing(one)}{' '}
          {one.nearest.map((label) => (
            <Words key={label} words={label} />
          ))}
        </p>
      ))}
      {suggestions.length > 0 && <span className="muted">{t('Captions here that use your words:')}</span>}
      {suggestions.map((words) => (
        <Words key={words} words={words} />
      ))}
      {findable.length > 0 && (
        <details>
          <summary>{t('What boxes can be found of')}</summary>
          <div>
            {findable.map((label) => (
              <Words key={label} words={label} />
            ))}
          </div>
        </details>
      )}
    </div>
  )
}

function Words({ words }: { words: string }) {
  return (
    <button className="quiet small" onClick={() => useFind.getState().seek({ by: 'words', words })}>
      {words}
    </button>
  )
}

/** Guesses about clips unlike any that the pack was taught are left out unless the person asks for them. */
function Guesses({ query, couldGuess }: { query: Extract<FindQuery, { by: 'words' }>; couldGuess: boolean }) {
  const { words, guesses = false } = query
  const seek = (want: boolean) => () => useFind.getState().seek(want ? { by: 'words', words, guesses: true } : { by: 'words', words })
  if (guesses)
    return (
      <button className="quiet small guessing" onClick={seek(false)}>
        {t('Leave guesses out')}
      </button>
    )
  if (!couldGuess) return null
  return (
    <button
      className="quiet small guessing"
      title={t('The model that compares pictures with words was taught no clips like these: what it finds is a guess.')}
      onClick={seek(true)}
    >
      {t('Guess from the pictures too')}
    </button>
  )
}

function Hit({ hit, measure, chosen }: { hit: FindHit; measure: Measure; chosen: number | null }) {
  const { clip, score, why, alike } = hit
  const [open, setOpen] = useState(false)
  return (
    <li>
      <ResultRow clip={clip} current={clip.id === chosen} score={score} why={why} measure={measure} ordinal={momentOf(hit)} />
      {alike.length > 0 && (
        <>
          <button className="quiet small copies" aria-expanded={open} onClick={() => setOpen(!open)}>
            <ChevronRight size={13} aria-hidden />
            <Layers size={13} aria-hidden />
            {t('Same picture: {{count}} more clips', { count: alike.length })}
          </button>
          {open && (
            <ul className="plain nested" aria-label={t('The same picture')}>
              {alike.map((copy) => (
                <li key={copy.id}>
                  <ResultRow clip={copy} current={copy.id === chosen} score={null} why={[]} measure={measure} ordinal={null} />
                </li>
              ))}
            </ul>
          )}
        </>
      )}
    </li>
  )
}

const ICONS: Record<Why['kind'], LucideIcon> = {
  caption: Captions,
  answer: MessageCircleQuestion,
  note: StickyNote,
  segment: Captions,
  box: Frame,
  fact: ListChecks,
  text: TextInitial,
  name: FileVideo,
  picture: Image,
}

/** The reasons for a match, one per line. */
function Reasons({ why, clip }: { why: readonly Why[]; clip: Clip }) {
  return (
    <span className="reasons">
      {why.map((reason, at) => {
        const own = reason.state === 'edited' || reason.state === 'accepted'
        const Icon = own ? UserRound : ICONS[reason.kind]
        // The row shows its caption already.
        const [what, ...more] = reasonParts(reason, !(reason.kind === 'caption' && reason.text === clip.caption), number).map(shown)
        return (
          <span key={at} data-own={own} data-guessed={reason.guess}>
            <Icon size={12} aria-hidden />
            {what}
            {more.map((part) => (
              <Fragment key={part}>
                , <span>{part}</span>
              </Fragment>
            ))}
          </span>
        )
      })}
    </span>
  )
}

function ResultRow({
  clip,
  current,
  score,
  why,
  measure,
  ordinal,
}: {
  clip: Clip
  current: boolean
  score: number | null
  why: readonly Why[]
  measure: Measure
  ordinal: number | null
}) {
  const { id, sourceId, sourceName, start, end, caption, captionState } = clip
  const guessed = why.some(({ kind, guess }) => kind === 'picture' && guess)
  const choose = () => {
    useUi.getState().selectClip(id, sourceId)
    if (ordinal !== null) goToFrame(sourceId, ordinal)
  }
  return (
    <button className="clip-row" data-clip={id} data-rejected={captionState === 'rejected'} aria-current={current} onClick={choose}>
      <img src={urlOf('clipThumbnail', { params: { clipId: id } })} alt="" loading="lazy" />
      <span className="text">
        <span className="caption">{caption ?? sourceName}</span>
        {why.length > 0 && <Reasons why={why} clip={clip} />}
        <span className="facts-line">
          <span className="muted num">{clockSpan({ start, end })}</span>
          <Standing clip={clip} />
        </span>
        {caption !== null && <span className="muted">{sourceName}</span>}
      </span>
      {score !== null && (
        <span
          className="score num"
          data-guessed={guessed}
          style={{ '--share': `${Math.max(0, Math.min(1, score)) * 100}%` } as CSSProperties}
          title={
            guessed
              ? t('A guess: the model was taught no clip like this one.')
              : measure === 'probability'
                ? t('Probability that this matches')
                : t('Likeness: the cosine of the two pictures')
          }
        >
          {guessed && <span aria-label={t('not sure')}>? </span>}
          {scoreText(score, measure)}
        </span>
      )}
    </button>
  )
}
