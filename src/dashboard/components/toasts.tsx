/**
 * Short messages about what was done, also for screen readers, with an undo button where possible.
 *
 * @module
 */
import { Toast } from "radix-ui";
import { createContext, type ReactNode, useCallback, useContext, useMemo, useState } from "react";
import { Button } from "./button.tsx";

interface News {
  readonly id: number;
  readonly text: string;
  readonly undo?: () => void;
}

type Tell = (text: string, undo?: () => void) => void;

const Telling = createContext<Tell>(() => {});
const SHOWN_MS = 10_000;
let nextId = 0;

/** Returns a function that shows `text` in the corner. `undo` adds a button that takes the action back. */
export function useToast(): Tell {
  return useContext(Telling);
}

export function Toasts({ children }: { readonly children: ReactNode }) {
  const [news, setNews] = useState<readonly News[]>([]);
  const tell = useCallback<Tell>((text, undo) => {
    const one: News = { id: nextId++, text, ...(undo === undefined ? {} : { undo }) };
    setNews((now) => [...now.slice(-3), one]);
  }, []);
  const value = useMemo(() => tell, [tell]);
  return (
    <Toast.Provider duration={SHOWN_MS} label="News">
      <Telling.Provider value={value}>{children}</Telling.Provider>
      {news.map(({ id, text, undo }) => (
        <Toast.Root
          key={id}
          onOpenChange={(open) => {
            if (!open) setNews((now) => now.filter((one) => one.id !== id));
          }}
          className="appear flex items-center gap-3 rounded-md border border-line bg-raised py-2 pr-2 pl-4 shadow-lift"
        >
          <Toast.Description className="min-w-0 flex-1">{text}</Toast.Description>
          {undo === undefined ? null : (
            <Toast.Action asChild altText="Undo">
              <Button size="small" onClick={undo}>
                Undo
              </Button>
            </Toast.Action>
          )}
          <Toast.Close asChild>
            <Button size="small" weight="quiet">
              Dismiss
            </Button>
          </Toast.Close>
        </Toast.Root>
      ))}
      <Toast.Viewport className="fixed right-4 bottom-4 z-50 flex w-[min(26rem,calc(100vw-2rem))] flex-col gap-2 outline-none" />
    </Toast.Provider>
  );
}
