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

/** dom0's handle with some methods of one of its parts replaced. */
export function replacingPart<Part extends 'memory' | 'xenstore' | 'eventChannels' | 'grantTable'>(
  dom0: Domain,
  part: Part,
  methods: Partial<Domain[Part]>,
): Domain {
  return Object.create(dom0, { [part]: { value: replacing(dom0[part], methods) } }) as Domain;
}
