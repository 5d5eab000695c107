import { main } from '../cli/run-tool.ts';
import { srqPingpongCommand } from '../pingpong/srq-pingpong.ts';

void main(srqPingpongCommand());
