import { main } from '../cli/run-tool.ts';
import { openverbsCommand } from '../openverbs-command.ts';

void main(openverbsCommand());
