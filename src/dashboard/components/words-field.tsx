/**
 * A list of typed words. Enter, a comma, a space or leaving the field adds the word; Backspace in the empty
 * field removes the last one.
 *
 * @module
 */
import { type KeyboardEvent, useId, useState } from "react";
import { CHIPS_BOX, Chips } from "./chips.tsx";
import { described, FieldFrame, type FieldProps } from "./field.tsx";

interface WordsFieldProps extends FieldProps {
  readonly values: readonly string[];
  readonly onValues: (values: string[]) => void;
  readonly placeholder?: string;
  /** Whether words may contain spaces, as commands do. Commas and spaces then do not end a word. */
  readonly hasSpaces?: boolean;
}

export function WordsField(props: WordsFieldProps) {
  const { label, hint, problem, values, onValues, placeholder, hasSpaces = false } = props;
  const id = useId();
  const [typed, setTyped] = useState("");
  const field = { label, ...(hint === undefined ? {} : { hint }), problem: problem ?? null };
  const take = (text: string): void => {
    const words = (hasSpaces ? [text] : text.split(/[\s,]+/)).map((word) => word.trim()).filter(Boolean);
    setTyped("");
    if (words.length > 0) onValues([...new Set([...values, ...words])]);
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key === "Enter" || (event.key === "," && !hasSpaces)) {
      event.preventDefault();
      take(typed);
    } else if (event.key === "Backspace" && typed === "") {
      onValues(values.slice(0, -1));
    }
  };
  return (
    <FieldFrame id={id} {...field}>
      <div className={CHIPS_BOX}>
        <Chips mono values={values} onRemove={(value) => onValues(values.filter((one) => one !== value))} />
        <input
          {...described(id, field)}
          id={id}
          value={typed}
          autoComplete="off"
          autoCapitalize="off"
          spellCheck={false}
          {...(values.length === 0 && placeholder !== undefined ? { placeholder } : {})}
          onChange={({ target }) =>
            /[,\s]$/.test(target.value) && !hasSpaces ? take(target.value) : setTyped(target.value)
          }
          onKeyDown={onKeyDown}
          onBlur={() => take(typed)}
          className="min-h-7 min-w-16 flex-1 bg-transparent px-1.5 font-mono text-xs outline-none placeholder:text-soft"
        />
      </div>
    </FieldFrame>
  );
}
