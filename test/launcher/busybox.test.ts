/** The launcher under busybox's sh, with busybox for every tool. Needs: curl, busybox. On one Node: it is a script of sh. */
import { shareOf } from '../rounds.ts'
import { describeLauncher } from './rows.ts'
import { locate } from './world.ts'

describeLauncher({ name: 'busybox', argv: [locate('busybox'), 'sh'], tool: locate('busybox'), killPoints: shareOf(30) })
