import { expect } from 'chai';
import { formatDeviceInfo, formatDeviceList, formatDevices } from '../src/index.ts';
import { sampleDevice } from './sample-device.ts';

// What the C tools print for these values.
const BRIEF = [
  'hca_id:\temulated0',
  '\ttransport:\t\t\tInfiniBand (0)',
  '\tfw_ver:\t\t\t\t0.1.0',
  '\tnode_guid:\t\t\t0200:00ff:fe00:0001',
  '\tsys_image_guid:\t\t\t0102:0304:0506:0708',
  '\tvendor_id:\t\t\t0x02c9',
  '\tvendor_part_id:\t\t\t25204',
  '\thw_ver:\t\t\t\t0xA0',
  '\tphys_port_cnt:\t\t\t2',
  '\t\tport:\t1',
  '\t\t\tstate:\t\t\tPORT_ACTIVE (4)',
  '\t\t\tmax_mtu:\t\t4096 (5)',
  '\t\t\tactive_mtu:\t\t1024 (3)',
  '\t\t\tsm_lid:\t\t\t0',
  '\t\t\tport_lid:\t\t0',
  '\t\t\tport_lmc:\t\t0x00',
  '\t\t\tlink_layer:\t\tEthernet',
  '',
  '\t\tport:\t2',
  '\t\t\tstate:\t\t\tPORT_DOWN (1)',
  '\t\t\tmax_mtu:\t\t4096 (5)',
  '\t\t\tactive_mtu:\t\t256 (1)',
  '\t\t\tsm_lid:\t\t\t1',
  '\t\t\tport_lid:\t\t3',
  '\t\t\tport_lmc:\t\t0x02',
  '\t\t\tlink_layer:\t\tInfiniBand',
  '',
];

const VERBOSE = [
  'hca_id:\temulated0',
  '\ttransport:\t\t\tInfiniBand (0)',
  '\tfw_ver:\t\t\t\t0.1.0',
  '\tnode_guid:\t\t\t0200:00ff:fe00:0001',
  '\tsys_image_guid:\t\t\t0102:0304:0506:0708',
  '\tvendor_id:\t\t\t0x02c9',
  '\tvendor_part_id:\t\t\t25204',
  '\thw_ver:\t\t\t\t0xA0',
  '\tphys_port_cnt:\t\t\t2',
  '\tmax_mr_size:\t\t\t0x100000000',
  '\tpage_size_cap:\t\t\t0xfffff000',
  '\tmax_qp:\t\t\t\t65536',
  '\tmax_qp_wr:\t\t\t16384',
  '\tdevice_cap_flags:\t\t0x88001c01',
  '\t\t\t\t\tRESIZE_MAX_WR',
  '\t\t\t\t\tPORT_ACTIVE_EVENT',
  '\t\t\t\t\tSYS_IMAGE_GUID',
  '\t\t\t\t\tRC_RNR_NAK_GEN',
  '\t\t\t\t\tUnknown flags: 0x88000000',
  '\tmax_sge:\t\t\t32',
  '\tmax_sge_rd:\t\t\t31',
  '\tmax_cq:\t\t\t\t1024',
  '\tmax_cqe:\t\t\t32767',
  '\tmax_mr:\t\t\t\t262144',
  '\tmax_pd:\t\t\t\t4096',
  '\tmax_qp_rd_atom:\t\t\t128',
  '\tmax_ee_rd_atom:\t\t\t1',
  '\tmax_res_rd_atom:\t\t258048',
  '\tmax_qp_init_rd_atom:\t\t127',
  '\tmax_ee_init_rd_atom:\t\t2',
  '\tatomic_cap:\t\t\tATOMIC_HCA (1)',
  '\tmax_ee:\t\t\t\t3',
  '\tmax_rdd:\t\t\t4',
  '\tmax_mw:\t\t\t\t5',
  '\tmax_raw_ipv6_qp:\t\t6',
  '\tmax_raw_ethy_qp:\t\t7',
  '\tmax_mcast_grp:\t\t\t8192',
  '\tmax_mcast_qp_attach:\t\t56',
  '\tmax_total_mcast_qp_attach:\t458752',
  '\tmax_ah:\t\t\t\t100',
  '\tmax_fmr:\t\t\t9',
  '\tmax_map_per_fmr:\t\t10',
  '\tmax_srq:\t\t\t960',
  '\tmax_srq_wr:\t\t\t16384',
  '\tmax_srq_sge:\t\t\t27',
  '\tmax_pkeys:\t\t\t64',
  '\tlocal_ca_ack_delay:\t\t15',
  '\tgeneral_odp_caps:',
  '\trc_odp_caps:',
  '\t\t\t\t\tNO SUPPORT',
  '\tuc_odp_caps:',
  '\t\t\t\t\tNO SUPPORT',
  '\tud_odp_caps:',
  '\t\t\t\t\tNO SUPPORT',
  '\txrc_odp_caps:',
  '\t\t\t\t\tNO SUPPORT',
  '\tcompletion_timestamp_mask not supported',
  '\tcore clock not supported',
  '\tdevice_cap_flags_ex:\t\t0x88001C01',
  '\ttso_caps:',
  '\t\tmax_tso:\t\t\t0',
  '\trss_caps:',
  '\t\tmax_rwq_indirection_tables:\t\t\t0',
  '\t\tmax_rwq_indirection_table_size:\t\t\t0',
  '\t\trx_hash_function:\t\t\t\t0x0',
  '\t\trx_hash_fields_mask:\t\t\t\t0x0',
  '\tmax_wq_type_rq:\t\t\t0',
  '\tpacket_pacing_caps:',
  '\t\tqp_rate_limit_min:\t0kbps',
  '\t\tqp_rate_limit_max:\t0kbps',
  '\ttag matching not supported',
  '\tnum_comp_vectors:\t\t1',
  '\t\tport:\t1',
  '\t\t\tstate:\t\t\tPORT_ACTIVE (4)',
  '\t\t\tmax_mtu:\t\t4096 (5)',
  '\t\t\tactive_mtu:\t\t1024 (3)',
  '\t\t\tsm_lid:\t\t\t0',
  '\t\t\tport_lid:\t\t0',
  '\t\t\tport_lmc:\t\t0x00',
  '\t\t\tlink_layer:\t\tEthernet',
  '\t\t\tmax_msg_sz:\t\t0x40000000',
  '\t\t\tport_cap_flags:\t\t0x00010000',
  '\t\t\tport_cap_flags2:\t0x0020',
  '\t\t\tmax_vl_num:\t\t1 (1)',
  '\t\t\tbad_pkey_cntr:\t\t0x11',
  '\t\t\tqkey_viol_cntr:\t\t0x12',
  '\t\t\tsm_sl:\t\t\t4',
  '\t\t\tpkey_tbl_len:\t\t1',
  '\t\t\tgid_tbl_len:\t\t4',
  '\t\t\tsubnet_timeout:\t\t5',
  '\t\t\tinit_type_reply:\t6',
  '\t\t\tactive_width:\t\t1X (1)',
  '\t\t\tactive_speed:\t\t25.0 Gbps (32)',
  '\t\t\tphys_state:\t\tLINK_UP (5)',
  '\t\t\tGID[  0]:\t\tfe80::200:ff:fe00:1, RoCE v2',
  '\t\t\tGID[  1]:\t\t0000:0000:0000:0000:0000:ffff:c0a8:0007, RoCE v1',
  '\t\t\tGID[  2]:\t\t::ffff:192.168.0.7, RoCE v2',
  '',
  '\t\tport:\t2',
  '\t\t\tstate:\t\t\tPORT_DOWN (1)',
  '\t\t\tmax_mtu:\t\t4096 (5)',
  '\t\t\tactive_mtu:\t\t256 (1)',
  '\t\t\tsm_lid:\t\t\t1',
  '\t\t\tport_lid:\t\t3',
  '\t\t\tport_lmc:\t\t0x02',
  '\t\t\tlink_layer:\t\tInfiniBand',
  '\t\t\tmax_msg_sz:\t\t0x40000000',
  '\t\t\tport_cap_flags:\t\t0x00010000',
  '\t\t\tport_cap_flags2:\t0x0020',
  '\t\t\tmax_vl_num:\t\t1 (1)',
  '\t\t\tbad_pkey_cntr:\t\t0x11',
  '\t\t\tqkey_viol_cntr:\t\t0x12',
  '\t\t\tsm_sl:\t\t\t4',
  '\t\t\tpkey_tbl_len:\t\t1',
  '\t\t\tgid_tbl_len:\t\t4',
  '\t\t\tsubnet_timeout:\t\t5',
  '\t\t\tinit_type_reply:\t6',
  '\t\t\tactive_width:\t\t4X (2)',
  '\t\t\tactive_speed:\t\tinvalid speed (3)',
  '\t\t\tphys_state:\t\tDISABLED (3)',
  '\t\t\tGID[  0]:\t\tfe80:0000:0000:0000:0200:00ff:fe00:0001',
  '',
];

