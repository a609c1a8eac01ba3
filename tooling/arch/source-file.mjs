// What the rules need to know of one TypeScript file, read off its syntax tree.
import ts from "typescript";

/**
 * @param {string} text
 * @returns {{ imports: { specifier: string | undefined, line: number, typeOnly: boolean }[],
 *   findings: { rule: string, line: number, message: string }[], lines: number, onlyReexports: boolean }}
 */
export function readSourceFile(path, text) {
  const tree = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  const imports = [];
  const findings = [];
  const lineOf = (node) => tree.getLineAndCharacterOfPosition(node.getStart(tree)).line + 1;
  const find = (rule, node, message) => findings.push({ rule, line: lineOf(node), message });

  const visit = (node) => {
    const specifier = specifierOf(node);
    if (specifier !== undefined) {
      const known = ts.isStringLiteralLike(specifier);
      imports.push({
        specifier: known ? specifier.text : undefined,
        line: lineOf(node),
        typeOnly: isTypeOnly(node),
      });
    }
    // What somebody else exports is described as it is.
    const isOurs = !tree.isDeclarationFile;
    if (isOurs && (ts.isExportAssignment(node) || isDefault(node)))
      find("default-export", node, "export it by name");
    if (ts.isEnumDeclaration(node)) find("enum", node, "use a union of literals");
    if (ts.isModuleDeclaration(node) && ts.isIdentifier(node.name))
      find("namespace", node, "a module is a namespace already");
    if (ts.isIdentifier(node) && isNodeGlobal(node))
      find("node-global", node, `\`${node.text}\` exists in Node only`);
    const modifier = testModifier(node);
    if (modifier !== undefined)
      find("unrun-test", node, `.${modifier} leaves tests out; write it or remove it`);
    ts.forEachChild(node, visit);
  };
  visit(tree);
  return {
    imports,
    findings,
    lines: text.split("\n").length - (text.endsWith("\n") ? 1 : 0),
    onlyReexports: tree.statements.every((statement) => ts.isExportDeclaration(statement)),
  };
}

/** The module that `node` names, whichever of TypeScript's six ways it uses. */
function specifierOf(node) {
  if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) return node.moduleSpecifier;
  if (ts.isExternalModuleReference(node)) return node.expression;
  if (ts.isImportTypeNode(node)) return ts.isLiteralTypeNode(node.argument) ? node.argument.literal : node;
  if (!ts.isCallExpression(node)) return undefined;
  if (node.expression.kind === ts.SyntaxKind.ImportKeyword) return node.arguments[0];
  const callee = node.expression.getText();
  return callee === "require" || callee === "require.resolve" ? node.arguments[0] : undefined;
}

/** Gone from the build: with verbatimModuleSyntax only a whole `import type` or `export type` is. */
function isTypeOnly(node) {
  if (ts.isImportDeclaration(node)) return node.importClause?.isTypeOnly ?? false;
  return ts.isImportTypeNode(node) || (ts.isExportDeclaration(node) && node.isTypeOnly);
}

function isDefault(node) {
  if (ts.isExportSpecifier(node)) return node.name.text === "default";
  return (
    ts.canHaveModifiers(node) &&
    (ts.getModifiers(node) ?? []).some(({ kind }) => kind === ts.SyntaxKind.DefaultKeyword)
  );
}

/** A mention of Node's global, as against a member or a key that happens to have its name. */
function isNodeGlobal(node) {
  if (node.text !== "Buffer" && node.text !== "process") return false;
  const { parent } = node;
  if (ts.isPropertyAccessExpression(parent) && parent.name === node)
    return parent.expression.getText() === "globalThis";
  const isKey =
    ts.isClassElement(parent) ||
    ts.isTypeElement(parent) ||
    ts.isPropertyAssignment(parent) ||
    ts.isJsxAttribute(parent);
  return !(isKey && parent.name === node);
}

const TEST_FUNCTIONS = new Set(["it", "test", "describe", "suite"]);
const UNRUN = new Set(["skip", "todo", "only", "fails"]);

function testModifier(node) {
  if (!ts.isPropertyAccessExpression(node) || !UNRUN.has(node.name.text)) return undefined;
  let at = node.expression;
  while (ts.isPropertyAccessExpression(at)) at = at.expression;
  return ts.isIdentifier(at) && TEST_FUNCTIONS.has(at.text) ? node.name.text : undefined;
}
