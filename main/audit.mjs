/**
 * `npm run audit`: known faults of the packages, by the policy in docs/trust.md. Ends with 1 where an installed app has one that is high or critical,
 * with 2 where the registry gives no answer: that is not the same as "none".
 */
import { spawnSync } from 'node:child_process'

const { stdout } = spawnSync('npm', ['audit', '--json'], { encoding: 'utf8', shell: process.platform === 'win32' })
const shipped = spawnSync('npm', ['audit', '--json', '--omit=dev'], { encoding: 'utf8', shell: process.platform === 'win32' }).stdout
const counts = (text) => {
  try {
    return JSON.parse(text).metadata?.vulnerabilities ?? null
  } catch {
    return null
  }
}
const [all, inside] = [counts(stdout), counts(shipped)]
if (all === null || inside === null) {
  console.error('The registry gave no answer, so nothing is known. Run it where `npm audit` works.')
  process.exit(2)
}
const told = (found) => ['critical', 'high', 'moderate', 'low'].map((level) => `${found[level] ?? 0} ${level}`).join(', ')
console.log(`In what users get: ${told(inside)}. With the tools of developers: ${told(all)}.`)
process.exit((inside.high ?? 0) + (inside.critical ?? 0) > 0 ? 1 : 0)
