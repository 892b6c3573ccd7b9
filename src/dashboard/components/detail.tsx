/**
 * The frame of a page about one thing. If it is gone, or the user may not see it, the page says so and links
 * back.
 *
 * @module
 */
import type { LinkProps } from "@tanstack/react-router";
import { type ReactNode, useEffect } from "react";
import { ApiError } from "../api/client.ts";
import { ButtonLink } from "./button.tsx";
import { Loaded, type Read } from "./loaded.tsx";
import { FailureNotice } from "./notice.tsx";

export interface WayBack {
  readonly to: NonNullable<LinkProps["to"]>;
  /** Such as `All machines`. */
  readonly label: string;
}

interface DetailProps<T> {
  readonly query: Read<T>;
  /** The kind of thing, such as `machine`. */
  readonly what: string;
  readonly back: WayBack;
  /** Explains why it may no longer exist. */
  readonly gone: ReactNode;
  readonly children: (data: T) => ReactNode;
}

export function Detail<T>({ query, what, back, gone, children }: DetailProps<T>) {
  const { error, data } = query;
  const status = error instanceof ApiError ? error.status : null;
  if (status === 404)
    return (
      <Gone what={what} back={back}>
        {gone}
      </Gone>
    );
  if (status === 403) {
    return (
      <Stopped title={`You may not see this ${what}`} back={back}>
        Your role does not show it, or it was changed while you looked. An owner or admin can change it.
      </Stopped>
    );
  }
  if (error !== null && data === undefined) {
    return (
      <div className="mx-auto mt-10 flex max-w-xl flex-col gap-4">
        <Title text={`This ${what} cannot be shown now`} />
        <FailureNotice error={error} retry={() => void query.refetch()} />
        <div>
          <ButtonLink to={back.to}>{back.label}</ButtonLink>
        </div>
      </div>
    );
  }
  return (
    <Loaded query={query} rows={8}>
      {children}
    </Loaded>
  );
}

interface GoneProps extends Pick<DetailProps<never>, "what" | "back"> {
  readonly children: ReactNode;
}

/** Replaces the page of a thing that does not exist, or no longer exists. */
export function Gone({ what, back, children }: GoneProps) {
  return (
    <Stopped title={`This ${what} is gone`} back={back}>
      {children}
    </Stopped>
  );
}

interface StoppedProps {
  readonly title: string;
  readonly back: WayBack;
  readonly children: ReactNode;
}

function Stopped({ title, back, children }: StoppedProps) {
  return (
    <div
      role="status"
      className="mx-auto mt-10 max-w-xl rounded-lg border border-line bg-card px-6 py-10 text-center"
    >
      <Title text={title} />
      <p className="mx-auto mt-2 max-w-prose text-balance text-soft">{children}</p>
      <div className="mt-6 flex flex-wrap justify-center gap-2">
        <ButtonLink to={back.to} weight="primary">
          {back.label}
        </ButtonLink>
        <ButtonLink to="/">My access</ButtonLink>
      </div>
    </div>
  );
}

function Title({ text }: { readonly text: string }) {
  useEffect(() => {
    document.title = `${text} - QuFabric`;
  }, [text]);
  return <h1 className="font-semibold text-lg">{text}</h1>;
}
