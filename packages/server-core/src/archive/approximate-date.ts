const MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

const UNITS: ReadonlyMap<string, number> = new Map([
  ["second", 1],
  ["minute", 60],
  ["hour", 3600],
  ["day", 86_400],
  ["week", 604_800],
  ["fortnight", 1_209_600],
]);

/**
 * A date as people write it for `--mtime`, local where no zone is given. As in git nothing is refused: what cannot be
 * read is now. Of git's relative dates those are known that have `ago`, and `now`, `today`, `yesterday`.
 * @param now in milliseconds since 1970
 * @returns seconds since 1970. Spec: git-commit, "DATE FORMATS"
 */
export function approximateDate(text: string, now: number): number {
  const seconds = Math.floor(now / 1000);
  const words = text.trim().toLowerCase();
  return exactDate(words) ?? relativeDate(words, now) ?? seconds;
}

function exactDate(text: string): number | undefined {
  const raw = /^@?([0-9]{1,15})(?:\s+[-+][0-9]{4})?$/.exec(text);
  if (raw !== null && (text.startsWith("@") || (raw[1] as string).length >= 9)) return Number(raw[1]);
  const date = dateIn(text);
  if (date === undefined) return undefined;
  const time = /(?:^|[^0-9])([0-9]{1,2}):([0-9]{2})(?::([0-9]{2})(?:\.[0-9]+)?)?(?![0-9:])/.exec(text);
  // Without a time of day git takes that of the moment; here it is midnight.
  const clock = [time?.[1], time?.[2], time?.[3]].map((part) => Number(part ?? 0)) as [
    number,
    number,
    number,
  ];
  if (clock[0] > 24 || clock[1] > 59 || clock[2] > 60) return undefined;
  const { year, month, day } = date;
  const zone = zoneIn(text);
  if (zone === undefined) return Math.floor(new Date(year, month, day, ...clock).getTime() / 1000);
  return Math.floor(Date.UTC(year, month, day, ...clock) / 1000) - zone * 60;
}

interface Day {
  readonly year: number;
  /** From 0. */
  readonly month: number;
  readonly day: number;
}

function dateIn(text: string): Day | undefined {
  const iso = /(?:^|\D)([0-9]{4})[-./]([0-9]{1,2})[-./]([0-9]{1,2})(?!\d)/.exec(text);
  if (iso !== null) return checked(Number(iso[1]), Number(iso[2]) - 1, Number(iso[3]));
  const dotted = /(?:^|\D)([0-9]{1,2})\.([0-9]{1,2})\.([0-9]{4})(?!\d)/.exec(text);
  if (dotted !== null) return checked(Number(dotted[3]), Number(dotted[2]) - 1, Number(dotted[1]));
  const slashed = /(?:^|\D)([0-9]{1,2})\/([0-9]{1,2})\/([0-9]{4})(?!\d)/.exec(text);
  if (slashed !== null) return checked(Number(slashed[3]), Number(slashed[1]) - 1, Number(slashed[2]));
  const month = MONTHS.findIndex((name) => new RegExp(`(?:^|[^a-z])${name}`).test(text));
  const year = /(?:^|[^0-9:+-])((?:19|20)[0-9]{2})(?![0-9:])/.exec(text);
  const day = /(?:^|[^0-9:+-])([0-9]{1,2})(?:st|nd|rd|th)?(?![0-9:])/.exec(text);
  return month < 0 || year === null || day === null
    ? undefined
    : checked(Number(year[1]), month, Number(day[1]));
}

function checked(year: number, month: number, day: number): Day | undefined {
  return month >= 0 && month < 12 && day >= 1 && day <= 31 ? { year, month, day } : undefined;
}

/** Unit: minutes. */
function zoneIn(text: string): number | undefined {
  const match = /(?:[0-9]|\s)([-+])([0-9]{2}):?([0-9]{2})?\s*$/.exec(text);
  if (match !== null && /:/.test(text.slice(0, match.index + 1)))
    return (match[1] === "-" ? -1 : 1) * (Number(match[2]) * 60 + Number(match[3] ?? 0));
  return /(?:[0-9]z|\b(?:utc|gmt|z))\s*$/.test(text) ? 0 : undefined;
}

function relativeDate(text: string, now: number): number | undefined {
  const seconds = Math.floor(now / 1000);
  if (text === "now" || text === "today") return seconds;
  if (text === "yesterday") return seconds - 86_400;
  const match =
    /^(?:([0-9]{1,9})|an?|one|two|three|four|five|six|seven|eight|nine|ten)[\s.]+([a-z]+?)s?[\s.]+ago$/.exec(
      text,
    );
  if (match === null) return undefined;
  const spelled = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"];
  const word = text.split(/[\s.]/, 1)[0] as string;
  const count = match[1] === undefined ? Math.max(spelled.indexOf(word), 1) : Number(match[1]);
  const unit = UNITS.get(match[2] as string);
  if (unit !== undefined) return seconds - count * unit;
  const months = match[2] === "month" ? count : match[2] === "year" ? count * 12 : undefined;
  if (months === undefined) return undefined;
  const date = new Date(now);
  date.setMonth(date.getMonth() - months);
  return Math.floor(date.getTime() / 1000);
}
