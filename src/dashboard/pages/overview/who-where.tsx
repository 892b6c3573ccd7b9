/**
 * A user, a local user and a machine, such as `ada@example.com as deploy on web1`.
 *
 * @module
 */
interface WhoWhereProps {
  readonly who: string;
  /** Undefined if unknown. */
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
