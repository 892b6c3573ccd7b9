/**
 * Searches the output of a terminal.
 *
 * @module
 */
import { ChevronDown, ChevronUp } from "lucide-react";
import { useState } from "react";
import { IconButton } from "../../components/button.tsx";
import { CONTROL } from "../../components/field.tsx";

export function SearchBar({ find }: { find(text: string, isBackward: boolean): boolean }) {
  const [text, setText] = useState("");
  const [isFound, setIsFound] = useState(true);
  const look = (isBackward: boolean): void => {
    if (text !== "") setIsFound(find(text, isBackward));
  };
  return (
    <form
      className="flex items-center gap-2"
      onSubmit={(event) => {
        event.preventDefault();
        look(true);
      }}
    >
      <input
        aria-label="Search in the terminal"
        className={CONTROL}
        value={text}
        // biome-ignore lint/a11y/noAutofocus: it was opened to type into
        autoFocus
        onChange={(event) => {
          setText(event.target.value);
          setIsFound(true);
        }}
      />
      <span role="status" className="whitespace-nowrap text-soft text-xs">
        {isFound ? "" : "not found"}
      </span>
      <IconButton label="Above" type="submit">
        <ChevronUp size={16} aria-hidden="true" />
      </IconButton>
      <IconButton label="Below" onClick={() => look(false)}>
        <ChevronDown size={16} aria-hidden="true" />
      </IconButton>
    </form>
  );
}
