// Rule: no file loads itself by way of others. Types may refer to each other: their imports are gone when code runs.
import { dirname, posix } from "node:path";

export function checkCycles(packages) {
  const edges = new Map();
  for (const { files } of packages)
    for (const file of files)
      if (file.folder === "src")
        edges.set(
          file.path,
          file.imports
            .filter(({ specifier, typeOnly }) => !typeOnly && specifier?.startsWith("."))
            .map(({ specifier, line }) => ({ to: posix.join(dirname(file.path), specifier), line })),
        );

  const violations = [];
  const done = new Set();
  const trail = [];
  const visit = (file) => {
    if (done.has(file)) return;
    trail.push(file);
    for (const { to, line } of edges.get(file) ?? []) {
      const start = trail.indexOf(to);
      if (start === -1) visit(to);
      else
        violations.push({
          file,
          line,
          rule: "import-cycle",
          message: [...trail.slice(start), to].map((path) => posix.basename(path)).join(" → "),
        });
    }
    trail.pop();
    done.add(file);
  };
  for (const file of edges.keys()) visit(file);
  return violations;
}
