/** A stream holds back only what is running: ordinary text leaves at once, and chance finds no cut that betrays a match. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createWindow, finish, push, release, scanText, settle } from '../../../server/stream/release-window.ts'
import { shareOf } from '../../rounds.ts'
import { sequence } from '../rules/fixture.ts'
import { FIXTURES, look, OPENING, PROSE, pieces, REACH_CHARS, stream, whole } from './window-fixture.ts'

/** Text, and how many characters of it may be held at most. */
const ORDINARY: readonly (readonly [name: string, heldMax: number, text: string])[] = [
  [
    'English',
    24,
    'Plants turn light into chemical energy. It happens in two stages: first the light reactions, then the Calvin cycle. In 1961 Melvin Calvin received the Nobel Prize for it; about 70 % of our oxygen comes from the sea. Shall I go on, or is this enough for now? ',
  ],
  [
    'Dutch',
    24,
    'Planten zetten licht om in chemische energie. Dat gebeurt in twee stappen: eerst wordt het licht opgevangen door het bladgroen, daarna wordt er suiker van gemaakt. Ongeveer 70 procent van de zuurstof komt uit zee. Wil je dat ik een van die stappen uitleg? ',
  ],
  [
    'German',
    24,
    'Pflanzen wandeln Licht in chemische Energie um. Das läuft in zwei Schritten ab: Zuerst fängt das Blattgrün das Licht ein, danach entsteht daraus Zucker. Größere Bäume können über 100 Jahre alt werden. Möchten Sie, dass ich einen der Schritte erkläre? ',
  ],
  [
    'Japanese',
    24,
    '植物は光を化学エネルギーに変えます。二つの段階があります。まず光が吸収され、次に糖が作られます。'.repeat(4),
  ],
  ['emoji', 24, 'Nice work 👍🏽, well done ❤️ and see you 👩‍👩‍👧 there, then some more words follow. '.repeat(4)],
  [
    'code',
    40,
    'function add(first, second) {\n  // both are numbers\n  const sum = first + second\n  if (sum > 100) return items[0]\n  for (let index = 0; index < list.length; index++) {\n    total += list[index].price * 2\n  }\n  return { sum, total, name: "x" }\n}\n',
  ],
  [
    'markdown',
    44,
    '# Title\n\nSome **bold** text and a [link](https://docs.example.org/guide/a.html) here.\n\n- [ ] one item\n- another item\n1. first\n2. second\n\n> a quote of somebody\n\n```sh\nls -la\n```\nAnd so on, and so forth.\n',
  ],
  [
    'a table',
    40,
    '| name | price | sold |\n|---|---|---|\n| apples | 2.50 | 1,200 |\n| pears | 3.10 | 845 |\n'.repeat(4),
  ],
  [
    'JSON',
    44,
    '{"name": "Widget", "price": 12.5, "tags": ["red", "small"], "sizes": [1, 2, 3], "stock": {"place": "north", "count": 140}, "isActive": true, "text": "A small widget for the kitchen"}',
  ],
]

for (const [name, heldMax, text] of ORDINARY) {
  test(`of ${name} at most ${heldMax} characters are held`, async () => {
    for (let most = 1; most <= 8; most++) {
      let window = createWindow(REACH_CHARS, undefined, OPENING)
      let released = ''
      const turn = async (): Promise<void> => {
        const next = release(window, settle(window, await look(scanText(window))), [])
        window = next.window
        released += next.text
      }
      for (const piece of pieces(text, most, most)) {
        window = push(window, piece)
        await turn()
        assert.ok(window.held.length <= heldMax, `held: ${JSON.stringify(window.held)}`)
      }
      window = finish(window)
      await turn()
      assert.equal(released, text)
    }
  })
}

/** Words and signs that begin, separate or disguise what steps look for. */
const CRUMBS =
  '\n|  |, |. |: |"|\'|=|-|%40|%20|%|\\|\\n|\\u0040|&#64;|&amp;|&|\u200b|\u00ad|\ufe0f|а|е|🔑|é|@|+|(|)|[|]|![|](|://|https://|12|0|06|AB |NL|sk|TLP|secret|key|api|confidential|call |born |password|account |<img |curl |eyJ|----|0x|::|1.2.|4111 |QUJD|ü|²'.split(
    '|',
  )

test('chance: fixtures, parts of them, crumbs and prose in any order, cut anywhere', async () => {
  const next = sequence(20)
  const below = (count: number): number => Math.floor(next() * count)
  const fixture = (): string => (FIXTURES[below(FIXTURES.length)] as readonly [string, string])[1].slice(0, 700)
  const part = (): string => {
    const text = fixture()
    return text.slice(below(2) * below(text.length), below(3) === 0 ? undefined : 1 + below(text.length))
  }
  const crumb = (): string => CRUMBS[below(CRUMBS.length)] as string
  const makers = [fixture, part, part, crumb, crumb, crumb, () => PROSE.slice(below(70), 79)]
  for (let round = 0; round < shareOf(3_000); round++) {
    const text = Array.from({ length: 2 + below(6) }, () => (makers[below(makers.length)] as () => string)()).join('')
    const deltas = pieces(text, [2, 9, 30, 120][round % 4] as number, round)
    const [streamed, expected] = [await stream(deltas), await whole(text)]
    const missed = expected.kinds.filter((kind) => !streamed.kinds.includes(kind))
    const hasMore = missed.length === 0 && streamed.kinds.length > expected.kinds.length
    // A stream finds a match before what covers it is whole, and in a part of a long run of base64 what is chance in the whole.
    // It never finds less.
    if (hasMore && (streamed.released === expected.released || LONG_RUN.test(text))) continue
    assert.deepEqual(streamed, expected, JSON.stringify(deltas))
  }
})

const LONG_RUN = /[A-Za-z0-9+/=_\s-]{512}/
