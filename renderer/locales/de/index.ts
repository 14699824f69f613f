/** German, one file for each area of the window. */
import backend from './backend.json' with { type: 'json' }
import backups from './backups.json' with { type: 'json' }
import care from './care.json' with { type: 'json' }
import files from './files.json' with { type: 'json' }
import find from './find.json' with { type: 'json' }
import imports from './import.json' with { type: 'json' }
import intake from './intake.json' with { type: 'json' }
import labels from './labels.json' with { type: 'json' }
import overview from './overview.json' with { type: 'json' }
import packs from './packs.json' with { type: 'json' }
import pictures from './pictures.json' with { type: 'json' }
import review from './review.json' with { type: 'json' }
import sharing from './sharing.json' with { type: 'json' }
import shell from './shell.json' with { type: 'json' }
import table from './table.json' with { type: 'json' }
import workers from './workers.json' with { type: 'json' }

export default {
  ...shell,
  ...backend,
  ...review,
  ...table,
  ...files,
  ...find,
  ...imports,
  ...intake,
  ...labels,
  ...overview,
  ...packs,
  ...pictures,
  ...care,
  ...backups,
  ...sharing,
  ...workers,
}
