/** Which opcodes a send queue executes, by its transport, whether messages travel as descriptors or as packets. */
import { expect } from 'chai';
import { CqeSyndrome, SendWqe, VendorErr } from '@openverbs/verbs/rings';
import { Qpc, QpcState, QpcType } from '../src/layout.ts';
import { Opcode } from '../src/opcode.ts';
import { audit } from './support/audit.ts';
import type { Region } from './support/region.ts';
import type { Cqe } from './support/test-cq.ts';
import type { SendSpec, TestQp } from './support/test-qp.ts';
import { Testbed } from './support/testbed.ts';

const { RC, UC, UD, XRC_SEND, XRC_RECV } = QpcType;
const QKEY = 77;
const {
  RDMA_WRITE,
  RDMA_WRITE_WITH_IMM,
  SEND,
  SEND_WITH_IMM,
  RDMA_READ,
  ATOMIC_CMP_AND_SWP,
  ATOMIC_FETCH_AND_ADD,
  LOCAL_INV,
  BIND_MW,
  SEND_WITH_INV,
  FLUSH,
  ATOMIC_WRITE,
} = Opcode;

const CONNECTED = [RDMA_WRITE, RDMA_WRITE_WITH_IMM, SEND, SEND_WITH_IMM];
const RESPONDED = [RDMA_READ, ATOMIC_CMP_AND_SWP, ATOMIC_FETCH_AND_ADD];

/** The opcodes of each transport, and where a bad WQE leads its QP (IBTA 10.3.1, table 59). */
const TRANSPORTS: readonly {
  readonly name: string;
  readonly type: number;
  readonly opcodes: readonly number[];
  readonly failed: number;
}[] = [
  {
    name: 'RC',
    type: RC,
    opcodes: [...CONNECTED, ...RESPONDED, LOCAL_INV, BIND_MW, SEND_WITH_INV, FLUSH, ATOMIC_WRITE],
    failed: QpcState.ERR,
  },
  { name: 'XRC', type: XRC_SEND, opcodes: [...CONNECTED, ...RESPONDED, FLUSH, ATOMIC_WRITE], failed: QpcState.ERR },
  { name: 'UC', type: UC, opcodes: [...CONNECTED, LOCAL_INV, BIND_MW], failed: QpcState.SQE },
  { name: 'UD', type: UD, opcodes: [SEND, SEND_WITH_IMM], failed: QpcState.SQE },
];

/** All that a byte could name, those of work requests that are none of a queue included, and what is no byte. */
const OPCODES = [
  ...Array.from({ length: 33 }, (_, opcode) => opcode),
  100,
  255,
  256,
  0x10002,
  -1,
  -(2 ** 31),
  2 ** 31 - 1,
];
/** Without SGEs. */
const EMPTY: readonly number[] = [LOCAL_INV, BIND_MW, FLUSH];

interface World {
  readonly bed: Testbed;
  readonly here: Region;
  readonly there: Region;
}

function makeWorld(packets: boolean): World {
  const bed = packets ? Testbed.withPackets() : new Testbed();
  const here = bed.region(64);
  const there = bed.region(64);
  here.fill(1);
  there.fill(2);
  return { bed, here, there };
}

