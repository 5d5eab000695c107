/** Paths of xenstore: `docs/misc/xenstore.txt` of Xen. */
import { HypervisorError } from '../../errors.ts';
import { XENSTORE_ABS_PATH_MAX, XENSTORE_REL_PATH_MAX } from '../../limits.ts';

/** Fires when a domain has come. */
export const INTRODUCE_DOMAIN = '@introduceDomain';
/** Fires when a domain is gone. */
export const RELEASE_DOMAIN = '@releaseDomain';

/** Directory of a domain. */
export function domainPath(domid: number): string {
  return `/local/domain/${domid}`;
}

/**
 * The absolute form of a path.
 *
 * @throws HypervisorError `EINVAL`
 */
export function absolute(domid: number, path: string): string {
  const relative = !path.startsWith('/');
  const max = relative ? XENSTORE_REL_PATH_MAX : XENSTORE_ABS_PATH_MAX;
  const wrong =
    path.length > max
      ? `is longer than ${max}`
      : !/^[A-Za-z0-9\-/_@]+$/.test(path) || path.startsWith('@')
        ? 'has characters other than letters, digits and -/_@, or begins with @'
        : path !== '/' && (path.endsWith('/') || path.includes('//'))
          ? 'has an empty name in it'
          : '';
  if (wrong !== '') throw new HypervisorError('EINVAL', `the path '${path.slice(0, 100)}' ${wrong}`);
  return relative ? `${domainPath(domid)}/${path}` : path;
}

/** As {@link absolute}, and the two special paths that can be watched. */
export function watchable(domid: number, path: string): string {
  if (path === INTRODUCE_DOMAIN || path === RELEASE_DOMAIN) return path;
  if (path.startsWith('@')) {
    const hint = `what can be watched is ${INTRODUCE_DOMAIN} and ${RELEASE_DOMAIN}`;
    throw new HypervisorError('EINVAL', `there is no special path '${path.slice(0, 100)}'`, hint);
  }
  return absolute(domid, path);
}

/** The parent of a path; that of the root and of special paths is ''. */
export function parentOf(path: string): string {
  if (path === '/' || path.startsWith('@')) return '';
  return path.slice(0, path.lastIndexOf('/')) || '/';
}

/** The last name of a path. */
export function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** A child's path. */
export function childOf(path: string, name: string): string {
  return path === '/' ? `/${name}` : `${path}/${name}`;
}

/** Whether a path is another one or below it. */
export function isWithin(path: string, above: string): boolean {
  return path === above || path.startsWith(above === '/' ? '/' : `${above}/`);
}
