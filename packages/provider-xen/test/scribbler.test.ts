/**
 * A hostile guest with a thread of its own, which stores into its pages all the time while the back-end and the device read them: no check
 * may be made on what is read again afterwards.
 */
import { expect } from 'chai';
import { SharedRing, XenbusState } from '@openverbs/hypervisor';
import { WrOpcode } from '@openverbs/verbs';
import { SendWqe } from '@openverbs/verbs/rings';
import { Commands } from '../src/protocol/commands.ts';
import type { CommandName } from '../src/protocol/commands.ts';
import { BULK_PAGES, ENTRY_ARGUMENT_WORDS, ENTRY_HEADER_WORDS, ENTRY_WORDS } from '../src/protocol/limits.ts';
import { Account } from '../src/backend/accounting.ts';
import type { Guest } from '../src/backend/guest.ts';
import { Attacker } from './support/attacks.ts';
import { HonestGuest } from './support/honest-guest.ts';
import { HostileFrontend } from './support/hostile-frontend.ts';
import { Random } from './support/random.ts';
import { Scribbler } from './support/scribbler.ts';
import type { ScribblerTask } from './support/scribbler-thread.ts';
import { XenMachine } from './support/xen-machine.ts';
import type { GuestParts } from './support/xen-machine.ts';

const SEED = Number(process.env['OPENVERBS_SEED'] ?? 20061);
const PAGE_WORDS = 1024;
const ENTRIES = 32;
/** Guests of each kind, one after the other. */
const LIVES = 4;
/** Rounds of the back-end in one life. */
const ROUNDS = 60;
const ROUNDS_PER_PULSE = 20;
/** Rounds of stores over the indices of a ring in one life: some of them surely hit. */
const SCRIBBLED_ROUNDS = 2000;
const REQUESTS_MAX = 8;
const TEMPLATES_PER_COMMAND = 3;
/** Words between two places where a work request may begin. */
const WQE_WORDS = 16;
const QUOTAS = { contexts: 8, cqs: 64, qps: 64, srqs: 64, mrs: 256 };

