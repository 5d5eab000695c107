import { main } from '../cli/run-tool.ts';
import { devinfoCommand } from '../devinfo/command.ts';

void main(devinfoCommand());
