/** A judge as the files of npm peers export one: it says what it was asked. */
import type { LoadJudge } from '../../bench/npm-peer.ts'

/** Needs no packages. */
export const loadJudge: LoadJudge = async () => (text) => text
