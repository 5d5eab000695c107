/** What a handler is: it gets a checked request and answers, or throws the error that the guest is told. */
import type { RequestOf, ResponseOf } from '../../protocol/command.ts';
import type { CommandName, Commands } from '../../protocol/commands.ts';
import type { Guest } from '../guest.ts';

/** Handler of a command. */
export type Handler<N extends CommandName> = (
  guest: Guest,
  request: RequestOf<(typeof Commands)[N]>,
) => ResponseOf<(typeof Commands)[N]>;

/** Handlers by command. */
export type Handlers<N extends CommandName = CommandName> = { readonly [K in N]: Handler<K> };

/** Nothing to answer. */
export const DONE = {};
