/**
 * The words that `ibv_devinfo` prints for numbers (rdma-core, libibverbs/examples/devinfo.c). They differ from those of
 * `ibv_*_str`, and some are odd; scripts depend on them, so they are kept to the letter.
 */
import { AtomicCap, LinkLayer, Mtu, PortState, TransportType } from '@openverbs/verbs';

/** A table from number to word, and the word for a number that it lacks. */
type Names = readonly [Readonly<Record<number, string>>, string];

const TRANSPORT: Names = [
  {
    [TransportType.IB]: 'InfiniBand',
    [TransportType.IWARP]: 'iWARP',
    [TransportType.USNIC]: 'usNIC',
    [TransportType.USNIC_UDP]: 'usNIC UDP',
    [TransportType.UNSPECIFIED]: 'unspecified',
  },
  'invalid transport',
];

const PORT_STATE: Names = [
  {
    [PortState.DOWN]: 'PORT_DOWN',
    [PortState.INIT]: 'PORT_INIT',
    [PortState.ARMED]: 'PORT_ARMED',
    [PortState.ACTIVE]: 'PORT_ACTIVE',
  },
  'invalid state',
];

/** The spelling of 4 is rdma-core's. */
const PHYS_STATE: Names = [
  {
    1: 'SLEEP',
    2: 'POLLING',
    3: 'DISABLED',
    4: 'PORT_CONFIGURATION TRAINNING',
    5: 'LINK_UP',
    6: 'LINK_ERROR_RECOVERY',
    7: 'PHY TEST',
  },
  'invalid physical state',
];

const ATOMIC_CAP: Names = [
  { [AtomicCap.NONE]: 'ATOMIC_NONE', [AtomicCap.HCA]: 'ATOMIC_HCA', [AtomicCap.GLOB]: 'ATOMIC_GLOB' },
  'invalid atomic capability',
];

const MTU: Names = [
  {
    [Mtu.MTU_256]: '256',
    [Mtu.MTU_512]: '512',
    [Mtu.MTU_1024]: '1024',
    [Mtu.MTU_2048]: '2048',
    [Mtu.MTU_4096]: '4096',
  },
  'invalid MTU',
];

const LINK_LAYER: Names = [
  {
    [LinkLayer.UNSPECIFIED]: 'Unspecified',
    [LinkLayer.INFINIBAND]: 'InfiniBand',
    [LinkLayer.ETHERNET]: 'Ethernet',
  },
  'Unknown',
];

const WIDTH: Names = [{ 1: '1', 2: '4', 4: '8', 8: '12', 16: '2' }, 'invalid width'];

const SPEED: Names = [
  {
    1: '2.5 Gbps',
    2: '5.0 Gbps',
    4: '10.0 Gbps',
    8: '10.0 Gbps',
    16: '14.0 Gbps',
    32: '25.0 Gbps',
    64: '50.0 Gbps',
    128: '100.0 Gbps',
    256: '200.0 Gbps',
  },
  'invalid speed',
];

const VIRTUAL_LANES: Names = [{ 1: '1', 2: '2', 3: '4', 4: '8', 5: '15' }, 'invalid value'];

export const transportName = (value: number): string => nameOf(TRANSPORT, value);
export const portStateName = (value: number): string => nameOf(PORT_STATE, value);
export const physStateName = (value: number): string => nameOf(PHYS_STATE, value);
export const atomicCapName = (value: number): string => nameOf(ATOMIC_CAP, value);
export const mtuName = (value: number): string => nameOf(MTU, value);
export const linkLayerName = (value: number): string => nameOf(LINK_LAYER, value);
export const widthName = (value: number): string => nameOf(WIDTH, value);
export const speedName = (value: number): string => nameOf(SPEED, value);
export const virtualLanesName = (value: number): string => nameOf(VIRTUAL_LANES, value);

/** `0x` and at least `digits` hexadecimal digits. */
export function hex(value: number | bigint, digits = 1): string {
  return `0x${value.toString(16).padStart(digits, '0')}`;
}

function nameOf([names, unknown]: Names, value: number): string {
  return names[value] ?? unknown;
}
