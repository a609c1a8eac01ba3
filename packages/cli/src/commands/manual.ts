import type { Command, Help } from "commander";

/** Columns of a line of a manual, at most. */
const WIDTH = 80;
const INDENT = 2;
const DEEPER = 6;

/** The parts of a command's manual that follow from how it is declared; the others are its `addHelpText`. */
export function formatManual(command: Command, help: Help): string {
  const name = nameOf(command);
  const summary = help.subcommandDescription(command);
  const sections: string[] = [section("NAME", wrap(`${name} - ${summary.replace(/\.$/, "")}`, INDENT))];
  sections.push(section("SYNOPSIS", wrap(`${name} ${synopsisOf(command)}`, INDENT)));
  sections.push(section("DESCRIPTION", wrap(help.commandDescription(command), INDENT)));
  const terms = (entries: readonly (readonly [string, string])[]) =>
    entries.map(([term, text]) => `${wrap(term, INDENT)}\n${wrap(text, DEEPER)}`).join("\n");
  const commands = help.visibleCommands(command).filter((found) => found.name() !== "help");
  if (commands.length > 0)
    sections.push(
      section(
        "COMMANDS",
        terms(commands.map((found) => [`${name} ${found.name()}`, help.subcommandDescription(found)])),
      ),
    );
  const described = [
    ...help.visibleArguments(command).map((found) => [help.argumentTerm(found), found.description] as const),
    ...help
      .visibleOptions(command)
      .map((found) => [help.optionTerm(found), help.optionDescription(found)] as const),
  ];
  sections.push(section("OPTIONS", terms(described)));
  return `${sections.join("\n\n")}\n`;
}

function nameOf(command: Command): string {
  return command.parent === null ? command.name() : `${nameOf(command.parent)} ${command.name()}`;
}

function synopsisOf(command: Command): string {
  if (command.commands.length > 0) return "[OPTIONS] COMMAND [ARGUMENTS]";
  return command.usage().replace("[options]", "[OPTIONS]");
}

function section(title: string, body: string): string {
  return `${title}\n${body}`;
}

/** Text in lines of at most {@link WIDTH} columns; empty lines between paragraphs stay. */
function wrap(text: string, indent: number): string {
  const margin = " ".repeat(indent);
  const lines: string[] = [];
  for (const paragraph of text.split("\n")) {
    let line = "";
    for (const word of paragraph.split(" ")) {
      if (line !== "" && indent + line.length + 1 + word.length > WIDTH) {
        lines.push(margin + line);
        line = "";
      }
      line = line === "" ? word : `${line} ${word}`;
    }
    lines.push(line === "" ? "" : margin + line);
  }
  return lines.join("\n");
}
