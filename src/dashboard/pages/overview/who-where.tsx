/**
 * `ada@example.com as deploy on web1`.
 *
 * @module
 */
interface WhoWhereProps {
  readonly who: string;
  /** Undefined: it is not known. */
  readonly localUser: string | undefined;
  readonly machine: string | undefined;
}

export function WhoWhere({ who, localUser, machine }: WhoWhereProps) {
  return (
    <>
      <bdi>{who}</bdi>
      {localUser === undefined ? null : (
        <>
          {" as "}
          <code className="font-mono text-xs">{localUser}</code>
        </>
      )}
      {machine === undefined ? null : (
        <>
          {" on "}
          <bdi>{machine}</bdi>
        </>
      )}
    </>
  );
}
