/**
 * Every field of every command with every kind of bad value, one at a time, in a request that is carried out else: each is answered with an errno,
 * and nothing has changed. A field that is in no line of the table fails.
 */
import { expect } from 'chai';
import { Engine } from '@openverbs/hca';
import { Commands } from '../src/protocol/commands.ts';
import type { CommandName } from '../src/protocol/commands.ts';
import { MALFORMED } from '../src/protocol/words.ts';
import { badFor } from './support/bad-values.ts';
import type { Foreign } from './support/bad-values.ts';
import { HonestGuest } from './support/honest-guest.ts';
import { HostileFrontend, requestWords } from './support/hostile-frontend.ts';
import { fieldsOf, spoiledWords } from './support/spoiled-words.ts';
import type { Spoiled } from './support/spoiled-words.ts';
import { setStage } from './support/stage.ts';
import type { Request, Stage } from './support/stage.ts';
import { XenMachine } from './support/xen-machine.ts';

const ATTEMPTS_PER_PULSE = 100;
/** Refused commands that name nothing which is there, in each mode: fewer, and the table has lost lines. */
const ATTEMPTS_MIN = 500;
/** An errno by name, or by number as posts answer; EIO would be a fault of the back-end itself. */
const REFUSAL = /^(E(?!IO)[A-Z]+|errno [1-9]\d*)$/;

for (const mode of ['basic', 'bypass'] as const) {
  describe(`bad values in every field of every command, ${mode}`, () => {
    let xen: XenMachine;
    let honest: HonestGuest[];
    let foreign: Foreign;
    let stage: Stage;
    let present: Record<string, number>;
    let attempts = 0;

    before(() => {
      xen = new XenMachine();
      honest = (['basic', 'bypass'] as const).map((each) => new HonestGuest(xen, xen.deviceOf(xen.addGuest(each))));
      foreign = numbersOf(honest);
      xen.destroy(xen.addGuest(mode)); // the tables of its domain stay, for the next one
      present = xen.counts();
      const front = new HostileFrontend(xen, xen.addGuest(mode));
      expect(front.connect()).to.equal(true);
      stage = setStage(front);
    });
    after(() => {
      for (const { context } of honest) context[Symbol.dispose]();
      xen.close();
    });

    /** All that a command could change. */
    function state(): string {
      const [hca] = Engine.of(xen.machine)!.hcas;
      const { qps, cqs, srqs, xrcds, mpts, pds, ahs } = hca;
      const { context, qp, fresh, ud, srq, cq, front } = stage;
      const guest = xen.dom0.backend.guests.find(({ domid }) => domid === front.guest.domid)!;
      const told = [
        ...[qp, fresh, ud].map((each) => front.call(Commands.QUERY_QP, { context, qp: each })),
        front.call(Commands.QUERY_SRQ, { context, srq }),
        front.call(Commands.DRAIN_CQ, { context, cq, max: 16, consumed: 0, taken: 0 }),
      ];
      const inUse = [qps, cqs, srqs, xrcds, mpts, pds, ahs].map((table) => table.inUse);
      return JSON.stringify([inUse, xen.machine.pages.stats().usedBytes, guest.quota.used, told]);
    }

    it('each is refused with an errno, and changes nothing; honest guests of both modes go on', () => {
      const wrong: string[] = [];
      for (const [name, request] of stage.requests) {
        const unchanged = state();
        for (const path of fieldsOf(request)) {
          for (const spoiled of badFor(name, path)(stage, request, foreign)) {
            const what = `${name}.${path} = ${JSON.stringify(spoiled)}`;
            const answer = attempt(name, request, path, spoiled);
            if (!REFUSAL.test(answer)) wrong.push(`${what}: ${answer}`);
            const now = state();
            if (now !== unchanged) wrong.push(`${what}: something has changed`);
          }
        }
      }
      expect(wrong.join('\n')).to.equal('');
      expect(attempts).to.be.above(ATTEMPTS_MIN);
    });

    it('the same requests are carried out without', () => {
      // What ends objects comes last, and the context at the very end.
      const order = [/^(?!CLOSE|DE|DESTROY)/, /^(CLOSE_X|DE|DESTROY)/, /^CLOSE_C/];
      for (const turn of order) {
        for (const [name, request] of stage.requests.filter(([each]) => turn.test(each))) {
          const { words: answer, error } = stage.front.send(
            message(name, requestWords(Commands[name] as never, request as never)),
          );
          expect(error, name).to.equal(null);
          if (name.startsWith('POST')) expect(answer[0], name).to.equal(0);
        }
      }
    });

    it('nothing is left of any of them', () => {
      xen.destroy(stage.front.guest);
      for (const guest of honest) guest.pulse();
      expect(xen.counts()).to.deep.equal(present);
    });

    /** Name of the errno that it is answered with. */
    function attempt(name: CommandName, request: Request, path: string, spoiled: Spoiled): string {
      if (++attempts % ATTEMPTS_PER_PULSE === 0) for (const guest of honest) guest.pulse();
      const { words: answer, error } = stage.front.send(
        message(name, spoiledWords(Commands[name] as never, request, path, spoiled)),
      );
      // What no value is written as is no request, whatever a handler would say to it.
      if (error !== null && 'words' in spoiled && !error.message.startsWith(MALFORMED)) return error.message;
      if (error !== null) return error.code;
      return name.startsWith('POST') && answer[0] !== 0 ? `errno ${answer[0]}` : 'it is carried out';
    }
  });
}

function message(name: CommandName, list: ArrayLike<number>): Parameters<HostileFrontend['send']>[0] {
  return { number: Commands[name].number, words: list };
}

function numbersOf(guests: readonly HonestGuest[]): Foreign {
  return {
    pd: guests.map(({ pd }) => pd.handle),
    cq: guests.map(({ cq }) => cq.handle),
    qp: guests.map(({ qps }) => qps[0].qpNum),
    mr: guests.flatMap(({ mrs }) => [mrs[0].handle, mrs[0].lkey]),
    frame: guests.map(({ context, buffers }) => Number(context.mapDma(buffers[0]).pages[0]) / 4096),
  };
}
