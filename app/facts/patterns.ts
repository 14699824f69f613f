/**
 * The wordings of questions that facts can answer, in English and German: a table, since every word of a question must be understood.
 * Questions are matched in lower case without punctuation, with one space at each end.
 */
import type { Language } from '../words.ts'

export type Asked =
  | 'count'
  | 'presence'
  | 'colour'
  | 'direction'
  | 'moves'
  | 'appear'
  | 'leave'
  | 'long'
  | 'where'
  | 'what'
  | 'who'
  | 'order'
  | 'bigger'
  | 'beside'
  | 'camera'
  | 'camera-way'
  | 'text'
  | 'text-what'
  | 'dark'
  | 'black'
  | 'day'
  | 'frozen'
  | 'length'
  | 'cuts'

interface Pattern {
  asked: Asked
  /** The words of the question that it explains. They are taken out, so that only the thing and what restricts it are left. */
  words: RegExp
  /** "Does the camera stand still?" and the like: yes means no. */
  turned?: boolean
}

/** One of the wordings, each a part of a regular expression. */
function either(...wordings: readonly string[]): RegExp {
  return new RegExp(wordings.join('|'))
}

/** The alternatives of a group, from lists with commas: one list for the forms of one word. */
function anyOf(...lists: readonly string[]): string {
  return lists.flatMap((list) => list.split(', ')).join('|')
}

const VERBS = {
  en: anyOf(
    'move, moves, moved, moving',
    'go, goes, going',
    'run, runs, running',
    'walk, walks, walking',
    'drive, drives, driving',
    'travel, travels, travelling, traveling',
    'head, heads, heading',
    'fly, flies, flying',
    'ride, rides, riding',
    'swim, swims, swimming',
    'roll, rolls, rolling',
    'turn, turns, turning',
  ),
  de: anyOf(
    'bewegt, bewegen',
    'fährt, fahren',
    'läuft, laufen',
    'geht, gehen',
    'rennt, rennen',
    'fliegt, fliegen',
    'schwimmt, schwimmen',
    'rollt, rollen',
    'zieht, ziehen',
  ),
}
const LEAVES = {
  en: anyOf(
    'leave, leaves, leaving, left',
    'disappear, disappears, disappeared',
    'exit, exits, exited',
    'vanish, vanishes, vanished',
    'gone',
    'last seen, last visible',
    'go away, goes away',
    'drive away, drives away, drive off, drives off',
    'go out, goes out',
    'out of (the )?(picture|frame|sight|view)',
    'no longer (visible|seen|there), not visible any more',
  ),
  de: anyOf(
    'verlässt, verlassen, verschwindet, verschwinden, verschwunden',
    'weg, zuletzt, zum letzten mal, letztmals, fort',
    'nicht mehr',
  ),
}
const APPEARS = {
  en: anyOf(
    'appear, appears, appeared, appearing',
    'enter, enters, entered, entering',
    'arrive, arrives, arrived',
    'come, comes, came, coming',
    'show up, shows up',
    'turn up, turns up',
    'pop up, pops up',
    'seen, see',
    'visible, visibly',
    'is there, are there, there',
    'in (the )?(picture|frame|view|sight|video|clip)',
  ),
  de: anyOf(
    'erscheint, erscheinen',
    'auf, auftaucht, auftauchen',
    'kommt, kommen',
    'sehen, sieht, sichtbar, da',
    'im bild, ins bild',
    'betritt, betreten',
    'fährt, fahren',
    'zeigt',
  ),
}
const WHEN = {
  en: '(when|at what time|at what (second|moment|point)|at which (time|second|moment|point)|what time|from when on|since when)',
  de: '(wann|ab wann|seit wann|in welcher sekunde|zu welcher zeit|zu welchem zeitpunkt|um welche zeit|bei welcher sekunde|ab welcher sekunde)',
}
const VIDEO = {
  en: '(?:it|(?:the|this) (?:picture|image|scene|video|clip|shot|film|footage|recording|screen|frame))',
  de: '(?:es|(?:das|der|die|dieses|dieser|diese) (?:bild|szene|video|clip|film|aufnahme|einstellung))',
}

const RECORDING = {
  en: 'clip|video|recording|film|shot|scene',
  de: 'clip|video|film|aufnahme|szene',
}

