/** What is read or measured at most once in a run. */

/** Returns what reads at its first call, and gives the same at every other. */
export function once<T>(read: () => Promise<T>): () => Promise<T> {
  let value: Promise<T> | undefined
  return () => {
    value ??= read()
    return value
  }
}

/** As `once`, for each path. */
export function oncePerPath<T>(read: (path: string) => Promise<T>): (path: string) => Promise<T> {
  const values = new Map<string, Promise<T>>()
  return (path) => {
    const value = values.get(path) ?? read(path)
    values.set(path, value)
    return value
  }
}

/** As `once`, for each value of an argument that JSON tells apart. */
export function oncePer<T, R>(read: (of: T) => Promise<R>): (of: T) => Promise<R> {
  const values = oncePerPath((key) => read(JSON.parse(key) as T))
  return (of) => values(JSON.stringify(of))
}
