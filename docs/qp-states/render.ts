/** Makes `docs/qp-states.md` of the state table that `qp.modify` is held against. */
import { namesOfQpAttrMask, qpTransition, QpState, QpType } from 'openverbs';

import { markdownTable } from '../markdown-table.ts';

/** Those that a program can make. */
const TYPES = ['RC', 'UC', 'UD', 'XRC_SEND', 'XRC_RECV'] as const;
const STATES = Object.entries(QpState).filter(([name]) => name !== 'UNKNOWN');

const HEAD = `# States of queue pairs

A queue pair is made in RESET. \`qp.modify({ qpState, … })\` takes it to another state, or sets attributes in the state that it is in. The usual
way is RESET, INIT, RTR (ready to receive), RTS (ready to send), which \`qp.toRts(endpoint)\` goes by itself; \`qp.state\` tells where it is.

- RTS to SQD drains the send queue: what is under way ends, nothing new begins. \`enSqdAsyncNotify\` asks for the event SQ_DRAINED.
- The device itself goes to ERR when something fails on a connection, and to SQE when a send of an unreliable queue pair does. In ERR everything that is
  posted is flushed.
- RESET forgets all that is posted and all completions; ERR completes what is posted, by WR_FLUSH_ERR.

For each transition the table says which attributes of \`qp.modify\` it needs, and which it takes beside. A modify that lacks one, or has another, throws
\`EINVAL\`, names them in \`details\`, and changes nothing; so does a transition that is not in the table. \`curQpState\`, where it may be given, has to be
the state that the queue pair is in. The attributes of an alternate path (\`altAhAttr\`, \`altPkeyIndex\`, \`altPortNum\`, \`altTimeout\`) come together.

Source: InfiniBand Architecture Specification, volume 1, 11.2.5.2, and \`ibv_modify_qp\`(3). This page is generated: \`npm run qp-states\` writes it of the
table in the code, and a test fails when it is stale.
`;

/** The page. */
export function renderQpStates(): string {
  return `${HEAD}\n${markdownTable(['from', 'to', 'types', 'needs', 'takes beside'], STATES.flatMap(rowsFrom))}`;
}

function rowsFrom([fromName, from]: (typeof STATES)[number]): string[][] {
  return STATES.flatMap(([toName, to]) => {
    const typesOf = new Map<string, string[]>();
    for (const name of TYPES) {
      const transition = qpTransition(QpType[name], from, to);
      if (transition === undefined) continue;
      const key = [transition.required, transition.optional].map(attributes).join('|');
      typesOf.set(key, [...(typesOf.get(key) ?? []), name]);
    }
    return Array.from(typesOf, ([key, types]) => {
      const whose = types.length === TYPES.length ? 'all' : types.join(', ');
      return [fromName, toName, whose, ...key.split('|')];
    });
  });
}

function attributes(mask: number): string {
  return namesOfQpAttrMask(mask)
    .map((name) => `\`${name}\``)
    .join(' ');
}
