import { main } from '../cli/run-tool.ts';
import { ucPingpongCommand } from '../pingpong/uc-pingpong.ts';

void main(ucPingpongCommand());
