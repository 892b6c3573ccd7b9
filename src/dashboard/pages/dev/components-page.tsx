/**
 * Every component in every state, in both themes beside each other. In development builds only.
 *
 * @module
 */
import type { ReactNode } from "react";
import { PageHeader } from "../../components/page-header.tsx";
import { ChoiceSamples, FieldSamples } from "./field-samples.tsx";
import { ListSamples } from "./list-samples.tsx";
import { NoticeSamples } from "./notice-samples.tsx";
import { ButtonSamples, DialogSamples } from "./press-samples.tsx";

const THEMES = ["light", "dark"] as const;

export function ComponentsPage() {
  return (
    <>
      <PageHeader
        title="Components"
        about="Each in each state. Dialogs and menus follow the theme of the page."
      />
      <div className="grid grid-cols-1 gap-4 xl:grid-cols-2">
        {THEMES.map((theme) => (
          <div
            key={theme}
            style={{ colorScheme: theme }}
            className="flex min-w-0 flex-col gap-6 rounded-lg bg-ground p-4 text-ink"
          >
            <Part title={`Buttons, ${theme}`}>
              <ButtonSamples />
            </Part>
            <Part title={`Dialogs and menus, ${theme}`}>
              <DialogSamples theme={theme} />
            </Part>
            <Part title={`Fields, ${theme}`}>
              <FieldSamples />
            </Part>
            <Part title={`Choices, ${theme}`}>
              <ChoiceSamples />
            </Part>
            <Part title={`Notices, ${theme}`}>
              <NoticeSamples />
            </Part>
            <Part title={`Lists, ${theme}`}>
              <ListSamples theme={theme} />
            </Part>
          </div>
        ))}
      </div>
    </>
  );
}

function Part({ title, children }: { readonly title: string; readonly children: ReactNode }) {
  return (
    <section aria-label={title} className="flex flex-col gap-4">
      <h2 className="font-semibold text-base">{title}</h2>
      {children}
    </section>
  );
}