/** The first that matches is what is asked. */
export const PATTERNS: Record<Language, readonly Pattern[]> = {
  en: [
    {
      asked: 'camera-way',
      words: either(
        ' (how|which (way|direction)|in (which|what) direction|what direction|where|what) (does|is|did) the camera (move|' +
          'moves|moving|pan|panning|go|going|do|doing|turn|turning|tilt|tilting)( to)? ',
        ' what (is|are|does) the camera (movements?|motions?)( of the clip| like)? ',
        ' (describe )?the camera (movement|motion) ',
      ),
    },
    {
      asked: 'camera',
      words: either(
        ' (does|is|was|did|has) the camera (stand |stay |stays |staying |standing |remain |kept |held |being )?(still|fixed|' +
          'static|steady|stationary|mounted|locked|at rest|unmoving|motionless)( on a tripod)? ',
        ' (is|was) (this|it|the (video|clip|shot|scene)) (shot |filmed |recorded )?(from |with |on )?(a )?(static|fixed|' +
          'tripod|stationary|steady|locked-off|locked off)( (camera|shot|tripod|position))? ',
      ),
      turned: true,
    },
    {
      asked: 'camera',
      words: either(
        ' (does|is|did|has|was) the camera (being )?(ever )?(move|moves|moving|moved|in motion|pan|panning|panned|shake|' +
          'shaking|shaken|zoom|zooming|tilt|tilting|handheld|hand-held|hand held|swaying|wobbling|shaky|unsteady|turn|' +
          'turning)( around)?( at all)? ',
        ' (is|was) (it|this|the (video|clip|shot|scene|picture)) (filmed|shot|recorded|taken) (with|by|from) a (moving|handheld|hand-held|shaky) camera ',
        ' (is|was) there (any |a )?camera (motion|movement|moves?|pan|shake)',
        ' (is|was) (this|it|the (video|clip|shot)) a? ?(handheld|hand-held|moving|tracking) shot ',
        ' (is|are) there (any )?(pans?|zooms?|tilts?) ',
      ),
    },
    {
      asked: 'text-what',
      words: either(
        ' what (is|does|do|are|did) (the |this |that |these |those )?(on-screen |on screen |onscreen )?(text|texts|captions?|' +
          'writing|subtitles?|titles?|lettering|inscription|words|letters|overlay)( (say|says|saying|read|reads|reading|on|' +
          'written|tell|tells|state|states|mean|visible|shown|there))* ',
        ' (what|which) (text|texts|words?|writing|letters|subtitles?|caption)( (is|are|appears?|can be|do|can|could)( (you|' +
          'we|one))?( (there|visible|shown|written|read|see|seen|displayed|on))*)? ',
        ' what is (written|displayed|printed) ',
        ' what can (be|you|we|one) read ',
        ' what does it say ',
        ' (read|quote|transcribe) (me )?(the |all )?(text|caption|writing|subtitles?|words) ',
        ' what is the wording ',
      ),
    },
    {
      asked: 'text',
      words: either(
        ' (is|are|was|were) there (any |some |a |an )?(on-screen |on screen |visible |written |readable |legible )?(text|' +
          'writing|words|captions?|subtitles?|letters|lettering|titles?|inscription)(?= ) ',
        ' (do|can|could) (you|we|i|one) (see|read) (any |some )?(text|writing|words|letters|subtitles?|captions?) ',
        ' (is|are) (any |some |a )?(text|writing|words|subtitles?|captions?) (visible|shown|displayed|readable|present|seen) ',
        ' does (the|this) (video|clip|picture|image|scene) (have|contain|show|include) (any |some )?(text|writing|words|captions?|subtitles?|letters) ',
        ' is (something|anything) (written|readable) ',
      ),
    },
    {
      asked: 'black',
      words: either(
        ` (is|was|goes|does|turns) ${VIDEO.en} (ever |at any time |completely |entirely |all |totally |just |go |turn |fully )*(black|blank|empty) `,
        ' (is|are) there (a |any )?black (pictures?|frames?|screens?|images?) ',
      ),
    },
    {
      asked: 'dark',
      words: new RegExp(
        ` (is|was) ${VIDEO.en} (at any time |ever |very |too |quite |rather |mostly |pretty )*(dark|dim|underexposed|gloomy)( in the (picture|scene|video))? `,
      ),
    },
    {
      asked: 'dark',
      words: new RegExp(
        ` (is|was) ${VIDEO.en} (at any time |very |too |quite |rather |mostly |pretty |well |brightly )*(bright|light|lit|illuminated) `,
      ),
      turned: true,
    },
    {
      asked: 'day',
      words: either(
        ' (is|was) (it|this|the (video|clip|scene|shot)) (a |shot |filmed |recorded |taken )?(at |in |during |' +
          'by )?(the )?(day|daytime|night|nighttime|daylight|night-time|day-time)( or (at )?(night|day|nighttime|' +
          'daytime))?( time| shot| scene)? ',
      ),
    },
    {
      asked: 'frozen',
      words: either(
        ` (is|does|did|was) ${VIDEO.en} (ever |get |become )?(frozen|stand still|standing still|freeze|freezing|stuck|hang|stopped|a still|a still picture|a still image|a photo|a photograph) `,
        ' is there a (freeze|frozen|still) (frame|picture|image) ',
      ),
    },
    {
      asked: 'length',
      words: either(
        ` how long is (the|this) (${RECORDING.en}) `,
        ` how long does (the|this) (${RECORDING.en}) (last|take|run|go on) `,
        ` what is the (length|duration|running time) of (the|this) (${RECORDING.en}) `,
        ` how many seconds (long )?(is|does) (the|this) (${RECORDING.en})( last| long| have)? `,
      ),
    },
    {
      asked: 'cuts',
      words: either(
        ' how many (hard |different |camera )?(cuts?|shots?|scenes?|scene changes|takes)( are there| does (it|the video|the clip) have| is it made of)? ',
        ' (is|are|was|were) there (any |a |an |some )?(hard )?(cuts?|scene changes?|edits?|shot changes?|scene cuts?) ',
        ' (does|is) (the|this) (video|clip|scene) (have |contain |show )?(any )?(cuts?|edited|scene changes?) ',
        ' the number of (cuts|shots|scenes) ',
      ),
    },
    { asked: 'long', words: / (for )?how many seconds (long )?(?=(is|are|was|does|do|can) )/ },
    {
      asked: 'count',
      words: either(
        ' how many ',
        ' (what is )?the (total |maximum |greatest |largest |highest )?(number|amount|count) of ',
        ' count (all )?(of )?',
        ' number of ',
      ),
    },
    {
      asked: 'bigger',
      words: either(
        ' (which|who|what)( (one|object|thing))? (of them )?(is|looks|appears|seems) (the )?(bigger|larger|biggest|largest)(?= )',
        ' (is|are|does) (?=(?:.* )?(bigger|larger|smaller) than )',
        ' (which|what) (is|are) (the )?(biggest|largest) (?!colour)',
      ),
    },
    {
      asked: 'beside',
      words: either(
        ' (is|are|was|were) (?=(?:.* )?(to the left of|to the right of|on the left of|on the right of|left of|right of|above|below|under|underneath|beneath) )',
      ),
    },
    {
      asked: 'colour',
      words: either(
        ' (what|which) colou?rs? (is|are|does|do|has|have|was|were|of) ',
        ' (what|which) (is|are) the colou?rs? of ',
        ' (in )?(what|which) colou?r ',
        ' the colou?r of ',
      ),
    },
    { asked: 'long', words: / (for )?how long / },
    { asked: 'leave', words: new RegExp(` ${WHEN.en} (?=(?:.* )?(${LEAVES.en}) )`) },
    { asked: 'appear', words: new RegExp(` ${WHEN.en} (?=(?:.* )?(${APPEARS.en}) )`) },
    {
      asked: 'direction',
      words: either(
        ` (which way|which direction|in which direction|in what direction|what direction|what way|to which side|towards? which side|to where|where to|where) (?=(?:.* )?(${VERBS.en}) )`,
        ' (what|which) is the direction of (motion |movement |travel )?(of )?',
        ' the direction of (motion |movement |travel )?(of )?',
      ),
    },
    {
      asked: 'where',
      words: either(
        ' (where|whereabouts|on which side|on what side|in which (part|half|corner|area)|in what (part|half|corner|area)|' +
          'at which (place|position)|what is the (position|location) of|at what (place|position))( of (the|this) (picture|' +
          'image|frame|screen|video|clip))? ',
      ),
    },
    {
      asked: 'order',
      words: either(
        ' (who|what|which( one)?( of them)?)(?= (?:.* )?(first|last) )(?= (?:.* )?(appear|appears|appeared|come|comes|came|' +
          'enter|enters|entered|arrive|arrives|seen|visible|show up|shows up) )',
      ),
    },
    {
      asked: 'who',
      words: either(
        ' (who|whom) (all )?(is|are|can|do|does|was|were)(?= (?:.* )?(there|in|on|visible|seen|see|shown|present|here|' +
          'appear) )( you| we| i| one| be| there| here| seen| see| visible| shown| present| appear)* ',
        ' who appears ',
      ),
    },
    {
      asked: 'what',
      words: either(
        ' (what|which) (kind of |kinds of |sort of |type of |types of )?(objects|things|items) (is|are|can|do|does|appear|were) ',
        ' what (all )?(is|are|can|was|were) (it |we |you |one |there |be |i )*(seen |visible |shown |see |recogni[sz]ed |detected |found |present )?(in|on|there|to see|here)(?= )',
        ' (what|which) (do|can|could) (you|we|i|one) (see|recogni[sz]e|detect|find) ',
        ' what can be (seen|recogni[sz]ed|detected) ',
        ' what (is|are) (visible|shown|there|present|seen|going on|depicted|happening|detected) ',
        ' what does (the|this) (clip|video|picture|image|scene|footage) (show|contain|depict|include) ',
        ' what (is|are) (in )?(the|this) (clip|video|picture|scene|image|footage|shot)( about)? ',
        ' (please )?describe ',
        ' what appears ',
        ' list (all )?(the )?(things|objects|items)',
        ' name (all )?(the )?(things|objects|items) ',
      ),
    },
    { asked: 'what', words: / (what|which) (kinds? of |sorts? of |types? of )?/ },
    {
      asked: 'moves',
      words: either(' (is|are|does|do|did|was|were) (?=(?:.* )?(move|moves|moving|in motion) )', ' is there (any )?(motion|movement)(?= )'),
    },
    {
      asked: 'moves',
      words: either(
        ' (is|are|does|do|did|was|were) (?=(?:.* )?(stand|stands|standing|stay|stays|remain|remains) (still|in place|put|parked|where it is|where they are) )',
        ' (is|are|was|were) (?=(?:.* )?(stationary|motionless|at rest|parked) )',
      ),
      turned: true,
    },
    {
      asked: 'presence',
      words: either(
        ' (is|are|was|were|will) there (ever |really |also |actually |maybe )?',
        ' (do|does|can|could|did) (you|we|i|one|anybody) (ever |also |actually )?(see|spot|find|detect|recogni[sz]e) ',
        ' (can|could) (?=.*be seen )',
        ' (does|do|did) (the|this|it) ?(video|clip|picture|image|footage|scene|film|shot)? ?(ever )?(show|contain|have|include|feature)',
        ' (is|are|was|were) (?=(a|an|any|some|one|two|three|four|five|\\d+|more than|at least|exactly|someone|somebody|anyone|anybody) )',
        ' has (it|the clip|the video) (?=(a|an|any|some) )',
        ' (does|do|did) (?=(a|an|any|some|one|two|three|four|five|\\d+) (?:.* )?(appear|appears|show up|come into|enter|occur|come in) )',
        ' (does|do|did) (?=(anyone|anybody|someone|somebody) )',
        ' (whether|if) (there )?(is|are)?( there)?',
        ' any (?=[a-z]+ (in|there|here|visible)? )',
      ),
    },
    { asked: 'colour', words: / (is|are|was|were) (?=(the|this|that|these|those|his|her|their|its) )/ },
  ],
  de: [
    {
      asked: 'camera-way',
      words: either(
        ' (wie|wohin|was|in welche richtung|in welcher richtung) (bewegt|schwenkt|macht|dreht|fährt|geht|neigt|tut) (sich )?die kamera ',
        ' (wie ist|was ist|beschreibe) (die|der) (kamerabewegung|kameraführung|kameraschwenk) ',
      ),
    },
    {
      asked: 'camera',
      words: either(
        ' (steht|ist|bleibt|stand|war) die kamera (ganz |immer )?(still|fest|ruhig|unbewegt|statisch|starr|stabil|stationär|auf einem stativ|fixiert)( gefilmt| montiert)? ',
        ' (ist|wurde|wird) (das|der|die|es) ?(video|clip|film|aufnahme|szene)? (mit|von) (einer |einem )?(stativ|' +
          'fester kamera|festen kamera|feststehenden kamera|statischen kamera|stehenden kamera)( aus)?( gefilmt| aufgenommen|' +
          ' gedreht)? ',
      ),
      turned: true,
    },
    {
      asked: 'camera',
      words: either(
        ' (bewegt|dreht|schwenkt|neigt) (sich )?die kamera( sich)?( irgendwann| überhaupt)? ',
        ' (schwenkt|zoomt|wackelt|zittert|fährt) die kamera ',
        ' wird die kamera (bewegt|geschwenkt|gedreht) ',
        ' ist die kamera (in bewegung|bewegt|verwackelt|handgehalten|handgeführt|unruhig) ',
        ' (gibt es|ist da|sieht man) (eine |einen )?(kamerabewegung(en)?|kameraschwenks?|kamerafahrt|zoom|schwenks?) ',
        ' ist (das|der|die) (video|clip|film|aufnahme) (verwackelt|aus der hand gefilmt|handgefilmt) ',
      ),
    },
    {
      asked: 'text-what',
      words: either(
        ' was steht (da|dort|im bild|auf dem bild|geschrieben|im text|im video|im untertitel|drauf|auf dem schild|in der schrift)?( geschrieben)?',
        ' was (ist|kann man|kann ich|lässt sich) (zu lesen|geschrieben|lesen|eingeblendet|hier zu lesen) ',
        ' (welcher|welchen|welche|was für ein|was für einen) (text|schrift|wörter|worte|untertitel|buchstaben)( (ist|sind|' +
          'steht|stehen|kann|sieht|zeigt|erscheint|wird|werden)( man| wir)?( (zu lesen|zu sehen|lesen|sehen|eingeblendet|' +
          'angezeigt|da|sichtbar|im bild))*)? ',
        ' was (sagt|besagt|zeigt|lautet) (der|die|das) (text|schrift|untertitel|einblendung|titel) ',
        ' wie (lautet|heißt) (der|die|das) (text|untertitel|schrift|titel|einblendung|aufschrift|schriftzug) ',
        ' lies (mir )?(den|die) (text|schrift|untertitel)( vor)? ',
      ),
    },
    {
      asked: 'text',
      words: either(
        ' (gibt es|ist|sind|steht|stehen|sieht man|kann man|erscheint|enthält das video|enthält der clip|enthält das bild|' +
          'hat das video)( da| hier| im bild| im video| auf dem bild| irgendwo)? (irgendein |irgendeinen |irgendwelche |ein |' +
          'eine |einen |lesbaren |lesbarer |lesbare )*(text|schrift|untertitel|wörter|buchstaben|schriftzüge|schriftzug|' +
          'beschriftung|einblendungen?|aufschrift)( zu sehen| zu lesen| lesen| sehen)? ',
        ' (ist|steht) (da |dort |hier |im bild )?(irgend)?(etwas|was) (geschrieben|zu lesen|lesbar) ',
      ),
    },
    {
      asked: 'black',
      words: either(
        ` (ist|wird|war|bleibt) ${VIDEO.de} (ganz |irgendwann |völlig |komplett |nur |zwischendurch )*(schwarz|leer) `,
        ' gibt es (ein |eine )?(schwarzbild|schwarzbilder|schwarzblende|schwarze bilder|schwarzes bild) ',
      ),
    },
    {
      asked: 'dark',
      words: new RegExp(
        ` (ist|war|wirkt) ${VIDEO.de} (sehr |zu |ziemlich |eher |recht |überwiegend )*(dunkel|düster|finster|unterbelichtet) `,
      ),
    },
    {
      asked: 'dark',
      words: new RegExp(
        ` (ist|war|wirkt) ${VIDEO.de} (sehr |zu |ziemlich |eher |recht |überwiegend |gut )*(hell|beleuchtet|ausgeleuchtet|licht) `,
      ),
      turned: true,
    },
    {
      asked: 'day',
      words: either(
        ' (ist|war|wurde) (es|das|der|die|dies) ?(video|clip|szene|aufnahme)? ?(gerade )?(am |bei |in der )?(tag|tags|' +
          'tagsüber|nacht|nachts|tageslicht)( oder (in der |bei |am )?(nacht|tag|nachts|tagsüber))?( gefilmt| aufgenommen)? ',
      ),
    },
    {
      asked: 'frozen',
      words: either(
        ` (ist|steht|bleibt|friert) ${VIDEO.de} (eingefroren|still|stehen|ein|ein standbild|ein foto|nur ein foto|ein stehendes bild) `,
        ' gibt es ein (standbild|stehendes bild|eingefrorenes bild) ',
      ),
    },
    {
      asked: 'length',
      words: either(
        ` wie lang(e)? (ist|dauert|geht|läuft) (das|der|die|dieses|dieser|diese) (${RECORDING.de}) `,
        ' (welche|wie ist die|was ist die) (länge|dauer|laufzeit) (hat |des |der |von )?(das |der |die |dem )?(clip|clips|video|videos|film|films|aufnahme|szene)',
        ` wie viele sekunden (hat|dauert|lang ist) (das|der|die) (${RECORDING.de}) `,
      ),
    },
    {
      asked: 'cuts',
      words: either(
        ' wie ?viele? (harte |verschiedene )?(schnitte?|einstellungen|szenen|szenenwechsel|bildwechsel)( gibt es| hat (das|der) (video|clip|film)| sind( das| es)?)? ',
        ' (gibt es|ist da|sind da|sieht man|enthält das video|enthält der clip|hat das video|hat der clip) (einen |irgendeinen |irgendwelche |harte )?(schnitte?|szenenwechsel|bildwechsel) ',
        ' ist (das|der) (video|clip|film) geschnitten ',
        ' (die )?anzahl der (schnitte|szenen|einstellungen) ',
      ),
    },
    { asked: 'long', words: / (für )?wie ?viele sekunden (lang )?/ },
    {
      asked: 'count',
      words: either(' wie ?viele? ', ' (die |wie groß ist die |was ist die |nenne die )?(gesamt|höchst)?(anzahl|zahl) (der |von |an )?'),
    },
    {
      asked: 'bigger',
      words: either(
        ' (was|wer|welches|welcher|welche)( von beiden)? ist (der |die |das )?(größer|größte|größere|größten)(?= )',
        ' (ist|sind) (?=(?:.* )?(größer|kleiner) als )',
      ),
    },
    {
      asked: 'beside',
      words: either(
        ' (ist|sind|steht|stehen|befindet sich|befinden sich|liegt|sitzt) (?=(?:.* )?(links von|rechts von|links neben|rechts neben|über|unter|oberhalb|unterhalb) )',
      ),
    },
    {
      asked: 'colour',
      words: either(
        ' (welche|was für eine|in welcher|von welcher) farben? (hat|haben|ist|sind|besitzt|besitzen|trägt|tragen|hatte)? ?',
        ' welchen farbton (hat|haben) ',
        ' (was|wie) ist die farbe (von|des|der) ',
        ' (die )?farbe (von|des|der) ',
      ),
    },
    { asked: 'long', words: / (für )?wie lang(e)? / },
    { asked: 'leave', words: new RegExp(` ${WHEN.de} (?=(?:.* )?(${LEAVES.de}) )`) },
    { asked: 'appear', words: new RegExp(` ${WHEN.de} (?=(?:.* )?(${APPEARS.de}) )`) },
    {
      asked: 'direction',
      words: either(
        ` (wohin|in welche richtung|in welcher richtung|welche richtung|nach wohin|zu welcher seite|nach welcher seite|auf welche seite) (?=(?:.* )?(${VERBS.de}) )`,
        ' (was|wie) ist die (bewegungsrichtung|fahrtrichtung|laufrichtung|richtung) (des|der|von) ',
      ),
    },
    {
      asked: 'where',
      words: either(
        ' (wo|auf welcher seite|in welchem teil|in welcher (hälfte|ecke)|an welcher (stelle|position))( des bildes| im bild)? ',
      ),
    },
    {
      asked: 'order',
      words: either(
        ' (wer|was|welches|welcher|welche)(?= (?:.* )?(zuerst|als erstes|als erster|als erste|zuletzt|als letztes|' +
          'als letzter|als letzte) )(?= (?:.* )?(erscheint|erscheinen|kommt|kommen|auf|sehen|sichtbar|ins bild) )',
      ),
    },
    {
      asked: 'who',
      words: either(
        ' (wer|wen) (alles )?(ist|sind|sieht|siehst|kann|kommt|erscheint|war)(?= (?:.* )?(da|hier|dort|im|sehen|sichtbar|vor|' +
          'man|du|erkennen) )( man| wir| du| da| alles| hier| dort| im bild| zu sehen| sehen| vor| zu erkennen| sichtbar)* ',
        ' wer erscheint ',
      ),
    },
    {
      asked: 'what',
      words: either(
        ' was (ist|sind) (?=.*(zu sehen|im|auf dem bild|in dem|sichtbar|da|zu erkennen|drauf|hier) )',
        ' was (alles )?(sieht man|siehst du|sehen wir|zeigt|enthält|kann man|gibt es|kommt|passiert|erkennt man|erkennst du|' +
          'ist los)( alles)?( hier| da)?( zu sehen| sehen| erkennen| vor)?(?= )',
        ' (welche|was für) (dinge|gegenstände|objekte|sachen) (sind|sieht|kann|gibt es|erkennt|kommen)?( man| du)?',
        ' beschreibe? ',
      ),
    },
    {
      asked: 'what',
      words: either(
        ' (welche|welches|welcher|welchen|was für ein|was für eine|was für|was ist das für ein|was ist das für eine)( art von)? ',
      ),
    },
    {
      asked: 'moves',
      words: either(' (bewegt|bewegen) (sich )?', ' (ist|sind) (?=(?:.* )?(in bewegung) )', ' gibt es (irgend)?(eine )?bewegung(en)? '),
    },
    {
      asked: 'moves',
      words: either(' (steht|stehen|bleibt|bleiben|parkt|ist|sind) (?=(?:.* )?(still|stehen|geparkt|unbewegt|regungslos) )'),
      turned: true,
    },
    {
      asked: 'presence',
      words: either(
        ' (gibt es|ist da|sind da|sieht man|siehst du|sind|ist|war|waren|sehen wir|erkennt man|erkennst du|kommt|kommen|' +
          'taucht|tauchen|erscheint|erscheinen|enthält das video|enthält der clip|enthält das bild|zeigt das video|' +
          'zeigt der clip|zeigt das bild|hat das bild|kann man|kannst du|kannst du mir sagen ob|ob) (?=(ein|eine|einen|einem|' +
          'irgendein|irgendeine|irgendeinen|irgendwelche|mehrere|mindestens|mehr als|genau|zwei|drei|vier|fünf|jemand|\\d+|' +
          '[a-zäöüß-]+ (zu sehen|im bild|sichtbar|da|vor|auf|sehen|erkennen)) )',
        ' (enthält|zeigt|hat) (das|der|dieses|dieser) (video|clip|bild|film) ',
        ' gibt es ',
        ' sieht man ',
        ' ist (?=jemand)',
        ' sind (?=leute )',
      ),
    },
    { asked: 'colour', words: / (ist|sind|war|waren) (?=(der|die|das|dieser|diese|dieses|sein|seine|ihr|ihre) )/ },
  ],
}

