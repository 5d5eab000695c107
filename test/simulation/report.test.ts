import { expect } from 'chai';
import { claims, PROGRAMS_COVERING, UNDRAWN, undriven } from './claims.ts';
import { generate } from './generate.ts';
import { operates } from './operations.ts';
import { reportTotals } from './report.ts';
import { simulate } from './simulate.ts';
import { addTotals, emptyTotals, type Totals } from './totals.ts';
import { emptyRow } from './traffic.ts';

const PROGRAMS = Array.from({ length: PROGRAMS_COVERING }, (_, n) => generate(n + 1));

/** Totals in which all that is claimed was done. */
function complete(): Totals {
  const totals = emptyTotals();
  for (const name of claims()) totals.traffic[name] = { ...emptyRow(), operations: 2, requests: 3, answers: 1 };
  return totals;
}

describe('the programs of the simulation', () => {
  it(`draw all that the devices claim within ${PROGRAMS_COVERING} seeds, on every transport`, () => {
    const drawn = new Set<string>();
    for (const { connections, steps } of PROGRAMS) {
      for (const step of steps) {
        if (step.do === 'datagram') drawn.add(`UD ${operates(step.opcode).name}`);
        else if (step.do === 'post') {
          drawn.add(`${connections[step.connection].transport} ${operates(step.opcode).name}`);
        }
      }
    }
    expect([...drawn].toSorted()).to.deep.equal(claims().toSorted());
  });

  it('draw what goes beside operations: errors, drains, paths, networks cut in two, and every mistake', () => {
    const kinds = new Set(PROGRAMS.flatMap(({ steps }) => steps.map((step) => step.do)));
    for (const kind of ['post', 'datagram', 'error', 'destroy', 'drain', 'migrate', 'cut'] as const) {
      expect(kinds.has(kind), kind).to.equal(true);
    }
    const mistakes = new Set(
      PROGRAMS.flatMap(({ steps }) => steps.map((step) => ('mistake' in step ? step.mistake : null))),
    );
    for (const mistake of [
      'rkey',
      'range',
      'access',
      'lkey',
      'short',
      'recvKey',
      'unaligned',
      'window',
      'srqn',
      'qkey',
      'qpn',
      'long',
    ] as const) {
      expect(mistakes.has(mistake), mistake).to.equal(true);
    }
  });

  it('have networks that are bad now and then, and some that lose up to a tenth all the time', () => {
    const lossy = PROGRAMS.filter(({ packets }) => packets).map(({ weather }) => weather);
    const steady = lossy.filter((weather) => weather.steady === true);
    expect(steady.length / lossy.length).to.be.within(0.05, 0.3);
    for (const { drop, corrupt } of steady) {
      expect(drop).to.be.above(0);
      expect(drop + corrupt).to.be.at.most(0.1 + Number.EPSILON);
    }
    expect(Math.max(...steady.map(({ drop }) => drop))).to.be.above(0.08);
    for (const fault of ['drop', 'duplicate', 'reorder', 'corrupt', 'delay'] as const) {
      expect(lossy.filter((weather) => weather[fault] > 0 && weather.steady === undefined).length, fault).to.be.above(
        20,
      );
    }
  });

  it('lose packets from the beginning to the end where the network does', () => {
    const program = PROGRAMS.find(
      ({ weather, steps }) => weather.steady === true && weather.drop > 0.05 && steps.length > 40,
    )!;
    const { failure, totals } = simulate(program);
    expect(failure).to.equal(null);
    const { sent, dropped } = totals.faults;
    expect(dropped / sent).to.be.closeTo(program.weather.drop, 4 * Math.sqrt(program.weather.drop / sent));
  });
});

describe('the acknowledges of the simulation', () => {
  it('tell of credits, of none, of queues that are not counted, and of what was refused', () => {
    const totals = emptyTotals();
    for (const program of PROGRAMS.filter(({ packets }) => packets).slice(0, 12))
      addTotals(totals, simulate(program).totals);
    for (const kind of ['credits', 'no credits', 'credits not counted', 'RNR NAK', 'NAK']) {
      expect(totals.acknowledges[kind], kind).to.be.above(0);
    }
  });
});

describe('the report of the simulation', () => {
  it('names what was claimed and not done', () => {
    expect(undriven(complete())).to.deep.equal([]);
    expect(undriven(emptyTotals())).to.deep.equal(claims());
    for (const name of ['RC FLUSH', 'UC SEND', 'UD SEND_WITH_IMM', 'XRC ATOMIC_WRITE', 'RC BIND_MW']) {
      const { [name]: gone, ...traffic } = complete().traffic;
      expect(gone).to.not.equal(undefined);
      expect(undriven({ traffic })).to.deep.equal([name]);
    }
    const unsent = complete();
    unsent.traffic['RC RDMA_READ'].requests = unsent.traffic['RC LOCAL_INV'].requests = 0;
    expect(undriven(unsent), 'what is done without a packet sends none').to.deep.equal(['RC RDMA_READ']);
  });

  it('has an exception for nothing that is not claimed', () => {
    for (const name of Object.keys(UNDRAWN)) expect(claims()).to.not.include(name);
  });

  it('says what was driven, by opcode, and the sums', () => {
    const totals = emptyTotals();
    const { totals: one } = simulate(PROGRAMS.find(({ packets, weather }) => packets && weather.drop > 0)!);
    addTotals(totals, one);
    addTotals(totals, one);
    const lines = reportTotals(totals).split('\n');
    expect(lines[0]).to.equal('programs     2');
    expect(lines[1]).to.equal(
      `packets      ${totals.counters['sent_pkts']} request packets sent, ${totals.counters['retransmitted_pkts']} of them again; ` +
        `${totals.counters['rcvd_pkts']} packets received`,
    );
    for (const [name, count] of Object.entries(totals.faults))
      if (count > 0) expect(lines[2]).to.include(`${name} ${count}`);
    const head = lines.findIndex((line) => line.startsWith('by opcode'));
    const columns = lines[head].slice('by opcode'.length).trim().split(/ +/);
    expect(columns).to.deep.equal(Object.keys(emptyRow()));
    const rows = lines.slice(head + 1);
    expect(rows.map((row) => row.replace(/ +\d.*$/, ''))).to.deep.equal(Object.keys(totals.traffic).toSorted());
    for (const row of rows) {
      const [name, ...cells] = row.split(/ {2,}/);
      const { [name]: traffic } = totals.traffic;
      expect(cells.map(Number), name).to.deep.equal(Object.values(traffic));
    }
  });

  it('says none where there was nothing', () => {
    const text = reportTotals(emptyTotals());
    expect(text)
      .to.match(/^programs {5}0\n/)
      .and.include('faults       none')
      .and.include('completions  none');
  });
});
