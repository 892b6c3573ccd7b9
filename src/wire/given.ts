/**
 * Empty values as other clients write them: Go sends `null` for an empty list, browsers for a blank field.
 *
 * In fields that grant, restrict or select people they mean the least: none, never any.
 *
 * @module
 */
import { z } from "zod";

/** A list that may be absent or null, which means no entries. */
export function listOrNone<T extends z.ZodType>(list: z.ZodArray<T>) {
  return list.nullish().transform((entries): z.output<T>[] => entries ?? []);
}

/** A field that may be null, which means absent. */
export function unlessNull<T extends z.ZodType>(field: T) {
  return field
    .nullable()
    .transform((value): z.output<T> | undefined => value ?? undefined)
    .optional();
}

/** A text that may be empty or null, which means absent. */
export function unlessEmpty<T extends z.ZodType<string>>(field: T) {
  return z
    .union([z.literal(""), field])
    .nullable()
    .transform((text): z.output<T> | undefined => (text === "" ? undefined : (text ?? undefined)))
    .optional();
}
