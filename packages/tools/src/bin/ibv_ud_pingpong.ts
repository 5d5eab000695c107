import { main } from '../cli/run-tool.ts';
import { udPingpongCommand } from '../pingpong/ud-pingpong.ts';

void main(udPingpongCommand());
