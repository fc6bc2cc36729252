/** The arrows between rooms: imports follow the table, each row of it is used, no circle, and no room of nouns grows into a drawer. */
import { type Room, roomOf } from './room.ts'
import { type Import, importsOf, isShipped, placeOf, type Rule, type Source } from './source.ts'

const nounFilesMax = 25

type Arrow = Import & Readonly<{ target: string; fromRoom: Room | undefined; toRoom: Room | undefined }>

/** All imports from one file of the two halves to another file, with the rooms of both. */
const arrowsOf = (sources: readonly Source[], table: readonly Room[]): readonly Arrow[] =>
  sources
    .filter(isShipped)
    .flatMap(importsOf)
    .flatMap((each) => (each.target === undefined ? [] : [{ ...each, target: each.target }]))
    .map((each) => ({ ...each, fromRoom: roomOf(each.from.path, table), toRoom: roomOf(each.target, table) }))

const follow = (table: readonly Room[]): Rule => {
  const name = 'imports follow the arrows between rooms'
  return {
    name,
    check: (sources) =>
      arrowsOf(sources, table).flatMap(({ from, node, target, fromRoom, toRoom }) => {
        if (fromRoom !== undefined && (fromRoom === toRoom || fromRoom.knows.includes(toRoom?.path ?? ''))) return []
        const what = `${fromRoom?.path ?? from.path} must not import ${toRoom?.path ?? target}`
        return [{ rule: name, where: placeOf(from, node), what }]
      }),
  }
}

const used = (table: readonly Room[]): Rule => {
  const name = 'every arrow of the table is used'
  return {
    name,
    check: (sources) => {
      const arrows = arrowsOf(sources, table)
      const has = (from: string, to: string): boolean =>
        arrows.some(({ fromRoom, toRoom }) => fromRoom?.path === from && toRoom?.path === to)
      return table.flatMap(({ path, knows }) =>
        knows
          .filter((to) => !has(path, to))
          .map((to) => ({ rule: name, where: `${path}:1`, what: `nothing in ${path} imports ${to}` })),
      )
    },
  }
}

const oneWay = (table: readonly Room[]): Rule => {
  const name = 'a room knows only rooms that stand before it in the table'
  return {
    name,
    check: () =>
      table.flatMap(({ path, knows }, index) =>
        knows
          .filter((to) => !table.slice(0, index).some((before) => before.path === to))
          .map((to) => ({ rule: name, where: `${path}:1`, what: `${to} does not stand before ${path}` })),
      ),
  }
}

const sizes = (table: readonly Room[]): Rule => {
  const name = 'a room of nouns holds 25 files at most'
  return {
    name,
    check: (sources) =>
      table
        .filter(({ isSet }) => !isSet)
        .flatMap((room) => {
          const count = sources.filter(({ path }) => roomOf(path, table) === room).length
          return count > nounFilesMax ? [{ rule: name, where: `${room.path}:1`, what: `${count} files` }] : []
        }),
  }
}

/** The part of a path that stands for one of several interchangeable things: the file or the folder in its room. A file that is a room is none. */
const memberOf = (path: string, table: readonly Room[]): readonly [room: string, member: string] | undefined => {
  if (table.some((each) => each.path === path)) return undefined
  const set = table.find((each) => each.isSet && path.startsWith(`${each.path}/`))
  return set && [set.path, path.slice(set.path.length + 1).split('/')[0] ?? '']
}

const siblings = (table: readonly Room[]): Rule => {
  const name = 'siblings do not import each other'
  return {
    name,
    check: (sources) =>
      arrowsOf(sources, table).flatMap(({ from, node, target }) => {
        const [one, other] = [memberOf(from.path, table), memberOf(target, table)]
        if (one === undefined || other === undefined || one[0] !== other[0] || one[1] === other[1]) return []
        return [{ rule: name, where: placeOf(from, node), what: `${from.path} imports ${target}` }]
      }),
  }
}

/** All rules about rooms, for one table of them. */
export const roomRules = (table: readonly Room[]): readonly Rule[] => [
  follow(table),
  used(table),
  oneWay(table),
  sizes(table),
  siblings(table),
]
