import { main } from '../cli/run-tool.ts';
import { rcPingpongCommand } from '../pingpong/rc-pingpong.ts';

void main(rcPingpongCommand());