/** A sender of the transport with two WQEs, the first of this opcode. */
function post(
  { bed, here, there }: World,
  type: number,
  opcode: number,
): { readonly qp: TestQp; readonly cqes: Cqe[] } {
  const words: Record<number, number> = {};
  let qp: TestQp;
  if (type === UD) {
    const datagrams = new Map([
      [Qpc.PORT, 1],
      [Qpc.QKEY, QKEY],
    ]);
    const pair = [bed.qp({ type }), bed.qp({ type })];
    for (const each of pair) {
      bed.modify(each, QpcState.INIT, datagrams);
      bed.modify(each, QpcState.RTR);
      bed.modify(each, QpcState.RTS, new Map([[Qpc.SQ_PSN, 0]]));
    }
    [qp] = pair;
    words[SendWqe.RKEY] = QKEY;
    words[SendWqe.REMOTE_ADDR_LO] = bed.ah();
    words[SendWqe.REMOTE_ADDR_HI] = pair[1].number;
    pair[1].recv([there.sge()]);
  } else if (type === XRC_SEND) {
    const xrcdn = bed.commands.xrcds.open({ uar: bed.uar, create: true, exclusive: false });
    const srq = bed.srq({ xrc: { xrcdn, cqn: bed.cq().number } });
    qp = bed.qp({ type });
    bed.connect(qp, bed.qp({ type: XRC_RECV, xrcdn }));
    words[SendWqe.REMOTE_SRQN] = srq.number;
    srq.recv([there.sge()]);
  } else {
    const [near, far] = bed.pair({ type });
    qp = near;
    far.recv([there.sge()]);
  }
  const sges = EMPTY.includes(opcode) ? [] : [here.sge(0, 8)];
  const spec: SendSpec = { opcode, sges, imm: 1, compareAdd: 1n, swap: 2n, words };
  qp.writeSend(type === UD ? spec : { ...spec, ...there.at() });
  qp.writeSend({ opcode: SEND, sges: [], words });
  qp.ring();
  bed.advance(1e6);
  return { qp, cqes: qp.sendCq.poll() };
}

/** What is the same on both ways: not the numbers of objects, nor why the peer refused, since a NAK does not say that. */
function outcome({ syndrome, vendorErr, faultAddr, opcode, index }: Cqe): unknown {
  const isOurs = syndrome !== CqeSyndrome.REMOTE_ACCESS_ERR;
  return { syndrome, opcode, index, ...(isOurs ? { vendorErr, faultAddr } : {}) };
}

describe('the opcodes of a transport', () => {
  for (const { name, type, opcodes, failed } of TRANSPORTS) {
    for (const packets of [false, true]) {
      it(`${name} executes what it has, and refuses all else${packets ? ', as packets' : ''}`, () => {
        const world = makeWorld(packets);
        for (const opcode of OPCODES) {
          const { qp, cqes } = post(world, type, opcode);
          const [first] = cqes;
          if (opcodes.includes(opcode)) {
            // Nothing is bound and no key is valid: that is what these come to where they are executed.
            const isLocal = opcode === LOCAL_INV || opcode === BIND_MW;
            const needsKey = opcode === SEND_WITH_INV;
            let expected: number = isLocal ? CqeSyndrome.MW_BIND_ERR : CqeSyndrome.SUCCESS;
            if (needsKey) expected = CqeSyndrome.REMOTE_ACCESS_ERR;
            expect(first.syndrome, `opcode ${opcode}`).to.equal(expected);
            continue;
          }
          const memory = [world.here.read(), world.there.read()];
          expect(cqes.map(outcome), `opcode ${opcode}`).to.deep.equal([
            {
              syndrome: CqeSyndrome.LOCAL_QP_OP_ERR,
              vendorErr: VendorErr.BAD_OPCODE,
              faultAddr: BigInt(opcode >>> 0),
              opcode: first.opcode,
              index: 0,
            },
            { syndrome: CqeSyndrome.WR_FLUSH_ERR, vendorErr: VendorErr.FLUSHED, faultAddr: 0n, opcode: 0, index: 1 },
          ]);
          expect(qp.state, `opcode ${opcode}`).to.equal(failed);
          expect([world.here.read(), world.there.read()]).to.deep.equal(memory);
        }
        audit(world.bed);
      });
    }

    it(`${name} says the same of each on both ways`, () => {
      const worlds = [makeWorld(false), makeWorld(true)];
      for (const opcode of OPCODES) {
        const [message, packet] = worlds.map((world) => post(world, type, opcode));
        expect(packet.cqes.map(outcome), `opcode ${opcode}`).to.deep.equal(message.cqes.map(outcome));
        expect(packet.qp.state).to.equal(message.qp.state);
      }
    });
  }
});
