/** Templates of the chart in the language of Handlebars: what each part becomes, rendered, and what is refused. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createChartEngine } from '../../../scripts/chart/chart-engine.ts'
import { translateTemplate } from '../../../scripts/chart/chart-template.ts'

const VALUES = {
  text: 'hello',
  empty: '',
  none: [],
  nothing: {},
  zero: 0,
  number: 30,
  list: ['b', 'a'],
  map: { z: 1, a: 2 },
  deep: { er: { text: 'down' } },
  off: { word: 'off', octal: '0440', lines: 'one\ntwo' },
}

/** As Go's text/template and Helm's functions have it. */
const RENDERED: readonly (readonly [template: string, text: string])[] = [
  ['a {{ .Values.text }} b', 'a hello b'],
  ['a\n  {{- .Values.text }}\nb', 'ahello\nb'],
  ['a {{ .Values.text -}}\n\n b', 'a hellob'],
  ['{{ .Values.missing }}|', '|'],
  ['{{- if .Values.text }}yes{{ else }}no{{ end }}', 'yes'],
  ['{{ if .Values.empty }}yes{{ else }}no{{ end }}', 'no'],
  ['{{ if .Values.none }}yes{{ else }}no{{ end }}', 'no'],
  ['{{ if .Values.nothing }}yes{{ else }}no{{ end }}', 'no'],
  ['{{ if .Values.zero }}yes{{ else if .Values.text }}second{{ end }}', 'second'],
  ['{{ if not .Values.none }}yes{{ end }}', 'yes'],
  ['{{ if eq .Values.text "hello" }}yes{{ end }}', 'yes'],
  ['x:\n{{- with .Values.deep }}\n  {{ .er.text }} {{ $.Values.text }}\n{{- end }}\ny', 'x:\n  down hello\ny'],
  ['{{ with .Values.nothing }}no{{ end }}', ''],
  ['{{ range .Values.list }}<{{ . }}>{{ end }}', '<b><a>'],
  ['{{ range .Values.map }}<{{ . }}>{{ end }}', '<2><1>'],
  ['{{ range $key, $value := .Values.map }}{{ $key }}={{ $value }} {{ end }}', 'a=2 z=1 '],
  ['{{ range list "x" "y" }}{{ . }}{{ $.Values.text }} {{ end }}', 'xhello yhello '],
  ['{{ .Values.empty | default "else" | quote }}', '"else"'],
  ['{{ .Values.number | quote }} {{ add .Values.number 5 1 }} {{ div .Values.number 4 }}', '"30" 36 7'],
  ['{{ (add 1 (add 2 3)) }}', '6'],
  ['x:{{ toYaml .Values.off | nindent 2 }}', 'x:\n  word: "off"\n  octal: "0440"\n  lines: |-\n    one\n    two'],
  ['{{ "a SERVER b SERVER" | replace "SERVER" .Values.text }}', 'a hello b hello'],
  ['{{ .Files.Get "file" | nindent 1 }}', '\n {{ left }} $& as it is'],
  ['{{- define "one" -}}\n  <{{ .text }}>\n{{- end }}\n{{ include "one" .Values }}', '\n<hello>'],
  ['a {{- /* a word */}} b', 'a b'],
  ['{{ if .Values.text }}\n{{ end }}|', '\n|'],
]

for (const [template, text] of RENDERED)
  test(`chart: ${JSON.stringify(template)}`, () => {
    const files = new Map([
      ['templates/it.yaml', template],
      ['file', '{{ left }} $& as it is'],
    ])
    assert.equal(createChartEngine(files)('templates/it.yaml', { Values: VALUES }), text)
  })

const REFUSED: readonly (readonly [template: string, says: RegExp])[] = [
  ['{{ if .a }}', /something is not ended/],
  ['{{ end }}', /"end" ends nothing/],
  ['{{ (add 1 2 }}', /a bracket is not closed/],
  ['{{ add 1) }}', /a bracket too many/],
  ['{{ lookup "v1" "Secret" }}', /"lookup" is no function that this is made for/],
  ['{{ now }}', /"now" is no function/],
  ['{{ quote add }}', /"add" is no function/],
  ['{{ }}', /nothing stands there/],
  ['{{ .a | }}', /nothing stands there/],
  ['{{ $x := .a }}', /a part that this is not made for/],
  ['{{ index .a `b` }}', /a part that this is not made for/],
  ['{{ if .a }}{{ define "x" }}{{ end }}{{ end }}', /a definition stands inside of something/],
]

for (const [template, says] of REFUSED)
  test(`chart: ${template} is refused`, () => {
    assert.throws(() => translateTemplate(template), says)
  })

test('chart: a template that is not there is refused when it is included', () => {
  const engine = createChartEngine(new Map([['templates/it.yaml', '{{ include "absent" . }}']]))
  assert.throws(() => engine('templates/it.yaml', { Values: {} }), /"absent"/)
})
