import { main } from '../cli/run-tool.ts';
import { devicesCommand } from '../devices/command.ts';

void main(devicesCommand());
