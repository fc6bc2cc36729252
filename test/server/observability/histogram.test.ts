/** Histograms in Prometheus' text format. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createHistogram } from '../../../server/observability/histogram.ts'

test('values are counted up to their bucket, by label', () => {
  const histogram = createHistogram([0.25, 1])
  for (const [label, value] of [
    ['a', 0.25],
    ['a', 0.5],
    ['a', 3],
    ['b', 0],
  ] as const)
    histogram.observe(label, value)
  assert.equal(
    histogram.render('t_seconds', 'Time', 'step'),
    [
      '# HELP t_seconds Time',
      '# TYPE t_seconds histogram',
      't_seconds_bucket{step="a",le="0.25"} 1',
      't_seconds_bucket{step="a",le="1"} 2',
      't_seconds_bucket{step="a",le="+Inf"} 3',
      't_seconds_sum{step="a"} 3.75',
      't_seconds_count{step="a"} 3',
      't_seconds_bucket{step="b",le="0.25"} 1',
      't_seconds_bucket{step="b",le="1"} 1',
      't_seconds_bucket{step="b",le="+Inf"} 1',
      't_seconds_sum{step="b"} 0',
      't_seconds_count{step="b"} 1',
      '',
    ].join('\n'),
  )
})

test('without a label there is none in the lines', () => {
  const histogram = createHistogram([1])
  histogram.observe('', 1)
  const lines = histogram.render('t', 'T', 'x').split('\n').slice(2)
  assert.deepEqual(lines, ['t_bucket{le="1"} 1', 't_bucket{le="+Inf"} 1', 't_sum 1', 't_count 1', ''])
})