const text = (lines: readonly string[]): string => lines.map((line) => `${line}\n`).join('');

describe('the formats of rdma-core', () => {
  it('ibv_devinfo', () => {
    expect(formatDeviceInfo(sampleDevice)).to.equal(text(BRIEF));
  });

  it('ibv_devinfo -v', () => {
    expect(formatDeviceInfo(sampleDevice, true)).to.equal(text(VERBOSE));
  });

  it('ibv_devinfo leaves out what a device does not have', () => {
    const attr = { ...sampleDevice.attr, fwVer: '', maxFmr: 0, maxSrq: 0 };
    const gone = /fw_ver|max_map_per_fmr|max_srq_/;
    const expected = VERBOSE.filter((line) => !gone.test(line)).map((line) =>
      line.replace(/(max_fmr|max_srq)(:\t+)\d+/, '$1$20'),
    );
    expect(formatDeviceInfo({ ...sampleDevice, attr }, true)).to.equal(text(expected));
  });

  it('ibv_devinfo -l', () => {
    expect(formatDeviceList(['emulated0'])).to.equal('1 HCA found:\n\temulated0\n\n');
    expect(formatDeviceList(['emulated0', 'emulated1'])).to.equal('2 HCAs found:\n\temulated0\n\temulated1\n\n');
    expect(formatDeviceList([])).to.equal('0 HCAs found:\n\n');
  });

  it('ibv_devices', () => {
    const devices = [
      { name: 'emulated0', guid: 0x0200_00ff_fe00_0001n },
      { name: 'a-name-longer-than-16', guid: 0xffff_ffff_ffff_ffffn },
    ];
    expect(formatDevices(devices)).to.equal(
      '    device          \t   node GUID\n' +
        '    ------          \t----------------\n' +
        '    emulated0       \t020000fffe000001\n' +
        '    a-name-longer-than-16\tffffffffffffffff\n',
    );
  });
});