/** What else a kind of question may say, and what that means. */
export const ALSO: Record<Language, readonly { of: readonly Asked[]; words: RegExp }[]> = {
  en: [
    {
      of: ['appear'],
      words: either(
        ' (first |for the first time |initially )?(appear|appears|appeared|appearing|enter|enters|entered|entering|arrive|' +
          'arrives|arrived|come(s|ing)? (into|in|up|on)|came (into|in)|shows? up|turns? up|pops? up|for the first time|into|' +
          'becomes?|become|start|starts|begin|begins|to be|to appear|drives? in(to)?|walks? in(to)?)( for the first time|' +
          ' first)?(?= )',
        ' (first|earliest)(?= )',
      ),
    },
    { of: ['leave'], words: new RegExp(` (${LEAVES.en}|last|finally|for the last time|longer|no|any more|anymore|out)(?= )`) },
    {
      of: ['direction', 'moves'],
      words: new RegExp(
        ` (${VERBS.en}|in motion|towards?|stand|stands|standing|stay|stays|remain|remains|still|in place|put|parked|stationary|motionless|at rest|where it is|where they are)(?= )`,
      ),
    },
    {
      of: ['long'],
      words: either(
        ' (visible|stay|stays|staying|remain|remains|present|last|lasts|appear|appears|on screen|in view|in sight|on camera)(?= )',
      ),
    },
    {
      of: ['where', 'presence', 'what', 'who', 'count'],
      words: either(
        ' (located|placed|found|standing|be|being|appear|appears|appearing|occur|occurs|come up|show up|shows up|displayed|featured|included|on screen|in view|in sight|on camera)(?= )',
      ),
    },
    {
      of: ['order'],
      words: either(
        ' (first|last|appears?|appeared|comes?|came|enters?|entered|arrives?|shows? up|seen|visible|into|one|thing|object|kind|of them)(?= )',
      ),
    },
    { of: ['bigger'], words: / (bigger|larger|smaller|biggest|largest|object|thing|one|by size)(?= )/ },
  ],
  de: [
    {
      of: ['appear'],
      words: either(
        ' (zum ersten mal|erste[rsn]?|zuerst|erstmals|das erste mal|erscheint|erscheinen|taucht|tauchen|auf|auftaucht|' +
          'auftauchen|kommt|kommen|ins|herein|hinein|rein|vor|betritt|betreten|fährt|fahren)(?= )',
      ),
    },
    {
      of: ['leave'],
      words: either(
        ' (verlässt|verlassen|verschwindet|verschwinden|verschwunden|geht|gehen|fährt|fahren|weg|zuletzt|zum letzten mal|letztmals|letzte[rsn]?|fort|aus|nicht|mehr|raus|hinaus|heraus)(?= )',
      ),
    },
    { of: ['direction', 'moves'], words: new RegExp(` (${VERBS.de}|still|stehen|geparkt|unbewegt|regungslos|in bewegung)(?= )`) },
    { of: ['long'], words: / (bleibt|bleiben|dauert|ist|sind|lange?|steht|stehen|erscheint)(?= )/ },
    {
      of: ['where', 'presence', 'what', 'who', 'count', 'order', 'beside'],
      words: either(
        ' (befindet|befinden|steht|stehen|liegt|liegen|sitzt|sitzen|vor|kommt|kommen|auf|taucht|tauchen|erscheint|erscheinen|' +
          'erkennen|erkennbar|zuerst|als erste[rs]?|zuletzt|als letzte[rs]?|ins)(?= )',
      ),
    },
    { of: ['bigger'], words: / (größer|kleiner|größere|größte|größten|als|von beiden)(?= )/ },
  ],
}

