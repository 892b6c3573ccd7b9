/**
 * Every component in every state, in the theme chosen on the page. Only in development builds.
 *
 * @module
 */
import { type ReactNode, useState } from "react";
import { chooseTheme, currentTheme, THEMES } from "../../browser/theme.ts";
import { SegmentField } from "../../components/choice-field.tsx";
import { PageHeader } from "../../components/page-header.tsx";
import { ChoiceSamples, FieldSamples } from "./field-samples.tsx";
import { ListSamples } from "./list-samples.tsx";
import { NoticeSamples } from "./notice-samples.tsx";
import { ButtonSamples, DialogSamples } from "./press-samples.tsx";

export function ComponentsPage() {
  return (
    <>
      <PageHeader title="Components" about="Each in each state." actions={<ThemeChoice />} />
      <div className="grid grid-cols-1 gap-8 lg:grid-cols-2">
        <div className="flex min-w-0 flex-col gap-8">
          <Part title="Buttons">
            <ButtonSamples />
          </Part>
          <Part title="Dialogs and menus">
            <DialogSamples />
          </Part>
          <Part title="Choices">
            <ChoiceSamples />
          </Part>
          <Part title="Lists">
            <ListSamples />
          </Part>
        </div>
        <div className="flex min-w-0 flex-col gap-8">
          <Part title="Fields">
            <FieldSamples />
          </Part>
          <Part title="Notices">
            <NoticeSamples />
          </Part>
        </div>
      </div>
    </>
  );
}

function ThemeChoice() {
  const [theme, setTheme] = useState(currentTheme);
  return (
    <SegmentField
      label="Theme"
      isLabelHidden
      value={theme}
      onValue={(value) => {
        chooseTheme(value);
        setTheme(value);
      }}
      choices={THEMES.map((value) => ({ value, label: value }))}
    />
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
