// Rule: nobody imports, or names in package.json, what the table does not allow.
import { builtinModules } from "node:module";
import { dirname, posix } from "node:path";
import { MAY_START_PROGRAMS, SCOPE, TABLE, TEST_ONLY } from "./table.mjs";

const NODE = new Set(builtinModules);

export function checkDependencies(packages) {
  const violations = [];
  for (const pkg of packages) {
    const row = TABLE.get(pkg.name);
    if (row === undefined) {
      violations.push(
        at(pkg.manifestPath, 1, "unknown-package", `${pkg.name} is not in tooling/arch/table.mjs`),
      );
      continue;
    }
    violations.push(...checkManifest(pkg, row));
    for (const file of pkg.files)
      for (const { specifier, line } of file.imports) {
        const problem = checkImport(pkg, row, file, specifier);
        if (problem !== undefined) violations.push(at(file.path, line, ...problem));
      }
  }
  return violations;
}

function* checkManifest(pkg, row) {
  if (pkg.manifest.name !== SCOPE + pkg.name)
    yield at(pkg.manifestPath, pkg.manifestLine("name"), "package-name", `must be ${SCOPE}${pkg.name}`);
  for (const field of ["dependencies", "peerDependencies", "optionalDependencies"])
    for (const [name, range] of Object.entries(pkg.manifest[field] ?? {})) {
      const here = [pkg.manifestPath, pkg.manifestLine(name)];
      if (!isAllowed(row, name))
        yield at(...here, "dependency-table", `${pkg.name} may not depend on ${name}`);
      else if (name.startsWith(SCOPE) && range !== "workspace:^")
        yield at(...here, "workspace-range", `${name} must be "workspace:^", not "${range}"`);
    }
  for (const name of Object.keys(pkg.manifest.devDependencies ?? {}))
    if (!name.startsWith(SCOPE) && !TEST_ONLY.includes(name))
      yield at(
        pkg.manifestPath,
        pkg.manifestLine(name),
        "dependency-table",
        `${name} is no test dependency of ours`,
      );
}

/** @returns rule and message, or `undefined` when all is well */
function checkImport(pkg, row, file, specifier) {
  const source = file.folder === "src";
  if (specifier === undefined)
    return source ? ["computed-import", "the name of an imported module must be a literal"] : undefined;
  if (specifier.startsWith(".")) return checkRelative(pkg, row, file, specifier);
  const name = packageOf(specifier);
  if (specifier.startsWith("node:") || NODE.has(name)) return checkNode(row, file, specifier);
  if (name === SCOPE + pkg.name)
    return source ? ["self-import", "import the file, not the package it is in"] : undefined;

  if (source && !isAllowed(row, name))
    return ["dependency-table", `${pkg.name} may not import ${name} (see tooling/arch/table.mjs)`];
  if (source && row.neutral && isForNode(name) && !isNodeDoor(file.path))
    return [
      "neutral-import",
      `${name} knows Node; only the ./node door of a package that runs anywhere may import it`,
    ];
  if (!source && !isAllowed(row, name) && !isPublished(name) && !TEST_ONLY.includes(name))
    return ["dependency-table", `tests and examples may not import ${name}`];
  const { manifest } = pkg;
  const declared = [manifest.dependencies, manifest.peerDependencies, manifest.optionalDependencies];
  if (!source) declared.push(manifest.devDependencies);
  // vitest is the root's, for all packages together.
  if (name !== "vitest" && !declared.some((names) => names !== undefined && Object.hasOwn(names, name)))
    return ["undeclared", `${name} is not in ${pkg.manifestPath}`];
  return undefined;
}

function checkRelative(pkg, row, file, specifier) {
  const target = posix.normalize(posix.join(dirname(file.path), specifier));
  if (!target.startsWith(`${pkg.path}/`))
    return ["leaves-package", `import another package by its name, not ${specifier}`];
  if (file.folder === "src" && !target.startsWith(`${pkg.path}/src/`))
    return ["leaves-src", `${specifier} is not part of what is published`];
  if (row.neutral && file.folder === "src" && isNodeDoor(target) && !isNodeDoor(file.path))
    return ["neutral-import", `${specifier} knows Node, and this file may not`];
  return undefined;
}

function checkNode(row, file, specifier) {
  if (!specifier.startsWith("node:")) return ["node-protocol", `write node:${specifier}`];
  if (file.folder !== "src") return undefined;
  if (
    (specifier === "node:child_process" || specifier === "node:cluster") &&
    !MAY_START_PROGRAMS.has(file.path)
  )
    return ["no-child-process", "nothing of ours starts a program"];
  if (row.neutral && !isNodeDoor(file.path))
    return ["neutral-import", `${specifier} in a package that runs anywhere; only its ./node door may`];
  return undefined;
}

/** The files of a neutral package that may know Node: its `./node` entry and the parts of it. */
export function isNodeDoor(path) {
  return /\/src\/node(?:-[a-z0-9-]+)?(?:\.ts$|\/)/.test(path);
}

function isAllowed(row, name) {
  return row.others.includes(name) || (name.startsWith(SCOPE) && row.uses.includes(name.slice(SCOPE.length)));
}

const isForNode = (name) => isPublished(name) && !TABLE.get(name.slice(SCOPE.length)).neutral;
const isPublished = (name) => name.startsWith(SCOPE) && TABLE.has(name.slice(SCOPE.length));

/** `@x/pack/node` → `@x/pack` */
function packageOf(specifier) {
  return specifier
    .split("/")
    .slice(0, specifier.startsWith("@") ? 2 : 1)
    .join("/");
}

const at = (file, line, rule, message) => ({ file, line, rule, message });
