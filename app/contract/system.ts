/** What Tubelet runs on. */
import { z } from 'zod'

/** What became of a provider that the runtime lists. absent: this machine has no such device. slow: slower than another. broken: not to be trusted. */
export const ProviderTrial = z.object({ provider: z.string(), outcome: z.enum(['used', 'absent', 'slow', 'broken']), details: z.string() })
export type ProviderTrial = z.infer<typeof ProviderTrial>
