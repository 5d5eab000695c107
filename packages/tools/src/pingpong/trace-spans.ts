/** From messages of the diagnostics channels to spans of time on layers. */
import type { PacketMessage, PollMessage, PostMessage, XenMessage } from '@openverbs/verbs';

/** Threads of the trace, from the top. */
export const LAYERS = ['application', 'front-end', 'ring', 'back-end', 'HCA'] as const;
export type Layer = (typeof LAYERS)[number];

/** A message, and the channel that it came from. */
export type TracedMessage =
  | { readonly kind: 'post'; readonly message: PostMessage }
  | { readonly kind: 'poll'; readonly message: PollMessage }
  | { readonly kind: 'xen'; readonly message: XenMessage }
  | { readonly kind: 'packet'; readonly message: PacketMessage };

/** Something that took time. */
export interface Span {
  readonly layer: Layer;
  readonly name: string;
  readonly beginNs: number;
  readonly endNs: number;
  readonly args: Readonly<Record<string, unknown>>;
}

/** The spans of all messages; `device` is the application's, other devices are those below a back-end. */
export function spansOf(messages: readonly TracedMessage[], device: string): Span[] {
  const answered = new Map<number, XenMessage>();
  return messages.flatMap(({ kind, message }): Span[] => {
    if (kind === 'packet') return [instant('HCA', `${message.direction} frame`, message.atNs, { text: message.text })];
    if (kind === 'xen') return xenSpans(message, answered);
    const layer = message.device === device ? 'application' : 'back-end';
    const name = kind === 'poll' ? 'ibv_poll_cq' : message.queue === 'send' ? 'ibv_post_send' : 'ibv_post_recv';
    return [span(layer, name, message, { device: message.device, object: message.object })];
  });
}

/** A command at one end. The front-end's is told last, so what lies between the two ends is known then: the ring. */
function xenSpans(message: XenMessage, answered: Map<number, XenMessage>): Span[] {
  const { side, command, id, device, atNs, durationNs } = message;
  const args = { id, device };
  if (side === 'back-end') {
    answered.set(id, message);
    return [span('back-end', command, message, args)];
  }
  const back = answered.get(id);
  answered.delete(id);
  const own = span('front-end', command, message, args);
  if (back === undefined) return [own];
  return [
    own,
    { layer: 'ring', name: `${command} request`, beginNs: atNs, endNs: back.atNs, args },
    {
      layer: 'ring',
      name: `${command} response`,
      beginNs: back.atNs + back.durationNs,
      endNs: atNs + durationNs,
      args,
    },
  ];
}

function span(
  layer: Layer,
  name: string,
  { atNs, durationNs }: { readonly atNs: number; readonly durationNs: number },
  args: Span['args'],
): Span {
  return { layer, name, beginNs: atNs, endNs: atNs + durationNs, args };
}

function instant(layer: Layer, name: string, atNs: number, args: Span['args']): Span {
  return { layer, name, beginNs: atNs, endNs: atNs, args };
}
