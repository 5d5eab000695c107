import { main } from '../cli/run-tool.ts';
import { xentopCommand } from '../xentop/command.ts';

void main(xentopCommand());
