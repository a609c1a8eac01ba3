/** A hook that is a command in settings instead of a file. Spec: git-config, `hook.<friendly-name>.command`. */
export interface ConfiguredHook {
  readonly name: string;
  /** The hook in whose place it runs, such as `pre-receive`. */
  readonly event: string;
  /** For the shell, which gets the hook's arguments behind it. */
  readonly command: string;
}

/** A setting, its section and variable in lower case. */
export interface HookSetting {
  readonly key: string;
  readonly value: string | undefined;
}

/**
 * The hooks that settings speak of, in the order in which they run.
 * @param settings all of them, the least important first, of scopes that the operator alone can write to
 */
export function configuredHooks(settings: Iterable<HookSetting>): readonly ConfiguredHook[] {
  const commands = new Map<string, string>();
  const disabled = new Set<string>();
  const events = new Map<string, Set<string>>();
  for (const { key, value } of settings) {
    const [, name, variable] = /^hook\.(.+)\.([a-z]+)$/s.exec(key) ?? [];
    if (name === undefined || value === undefined) continue;
    if (variable === "command") commands.set(name, value);
    else if (variable === "enabled") {
      if (/^(?:false|no|off|0+)$/i.test(value)) disabled.add(name);
      else if (/^(?:true|yes|on|[1-9][0-9]*)$/i.test(value)) disabled.delete(name);
    } else if (variable === "event") {
      if (value === "") for (const names of events.values()) names.delete(name);
      else {
        const names = events.get(value) ?? new Set();
        events.set(value, names);
        // The last one named runs last.
        names.delete(name);
        names.add(name);
      }
    }
  }
  return [...events].flatMap(([event, names]) =>
    [...names].flatMap((name) => {
      const command = commands.get(name);
      const off = disabled.has(name) || disabled.has(event);
      return command === undefined || off ? [] : [{ name, event, command }];
    }),
  );
}
