import { main } from '../cli/run-tool.ts';
import { rcPingpongCommand } from '../rc-pingpong/command.ts';

void main(rcPingpongCommand());
