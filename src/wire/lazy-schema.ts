/**
 * Schemas that are built on first use. A process that ends after a few messages would otherwise spend more
 * time on schemas it never uses than on its own.
 *
 * @module
 */

/**
 * A proxy for what `make` returns. `make` is called once, on first use of the proxy, and its errors are
 * thrown there.
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
