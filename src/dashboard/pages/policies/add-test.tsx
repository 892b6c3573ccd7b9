/**
 * The dialog that adds a policy test.
 *
 * @module
 */
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { reading } from "../../api/queries.ts";
import { SegmentField } from "../../components/choice-field.tsx";
import { FormDialog } from "../../components/dialog.tsx";
import { TextField } from "../../components/field.tsx";
import { NamesField } from "../../components/names-field.tsx";
import type { FileTest } from "./policy-draft.ts";

interface AddTestProps {
  readonly open: boolean;
  readonly onOpenChange: (open: boolean) => void;
  readonly onTest: (test: FileTest) => void;
}

const EMPTY: FileTest = { user: "", machine: "", local_user: "", expect: "allow" };

export function AddTest({ open, onOpenChange, onTest }: AddTestProps) {
  const [test, setTest] = useState<FileTest>(EMPTY);
  const users = useQuery({ ...reading("GET /api/users"), enabled: open });
  const peers = useQuery({ ...reading("GET /api/peers"), enabled: open });
  const machines = (peers.data ?? []).filter(({ kind }) => kind === "machine");
  const people = (users.data ?? []).filter(({ email }) => email !== "");
  return (
    <FormDialog
      open={open}
      onOpenChange={onOpenChange}
      title="Add a test"
      submit="Look at it"
      disabled={test.user === "" || test.machine === "" || test.local_user === ""}
      onSubmit={async () => {
        onTest(test);
        setTest(EMPTY);
      }}
    >
      <NamesField
        label="Person"
        values={test.user === "" ? [] : [test.user]}
        onValues={([user = ""]) => setTest({ ...test, user })}
        choices={people.map(({ email, name }) => ({ name: email, note: name }))}
        add="Choose a person"
        single
      />
      <NamesField
        label="Machine"
        values={test.machine === "" ? [] : [test.machine]}
        onValues={([machine = ""]) => setTest({ ...test, machine })}
        choices={machines.map(({ name }) => ({ name }))}
        add="Choose a machine"
        single
      />
      <TextField
        label="Local user"
        value={test.local_user}
        onValue={(local_user) => setTest({ ...test, local_user })}
        maxLength={32}
      />
      <SegmentField
        label="Has to be"
        value={test.expect}
        onValue={(expect) => setTest({ ...test, expect })}
        choices={[
          { value: "allow", label: "allowed" },
          { value: "deny", label: "denied" },
        ]}
      />
    </FormDialog>
  );
}