/** Words that do not change the meaning. */
export const FILL: Record<Language, ReadonlySet<string>> = {
  en: new Set(
    (
      'the a an any some of in on at to is are was were be been there it its this that these those do does did have has ' +
      'had can could would will you we one i me my us they them see seen saw visible visibly shown show shows present here ' +
      'picture image video clip frame scene shot footage film recording view please ever somewhere anywhere all exactly ' +
      'about approximately roughly around during throughout within whole entire inside tell know say give let just now ' +
      'currently actually really also maybe kindly hey hi hello ok okay so then whose sometime check find out want need like'
    ).split(' '),
  ),
  de: new Set(
    (
      'der die das den dem des ein eine einen einem einer eines im in am an auf zu zum zur ist sind war waren wird werden ' +
      'es gibt da hier sehen seht sieht siehst man du wir ich kann kannst können sichtbar zeigt bild bildes bildern video ' +
      'videos clip clips film films aufnahme szene vorhanden irgendein irgendeine irgendeinen irgendwelche irgendwo ' +
      'irgendwann etwas denn bitte mal überhaupt dieses dieser diese diesem diesen jemals sich von vom genau etwa ungefähr ' +
      'während ganzen gesamten über ob sag sage mir mich uns wissen eigentlich wohl vielleicht gerade jetzt nun auch so ' +
      'alles insgesamt sagen prüfe prüfen möchte will'
    ).split(' '),
  ),
}