describe(`a guest that scribbles (seed ${SEED})`, function () {
  this.timeout(60_000);
  let xen: XenMachine;
  let honest: HonestGuest;
  let scribbler: Scribbler;
  let random: Random;
  let before: Record<string, number>;

  beforeEach(() => {
    random = new Random(SEED);
    xen = new XenMachine({ quotas: QUOTAS });
    honest = new HonestGuest(xen, xen.deviceOf(xen.addGuest('bypass')));
    scribbler = new Scribbler(xen.machine, SEED);
    xen.destroy(xen.addGuest('bypass')); // the tables of its domain stay, for the next one
    before = counts();
  });
  afterEach(async () => {
    honest.pulse();
    const after = counts();
    await scribbler.close();
    expect(after).to.deep.equal(before);
    honest.context[Symbol.dispose]();
    xen.close();
  });

  /** All but the open files of this process: the scribbler's thread has some of its own, from some time after it was started. */
  function counts(): Record<string, number> {
    return { ...xen.counts(), files: 0 };
  }

  /** The back-end's side of a guest, which must not have failed at anything. */
  function backendOf({ domid }: GuestParts): Guest {
    return xen.dom0.backend.guests.find((guest) => guest.domid === domid)!;
  }

  /** Numbers of the honest guest, as a thief would guess them. */
  function foreign(): number[] {
    const { qps, cq, mrs, pd } = honest;
    return [...qps.map(({ qpNum }) => qpNum), cq.handle, mrs[0].handle, mrs[0].lkey, mrs[0].rkey, pd.handle];
  }

  /** A front-end with objects of all kinds, and what may be written into its ring. */
  function frontEnd(mode: 'basic' | 'bypass'): { front: HostileFrontend; task: Omit<ScribblerTask, 'areas'> } {
    const front = new HostileFrontend(xen, xen.addGuest(mode));
    expect(front.connect()).to.equal(true);
    const frame = front.guest.domain.memory.allocPages(16);
    const frames = [...Array.from({ length: 16 }, (_, n) => frame + n), 0, 1];
    const attacker = new Attacker(front, random, { foreign: foreign(), frames, bypass: mode === 'bypass' });
    attacker.prepare();
    const entries = Array.from(
      { length: ENTRIES },
      (_, n) => front.page(0).word + SharedRing.ENTRIES + n * ENTRY_WORDS,
    );
    const templates = (Object.keys(Commands) as CommandName[]).flatMap((name) =>
      Array.from({ length: name === 'CLOSE_CONTEXT' ? 0 : TEMPLATES_PER_COMMAND }, () => {
        const { number, words } = attacker.message(name);
        const bulk = words.length > ENTRY_ARGUMENT_WORDS;
        return [
          { places: entries, words: [0, number, words.length, bulk ? 1 : 0, ...(bulk ? [] : Array.from(words))] },
          ...(bulk && words.length <= PAGE_WORDS ? [{ places: [front.page(2).word], words: Array.from(words) }] : []),
        ];
      }).flat(),
    );
    const lies = [-1, 0, 1, 2, ENTRY_ARGUMENT_WORDS, ENTRY_ARGUMENT_WORDS + 1, 0x7fffffff, ...foreign(), ...frames];
    const numbers = Object.values(Commands).map(({ number }) => number);
    return { front, task: { templates, values: [...lies, ...numbers], doorbells: null } };
  }

  function pagesOf(front: HostileFrontend, first: number): ScribblerTask['areas'] {
    return Array.from({ length: 2 + BULK_PAGES - first }, (_, n) => ({
      word: front.page(first + n).word,
      words: PAGE_WORDS,
    }));
  }

  for (const mode of ['basic', 'bypass'] as const) {
    it(`over its requests, the bulk area and its events: each command is carried out as it was read, ${mode}`, () => {
      let done = 0;
      let refused = 0;
      for (let life = 0; life < LIVES; life++) {
        const { front, task } = frontEnd(mode);
        const entries = { word: front.page(0).word + SharedRing.ENTRIES, words: ENTRIES * ENTRY_WORDS };
        const areas = [entries, entries, entries, ...pagesOf(front, 1)];
        const { counts } = backendOf(front.guest);
        scribbler.scribbleDuring({ ...task, areas }, () => {
          for (let round = 1; round <= ROUNDS; round++) {
            front.show(1 + random.below(REQUESTS_MAX));
            xen.settle();
            if (round % ROUNDS_PER_PULSE === 0) honest.pulse();
          }
        });
        expect(front.state).to.equal(XenbusState.CONNECTED);
        expect(counts[Account.FAULTS]).to.equal(0);
        done += counts[Account.COMMANDS] - counts[Account.REFUSED];
        refused += counts[Account.REFUSED];
        xen.destroy(front.guest);
      }
      expect(Math.min(done, refused)).to.be.above(LIVES * 10);
    });
  }

  it('over the indices of its ring too: the ring is closed, and it may connect again', () => {
    let closed = 0;
    for (let life = 0; life < LIVES; life++) {
      const { front, task } = frontEnd('basic');
      const { counts } = backendOf(front.guest);
      const ring = { word: front.page(0).word, words: SharedRing.ENTRIES + ENTRY_HEADER_WORDS };
      const areas = [ring, ...pagesOf(front, 0)];
      scribbler.scribbleDuring({ ...task, areas }, () => {
        const enough = scribbler.rounds + SCRIBBLED_ROUNDS;
        while (front.state === XenbusState.CONNECTED && scribbler.rounds < enough) xen.settle();
        honest.pulse();
      });
      expect(counts[Account.FAULTS]).to.equal(0);
      if (front.state === XenbusState.CLOSED) closed++;
      expect(front.connect()).to.equal(true);
      front.call(Commands.OPEN_CONTEXT, {});
      xen.destroy(front.guest);
    }
    expect(closed).to.be.above(0);
  });

  it('over its queues, and rings what it likes: the device goes on for the others', () => {
    for (let life = 0; life < LIVES; life++) {
      const guest = xen.addGuest('bypass');
      const program = new HonestGuest(xen, xen.deviceOf(guest));
      program.pulse();
      const [context] = backendOf(guest).contexts;
      const [uar] = context.userHalf!.words;
      // All but the ring of the device channel, which is another test.
      const areas = xen.runsOf(guest).filter(({ words }) => words !== (2 + BULK_PAGES) * PAGE_WORDS);
      const places = areas.flatMap(({ word, words }) =>
        Array.from({ length: Math.min(words / WQE_WORDS, 256) }, (_, n) => word + n * WQE_WORDS),
      );
      const { mrs, qps } = program;
      const keys = [...mrs, ...honest.mrs].flatMap(({ lkey, rkey, addr }) => [lkey, rkey, addr | 0]);
      const templates = Array.from({ length: 64 }, () => ({ places, words: workRequest(keys) }));
      const values = [...keys, ...foreign(), -1, 0, 1, 2, 8, 64, 4096, 0x10000, 0x7fffffff, -0x80000000];
      const numbers = [...qps, ...honest.qps].map(({ qpNum }) => qpNum);
      const doorbells = { uar, kinds: 4, numbers: [...numbers, 0, random.next() & 0x3fffffff] };
      scribbler.scribbleDuring({ areas, templates, values, doorbells }, () => {
        for (let round = 0; round < ROUNDS / ROUNDS_PER_PULSE; round++) {
          honest.pulse();
          xen.settle();
        }
      });
      expect(backendOf(guest).counts[Account.FAULTS]).to.equal(0);
      xen.destroy(guest);
    }
  });

  /** A send that may well be executed. */
  function workRequest(keys: readonly number[]): number[] {
    const words = new Array<number>(WQE_WORDS).fill(0);
    words[SendWqe.OPCODE] = random.pick(Object.values(WrOpcode));
    words[SendWqe.FLAGS] = random.below(256) | (random.below(3) << 8);
    words[SendWqe.RKEY] = random.pick(keys);
    words[SendWqe.REMOTE_ADDR_LO] = random.pick(keys);
    for (let sge = SendWqe.SGE; sge < WQE_WORDS; sge += 4) {
      words[sge] = random.pick(keys);
      words[sge + 2] = random.pick([0, 1, 64, 4096, 65536, -1]);
      words[sge + 3] = random.pick(keys);
    }
    return words;
  }
});
