/**
 * The container that puts the parts together. Only this file imports tsyringe, whose types appear in nobody's API.
 */
// tsyringe refuses to load before this one.
import 'reflect-metadata';
import { container as globalContainer } from 'tsyringe';
import type { DependencyContainer } from 'tsyringe';
export { inject, injectable } from 'tsyringe';

import { PARTS } from './parts.ts';
import type { PartName, Parts, ReplacedParts } from './parts.ts';

/**
 * The root of all containers here. It is made by the constructor, not as a child of tsyringe's global container, because a
 * child would see what other packages of the program register there.
 */
const root = new (globalContainer.constructor as new () => DependencyContainer)();

for (const [name, part] of Object.entries(PARTS)) {
  root.register(part.token, {
    useFactory: (child) =>
      keep(
        child,
        name as PartName,
        part.make((wanted) => child.resolve(PARTS[wanted].token)),
      ),
  });
}

/** Makes the parts of one `openVerbs()`, and the object that needs them. */
export function resolveWith<Result>(use: ReplacedParts, constructor: new (...parts: never[]) => Result): Result {
  const child = root.createChildContainer();
  for (const [name, part] of Object.entries(use)) {
    if (part !== undefined) keep(child, name as PartName, part);
  }
  return child.resolve(constructor as new (...parts: unknown[]) => Result);
}

/** Lets `child` answer with `part` from now on, so that each part is made once for each `openVerbs()`. */
function keep<Name extends PartName>(child: DependencyContainer, name: Name, part: Parts[Name]): Parts[Name] {
  if (part !== undefined) child.registerInstance(PARTS[name].token, part);
  return part;
}
