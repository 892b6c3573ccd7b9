/**
 * "Nothing", as other clients write it: Go sends `null` for an empty list, browsers for a field left blank.
 *
 * For what grants, restricts or selects people these read as the least there is: none, never any.
 *
 * @module
 */
import { z } from "zod";

/** A list that may be left out or null: no entries. */
export function listOrNone<T extends z.ZodType>(list: z.ZodArray<T>) {
  return list.nullish().transform((entries): z.output<T>[] => entries ?? []);
}

/** A field that may be null: as if it were left out. */
export function unlessNull<T extends z.ZodType>(field: T) {
  return field
    .nullable()
    .transform((value): z.output<T> | undefined => value ?? undefined)
    .optional();
}

/** A text that may be empty or null: as if it were left out. */
export function unlessEmpty<T extends z.ZodType<string>>(field: T) {
  return z
    .union([z.literal(""), field])
    .nullable()
    .transform((text): z.output<T> | undefined => (text === "" ? undefined : (text ?? undefined)))
    .optional();
}
