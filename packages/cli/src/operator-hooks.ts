import { configuredHooks, createFileHooks, type FileHooks, type FileHooksOptions } from "@x/file-hooks";
import type { FileConfig } from "@x/storage-fs";

/** What {@link operatorHooks} goes by. */
export interface OperatorHooksOptions
  extends Pick<FileHooksOptions, "environment" | "output" | "logger" | "limits"> {
  /** Settings that no repository can make. */
  readonly protectedConfig: FileConfig;
  readonly home: string | undefined;
}

/** Git's hook scripts, where the operator's own settings say that they are. Spec: git-config, `core.hooksPath`, `hook.*` */
export function operatorHooks({ protectedConfig, home, ...options }: OperatorHooksOptions): FileHooks {
  const path = protectedConfig.get("core.hooksPath");
  const settings = [...protectedConfig.entries("hook.")];
  return createFileHooks({
    ...options,
    hooksPath: path === undefined ? undefined : expandHome(utf8(path), home),
    configured: configuredHooks(settings.map(({ key, value }) => ({ key, value: value && utf8(value) }))),
  });
}

function expandHome(path: string, home: string | undefined): string {
  return home === undefined ? path : path.replace(/^~(?=\/|$)/, home);
}

function utf8(bytes: string): string {
  return Buffer.from(bytes, "latin1").toString("utf8");
}
