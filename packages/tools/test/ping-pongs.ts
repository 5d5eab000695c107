/** The ping-pongs in this process, and the tests of a run, for `npm test` and for those that take longer. */
import { expect } from 'chai';
import type { ToolIo } from '../src/cli/io.ts';
import { rcPingpongCommand } from '../src/pingpong/rc-pingpong.ts';
import { type ServiceName } from '../src/pingpong/service.ts';
import { srqPingpongCommand } from '../src/pingpong/srq-pingpong.ts';
import { ucPingpongCommand } from '../src/pingpong/uc-pingpong.ts';
import { udPingpongCommand } from '../src/pingpong/ud-pingpong.ts';
import { xsrqPingpongCommand } from '../src/pingpong/xsrq-pingpong.ts';
import { type ToolRun, run } from './run.ts';

const COMMANDS = {
  RC: rcPingpongCommand,
  UC: ucPingpongCommand,
  UD: udPingpongCommand,
  SRQ: srqPingpongCommand,
  XSRQ: xsrqPingpongCommand,
};
/** The five tools. */
export const SERVICE_NAMES = Object.keys(COMMANDS) as ServiceName[];

/** Of the program. */
export const nameOf = (service: ServiceName): string => `ibv_${service.toLowerCase()}_pingpong`;
/** Runs one of them in this process. */
export const pingpong = (service: ServiceName, line: string): Promise<ToolRun> =>
  run((io: ToolIo) => COMMANDS[service](nameOf(service), io), line);

const address = (separator: string): string =>
  `LID 0x[\\da-f]{4}, QPN 0x[\\da-f]{6}, PSN 0x[\\da-f]{6}${separator} GID [\\da-f:.]+\\n`;
const HEX6 = '[\\da-f]{6}';
const extendedAddress = `LID [\\da-f]{4}, QPN RECV ${HEX6} SEND ${HEX6}, PSN ${HEX6}, SRQN ${HEX6}, GID [\\da-f:.]+\\n`;
const extendedOutput = (clients: number): RegExp =>
  new RegExp(`^( {2}remote: ${extendedAddress} {3}local: ${extendedAddress}){${clients}}success\\n$`);
/** What a run prints: so many bytes both ways, exchanges, and queue pairs. */
const output = (service: ServiceName, bytes: number, iters: number, numQp: number): RegExp =>
  service === 'XSRQ'
    ? extendedOutput(numQp)
    : new RegExp(
        `^( {2}local address: {2}${address(service === 'UD' ? ':' : ',')}){${numQp}}` +
          `( {2}remote address: ${address(',')}){${numQp}}` +
          `${bytes} bytes in \\d+\\.\\d\\d seconds = \\d+\\.\\d\\d Mbit/sec\\n` +
          `${iters} iters in \\d+\\.\\d\\d seconds = \\d+\\.\\d\\d usec/iter\\n$`,
      );

/** Options, and what they ask for. */
export type Run = readonly [options: string, size: number, iters: number, numQp?: number];

/** A test for each run: it ends well, and prints what it has to. */
export function itPlays(service: ServiceName, runs: readonly Run[]): void {
  for (const [options, size, iters, numQp = 1] of runs) {
    it(`--self ${options}`, async () => {
      const { status, out, err } = await pingpong(service, `--self ${options}`);
      expect([status, err]).to.deep.equal([0, '']);
      expect(out).to.match(output(service, size * iters * 2, iters, numQp));
    });
  }
}

/** UC or UD, whose messages are lost. */
export function itGivesUp(service: 'UC' | 'UD', options: string): void {
  it(`${service} ${options} gives up, and says why`, async () => {
    const { status, err } = await pingpong(service, `--self ${options} --drop 0.05 --seed 7 --give-up-ms 200`);
    expect(status).to.equal(1);
    expect(err).to.match(
      new RegExp(
        `^${nameOf(service)}: a message was lost: no completion for 0.2 s \\(QP .*\\d+ sent, .*\\)\n` +
          `hint: ${service} does not send again; RC does, see ibv_rc_pingpong\n$`,
      ),
    );
  });
}

/** UC or UD, whose messages are late, and doubled. */
export function itEndsWell(service: 'UC' | 'UD', options: string): void {
  it(`${service} ${options} ends well if messages come late and twice, but come`, async () => {
    const line = `--self ${options} -n 100 --delay 200 --duplicate 0.3 --seed 7 -s 512 -c`;
    const { status, err } = await pingpong(service, line);
    expect([status, err]).to.deep.equal([0, '']);
  });
}

/** SRQ and XSRQ, which send again what was lost. */
export function itGetsAllAcross(service: 'SRQ' | 'XSRQ', threads: number): void {
  it(`${service} on ${threads} thread(s) gets everything across`, async () => {
    const check = service === 'SRQ' ? '-n 100 -q 4 -c' : '-n 25 -c 4 --chk';
    const line = `--self --threads ${threads} ${check} --drop 0.02 --duplicate 0.05 --seed 7`;
    const { status, out, err } = await pingpong(service, line);
    expect([status, err]).to.deep.equal([0, '']);
    if (service === 'XSRQ') expect(out).to.match(/\nsuccess\n$/);
  });
}
