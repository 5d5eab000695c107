/** Whether the devices do what devices are for: an RDMA WRITE from one queue pair to another, on each of them. */
import {
  AccessFlags,
  type Device,
  QpType,
  SendFlags,
  VerbsError,
  WcStatus,
  WorkCompletion,
  WrOpcode,
  connectPair,
} from '@openverbs/verbs';
import type { ProviderFinding } from '@openverbs/verbs/driver';
import { openFor } from '../cli/open.ts';
import { fine, wrong } from './finding.ts';

const LENGTH = 4096;
const COMPLETION_MS_MAX = 2_000;

/** Opens the provider as every program does, with its configuration. */
export function runSelfTest(options: { readonly provider?: string | undefined }): ProviderFinding[] {
  try {
    using verbs = openFor(options);
    if (verbs.devices.length === 0) return [wrong('devices', 'there is none', 'see what the provider says above')];
    return verbs.devices.map(testDevice);
  } catch (error) {
    return [failure('devices', error)];
  }
}

function testDevice(device: Device): ProviderFinding {
  try {
    if (!device.supports('rc') || !device.supports('rdmaWrite'))
      return fine(device.name, 'opens; it has no RDMA WRITE');
    writeAndCompare(device);
    return fine(device.name, `RDMA WRITE of ${LENGTH} bytes arrived`);
  } catch (error) {
    return failure(device.name, error);
  }
}

function writeAndCompare(device: Device): void {
  using context = device.open();
  const pd = context.allocPd();
  const cq = context.createCq({ cqe: 4 });
  const init = { qpType: QpType.RC, sendCq: cq, recvCq: cq, cap: { maxSendWr: 1, maxRecvWr: 1 } };
  const near = pd.createQp(init);
  const far = pd.createQp(init);
  connectPair(near, far);
  const source = pd.regMr(context.allocBuf(LENGTH), AccessFlags.LOCAL_WRITE);
  const target = pd.regMr(context.allocBuf(LENGTH), AccessFlags.LOCAL_WRITE | AccessFlags.REMOTE_WRITE);
  for (let i = 0; i < LENGTH; i++) source.bytes[i] = i * 7;
  near.postSend({
    opcode: WrOpcode.RDMA_WRITE,
    sendFlags: SendFlags.SIGNALED,
    sgList: [source.sge()],
    remoteAddr: target.addr,
    rkey: target.rkey,
  });
  const completions = WorkCompletion.array(1);
  const deadline = performance.now() + COMPLETION_MS_MAX;
  while (cq.poll(completions) === 0) {
    if (performance.now() > deadline) throw new Error(`no completion within ${COMPLETION_MS_MAX} ms`);
  }
  if (completions[0].status !== WcStatus.SUCCESS) throw new Error(completions[0].explain());
  if (Buffer.compare(source.bytes, target.bytes) !== 0) throw new Error('the bytes that arrived are not those sent');
}

function failure(check: string, error: unknown): ProviderFinding {
  const found = error instanceof Error ? error.message : String(error);
  const cure = VerbsError.is(error) && error.hint ? error.hint : 'this is a fault of the provider: please report it';
  return wrong(check, found, cure);
}
