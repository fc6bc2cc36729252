/** The session that README.md and its picture show is what a gateway of today gives. Needs: bash, curl, jq. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { runGatewaySession, shapeOf } from '../../bench/session/gateway-session.ts'
import { linesOf, readBlock, renderMarkdown } from '../../bench/session/shown-command.ts'
import { renderSvg } from '../../bench/session/terminal-svg.ts'

const root = join(import.meta.dirname, '../..')
const shown = readBlock(readFileSync(join(root, 'README.md'), 'utf8'), 'session')
const picture = readFileSync(join(root, 'docs/images/session.svg'), 'utf8')

const plain = (svg: string): readonly string[] =>
  [...svg.matchAll(/<text [^>]*>(.*)<\/text>/g)].map(([, text = '']) =>
    text
      .replaceAll(/<[^>]+>/g, '')
      .replaceAll('&lt;', '<')
      .replaceAll('&gt;', '>')
      .replaceAll('&amp;', '&'),
  )

test('a run of today looks as the page shows it; if not: node bench/record-session.ts', async () => {
  const session = await runGatewaySession([process.execPath, join(root, 'scripts/cli.ts')])
  assert.equal(shapeOf(renderMarkdown(session)), shapeOf(shown))
  assert.deepEqual(
    plain(renderSvg(session, '')),
    linesOf(session).map(({ text }) => text),
  )
})

test('the picture shows the same run as the page', () => {
  assert.equal(`\`\`\`console\n${plain(picture).join('\n')}\n\`\`\``, shown)
})
