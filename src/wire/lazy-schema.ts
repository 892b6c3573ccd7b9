/**
 * Shapes that are made when something is first read by them. A process that ends after a few messages
 * would otherwise spend more on the shapes of all others than on its own.
 *
 * @module
 */

/**
 * A stand-in for what `make` returns. `make` is called once, when anything of the stand-in is first used; its
 * errors are thrown there.
 */
export function lazySchema<T extends object>(make: () => T): T {
  let schema: T | undefined;
  const get = (): T => {
    schema ??= make();
    return schema;
  };
  return new Proxy({} as T, {
    get: (_, name) => Reflect.get(get(), name),
    has: (_, name) => Reflect.has(get(), name),
  });
}
