import type { Domain } from '@openverbs/hypervisor';

/** An object with some of its methods replaced: also one with private fields, which nothing can be derived from. */
export function replacing<T extends object>(target: T, methods: Partial<T>): T {
  return new Proxy(target, {
    get(of, name): unknown {
      if (name in methods) return methods[name as keyof T];
      const value: unknown = Reflect.get(of, name);
      return typeof value === 'function' ? (value.bind(of) as unknown) : value;
    },
  });
}

type PartName = 'memory' | 'xenstore' | 'eventChannels' | 'grantTable';

/** dom0's handle, of a part of which one method calls `hook` first: a guest may go in the middle of a command. */
export function hookingPart<Part extends PartName>(
  dom0: Domain,
  part: Part,
  name: keyof Domain[Part],
  hook: () => void,
): Domain {
  const of = dom0[part];
  const method = of[name] as (...args: unknown[]) => unknown;
  const hooked = (...args: unknown[]): unknown => {
    hook();
    return method.apply(of, args);
  };
  return replacingPart(dom0, part, { [name]: hooked } as Partial<Domain[Part]>);
}

/** dom0's handle with some methods of one of its parts replaced. */
export function replacingPart<Part extends PartName>(dom0: Domain, part: Part, methods: Partial<Domain[Part]>): Domain {
  return replacing(dom0, { [part]: replacing(dom0[part], methods) });
}
