import { expect } from 'chai';
import { devicesCommand } from '../src/devices/command.ts';
import { devinfoCommand } from '../src/devinfo/command.ts';
import { run } from './run.ts';

const devices = (line?: string) => run((io) => devicesCommand('ibv_devices', io), line);
const devinfo = (line?: string) => run((io) => devinfoCommand('ibv_devinfo', io), line);

describe('ibv_devices', () => {
  it('lists the emulated device', async () => {
    const { status, out, err } = await devices();
    expect(out).to.match(/^ {4}device {10}\t {3}node GUID\n {4}-{6} {10}\t-{16}\n {4}emulated0 {7}\t[\da-f]{16}\n$/);
    expect([status, err]).to.deep.equal([0, '']);
  });

  it('--json', async () => {
    const { out } = await devices('--json --provider emulated');
    const parsed = JSON.parse(out) as { devices: { name: string; provider: string; guid: string }[] };
    expect(parsed.devices[0]).to.include({ name: 'emulated0', provider: 'emulated' });
    expect(parsed.devices[0].guid).to.match(/^[\da-f]{4}(:[\da-f]{4}){3}$/);
  });

  it('names a provider that does not exist', async () => {
    const { status, out, err } = await devices('--provider emulatd');
    expect([status, out]).to.deep.equal([1, '']);
    expect(err).to.match(/^ibv_devices: .*emulatd.*\nhint: .+\n$/);
  });
});

describe('ibv_devinfo', () => {
  it('prints the device', async () => {
    const { status, out, err } = await devinfo();
    expect(out).to.match(/^hca_id:\temulated0\n\ttransport:\t\t\tInfiniBand \(0\)\n/);
    expect(out).to.match(/\n\t\tport:\t1\n\t\t\tstate:\t\t\tPORT_ACTIVE \(4\)\n[^]*\n\n$/);
    expect([status, err]).to.deep.equal([0, '']);
  });

  it('-v adds attributes and GIDs', async () => {
    const { out } = await devinfo('-v -d emulated0 -i 1');
    expect(out).to.match(/\n\tmax_qp:\t\t\t\t[1-9]\d*\n/);
    expect(out).to.match(/\n\t\t\tGID\[ {2}0\]:\t\t\S+, RoCE v2\n/);
  });

  it('-l', async () => {
    expect((await devinfo('-l')).out).to.match(/^\d+ HCAs? found:\n\temulated0\n/);
  });

  it('--json has the words beside the numbers', async () => {
    const { out } = await devinfo('--json');
    const { devices: all } = JSON.parse(out) as { devices: { attr: object; ports: Record<string, unknown>[] }[] };
    expect(all[0].attr).to.have.property('maxQp').that.is.a('number');
    expect(all[0].ports[0]).to.include({ port: 1, stateName: 'PORT_ACTIVE', linkLayerName: 'Ethernet' });
    expect(all[0].ports[0].gids).to.be.an('array').that.is.not.empty;
  });

  it('-l --json', async () => {
    expect(JSON.parse((await devinfo('-l --json')).out)).to.deep.equal({ devices: ['emulated0'] });
  });

  it('names the devices that there are when one is not there', async () => {
    const { status, out, err } = await devinfo('-d emulatd0');
    expect([status, out]).to.deep.equal([1, '']);
    expect(err).to.match(/^ibv_devinfo: .*emulatd0.*\nhint: .*emulated0.*\n$/);
  });

  it('knows the ports of a device', async () => {
    const { status, err } = await devinfo('-i 9');
    expect(status).to.equal(1);
    expect(err).to.equal('ibv_devinfo: ibv_query_port: emulated0 has no port 9\nhint: it has port 1 only\n');
  });
});
