import { KEYS, keyName } from '../keys.ts'
import { Dialog } from './Dialog.tsx'

export function ShortcutsDialog() {
  return (
    <Dialog title="Keyboard shortcuts" wide>
      <div className="shortcuts">
        {[...Map.groupBy(KEYS, ({ group }) => group)].map(([group, keys]) => (
          <section key={group}>
            <h3>{group}</h3>
            <dl>
              {keys.map(({ name, keys: combinations }) => (
                <div key={name}><dt>{combinations.map((combination) => <kbd key={combination}>{keyName(combination)}</kbd>)}</dt><dd>{name}</dd></div>
              ))}
            </dl>
          </section>
        ))}
      </div>
    </Dialog>
  )
}
