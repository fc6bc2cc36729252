/** Dashboards of Grafana as data: what a panel asks, in the order in which it stands. */

/** What a panel shows: `asks` are expressions of PromQL by their legend. */
export type Panel = Readonly<{
  title: string
  description: string
  kind: 'timeseries' | 'stat' | 'table'
  unit: string
  asks: readonly (readonly [legend: string, expr: string])[]
  /** From where on a value is shown as bad, and whether lower is better. */
  bad?: Readonly<{ from: number; isBelow?: boolean }>
}>

/** Panels that stand together under a title. */
export type Row = Readonly<{ title: string; panels: readonly Panel[] }>

/** A dashboard; `uid` is its address in Grafana. */
export type Dashboard = Readonly<{ uid: string; title: string; description: string; rows: readonly Row[] }>

const WIDTH = 24
const PANEL = { w: 8, h: 8 } as const
const SOURCE = { type: 'prometheus', uid: '${datasource}' } as const

function thresholdsOf(bad: Panel['bad']) {
  const colors = bad?.isBelow ? (['red', 'green'] as const) : (['green', 'red'] as const)
  const steps = [
    { color: bad === undefined ? 'blue' : colors[0], value: null },
    ...(bad === undefined ? [] : [{ color: colors[1], value: bad.from }]),
  ]
  return { mode: 'absolute', steps }
}

const OPTIONS: Readonly<Record<Panel['kind'], object>> = {
  timeseries: {
    legend: { calcs: ['lastNotNull', 'max'], displayMode: 'table', placement: 'bottom', showLegend: true },
    tooltip: { mode: 'multi', sort: 'desc' },
  },
  stat: {
    colorMode: 'value',
    graphMode: 'none',
    justifyMode: 'auto',
    orientation: 'auto',
    reduceOptions: { calcs: ['lastNotNull'], fields: '', values: false },
    textMode: 'auto',
  },
  table: { cellHeight: 'sm', showHeader: true },
}

function targetsOf({ kind, asks }: Panel) {
  return asks.map(([legendFormat, expr], at) => ({
    datasource: SOURCE,
    editorMode: 'code',
    expr,
    format: kind === 'table' ? 'table' : 'time_series',
    instant: kind !== 'timeseries',
    legendFormat,
    range: kind === 'timeseries',
    refId: String.fromCharCode(65 + at),
  }))
}

function panelOf(panel: Panel, id: number, x: number, y: number) {
  const { title, description, kind, unit, bad } = panel
  return {
    ...{ id, title, description, type: kind, datasource: SOURCE, gridPos: { ...PANEL, x, y } },
    fieldConfig: {
      defaults: {
        unit,
        thresholds: thresholdsOf(bad),
        color: { mode: kind === 'timeseries' ? 'palette-classic' : 'thresholds' },
      },
      overrides: [],
    },
    options: OPTIONS[kind],
    targets: targetsOf(panel),
  }
}

function rowOf({ title, panels }: Row, firstId: number, y: number) {
  const gridPos = { h: 1, w: WIDTH, x: 0, y }
  const perLine = WIDTH / PANEL.w
  return [
    { id: firstId, title, type: 'row', collapsed: false, gridPos, panels: [] },
    ...panels.map((panel, at) =>
      panelOf(panel, firstId + 1 + at, (at % perLine) * PANEL.w, y + 1 + Math.floor(at / perLine) * PANEL.h),
    ),
  ]
}

/** Which of several are shown. */
function variable(name: string, label: string, query: string) {
  return {
    ...{ name, label, type: 'query', datasource: SOURCE, definition: query, query: { query, refId: name }, refresh: 2 },
    ...{ includeAll: true, multi: true, allValue: '.*', current: { text: ['All'], value: ['$__all'] }, sort: 1 },
  }
}

/** Returns the file that Grafana imports. */
export function formatDashboard({ uid, title, description, rows }: Dashboard): string {
  let [id, y] = [1, 0]
  const panels = rows.flatMap((row) => {
    const made = rowOf(row, id, y)
    id += made.length
    y += 1 + Math.ceil(row.panels.length / (WIDTH / PANEL.w)) * PANEL.h
    return made
  })
  const source = { name: 'datasource', label: 'Prometheus', type: 'datasource', query: 'prometheus', refresh: 1 }
  const dashboard = {
    ...{ uid, title, description, tags: ['tappass'], schemaVersion: 39, version: 1, editable: true, graphTooltip: 1 },
    ...{ time: { from: 'now-6h', to: 'now' }, refresh: '30s', timezone: 'browser', annotations: { list: [] } },
    templating: { list: [source, variable('job', 'Job', 'label_values(tappass_build_info, job)')] },
    panels,
  }
  return `${JSON.stringify(dashboard, null, 2)}\n`
}
