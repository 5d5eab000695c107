/** A provider for `--provider`: that of the emulated devices, which claims that CQs can be resized, and they cannot. */
import { capabilities } from '../emulated.ts';
import { BEHAVIOURS } from './behaviours.ts';
import { falsified } from './falsified-provider.ts';

export const provider = { ...falsified({ claims: capabilities, change: BEHAVIOURS.resizeCq.deny }), name: 'liar' };
