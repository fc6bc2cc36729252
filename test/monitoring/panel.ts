/** What panels ask, in few words. */
import type { Panel } from './dashboard.ts'

/** Instances are met in turn, so a rate takes five minutes at least, and a gauge its largest value of five. */
export const rate = (metric: string, by: string, labels = ''): string =>
  `sum by (${by}) (rate(${metric}{job=~"$job"${labels === '' ? '' : `,${labels}`}}[5m]))`
export const most = (metric: string, by: string, labels = ''): string =>
  `max by (${by}) (max_over_time(${metric}{job=~"$job"${labels === '' ? '' : `,${labels}`}}[5m]))`
export const quantile = (share: number, metric: string, by = ''): string =>
  `histogram_quantile(${share}, ${rate(`${metric}_bucket`, ['le', by].filter(Boolean).join(', '))})`

export const panel = (
  kind: Panel['kind'],
  title: string,
  description: string,
  unit: string,
  asks: Panel['asks'],
  bad?: Panel['bad'],
): Panel => ({ kind, title, description, unit, asks, ...(bad === undefined ? {} : { bad }) })
export const graph = (title: string, description: string, unit: string, ...asks: Panel['asks']): Panel =>
  panel('timeseries', title, description, unit, asks)
export const figure = (title: string, description: string, unit: string, expr: string, bad?: Panel['bad']): Panel =>
  panel('stat', title, description, unit, [['{{subject}}{{gateway}}', expr]], bad)

/** What both readers look at. */
export const NEWEST_BACKUP: Panel = figure(
  'Newest backup that counts',
  'Its age.',
  's',
  `time() - ${most('tappass_check_backup_timestamp_seconds', 'job')}`,
  { from: 2 * 86_400 },
)
