/** The actions of `tappass agent`, with their options. */
import type { Action } from './verb.ts'

/** What can be done with agents. */
export const AGENT_ACTIONS: readonly Action[] = [
  {
    name: 'add',
    operands: 'ID',
    summary: 'create an agent and show its key, once',
    options: [
      { name: 'framework', value: 'NAME', summary: 'framework of the agent' },
      { name: 'description', value: 'TEXT', summary: 'purpose of the agent' },
      { name: 'owner', value: 'EMAIL', summary: 'email address of the owner' },
      { name: 'spiffe-id', value: 'ID', summary: 'come with an SVID of this id, without a key' },
    ],
  },
  { name: 'list', summary: 'show all agents' },
  { name: 'revoke', operands: 'ID', summary: 'revoke its keys, within a second' },
]
