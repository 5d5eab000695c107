import { main } from '../cli/run-tool.ts';
import { xsrqPingpongCommand } from '../pingpong/xsrq-pingpong.ts';

void main(xsrqPingpongCommand());
