/**
 * Sample fields: empty, filled, with a hint, with a problem, disabled.
 *
 * @module
 */
import { useState } from "react";
import { CardChoiceField, SegmentField } from "../../components/choice-field.tsx";
import { DateField } from "../../components/date-field.tsx";
import { Disclosure } from "../../components/disclosure.tsx";
import { DurationField } from "../../components/duration-field.tsx";
import { CheckField, SelectField, SwitchField, TextField } from "../../components/field.tsx";
import { GroupNamesField } from "../../components/group-names-field.tsx";
import { GroupPicker } from "../../components/group-picker.tsx";
import { LastsField } from "../../components/lasts-field.tsx";
import { MomentField } from "../../components/moment-field.tsx";
import { NamesField } from "../../components/names-field.tsx";
import { WordsField } from "../../components/words-field.tsx";

const WRONG = "Write something else.";
const COLOURS = [
  { value: "red", label: "Red", about: "As a warning." },
  { value: "green", label: "Green", about: "As what is well." },
] as const;

export function FieldSamples() {
  const [text, setText] = useState("typed");
  const [choice, setChoice] = useState("red");
  const [names, setNames] = useState<readonly string[]>(["web1"]);
  const [day, setDay] = useState("2026-11-30");
  return (
    <>
      <TextField label="Empty" value="" onValue={() => {}} placeholder="An example" />
      <TextField label="Filled, with a hint" hint="What it is for." value={text} onValue={setText} />
      <TextField label="Wrong" value={text} onValue={setText} problem={WRONG} />
      <TextField label="Off" value={text} onValue={setText} disabled />
      <SelectField label="One of a few" value={choice} onValue={setChoice} choices={COLOURS} />
      <SelectField
        label="Wrong choice"
        value={choice}
        onValue={setChoice}
        choices={COLOURS}
        problem={WRONG}
      />
      <NamesField
        label="Names"
        values={names}
        onValues={setNames}
        choices={[{ name: "web1", note: "machine" }, { name: "db1" }]}
      />
      <WordsField label="Words" values={names} onValues={setNames} placeholder="deploy, www" />
      <GroupNamesField label="Groups" ids={[]} onIds={() => {}} />
      <GroupPicker label="Groups to tick" chosen={new Set()} onChosen={() => {}} />
      <DateField label="Day" value={day} onValue={setDay} />
      <DurationField label="Length of time" seconds={3_600} onSeconds={() => {}} />
      <LastsField label="Lasts" choices={[3_600, 0]} seconds={3_600} onSeconds={() => {}} />
      <MomentField label="Until" seconds={undefined} onSeconds={() => {}} problem={null} none="No end" />
    </>
  );
}

export function ChoiceSamples() {
  const [colour, setColour] = useState<"red" | "green">("red");
  const [isOn, setIsOn] = useState(true);
  return (
    <>
      <SegmentField label="Segments" value={colour} onValue={setColour} choices={COLOURS} />
      <CardChoiceField label="Cards" value={colour} onValue={setColour} choices={COLOURS} />
      <CheckField label="Yes or no" hint="Taken in with its form." checked={isOn} onChecked={setIsOn} />
      <CheckField label="Off and no" checked={false} onChecked={() => {}} disabled />
      <SwitchField label="On or off" hint="Done at once." checked={isOn} onChecked={setIsOn} />
      <SwitchField label="Off, and cannot be turned" checked={false} onChecked={() => {}} disabled />
      <Disclosure title="A part to open" summary="what is set">
        <TextField label="Inside" value="" onValue={() => {}} />
      </Disclosure>
    </>
  );
}
