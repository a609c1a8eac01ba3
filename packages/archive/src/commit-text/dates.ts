/** How a date is written. Spec: git-log, `--date`. */
export type DateStyle = "normal" | "iso" | "iso-strict" | "relative" | "rfc" | "short";

const DAYS = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"] as const;
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"] as const;

/** The latest time that a Date holds. Unit: seconds since 1970. */
const MAX_TIME = 8_640_000_000_000;

/**
 * A date as git writes it.
 * @param time in seconds since 1970
 * @param zone hours times 100 plus minutes, as in a commit: `-0330` is -330
 * @param now in seconds since 1970
 */
export function formatDate(time: number, zone: number, style: DateStyle, now: number): string {
  if (style === "relative") return relativeDate(time, now);
  const minutes = Math.sign(zone) * (Math.floor(Math.abs(zone) / 100) * 60 + (Math.abs(zone) % 100));
  const seconds = time + minutes * 60;
  const fits = seconds >= 0 && seconds <= MAX_TIME;
  const date = new Date(fits ? seconds * 1000 : 0);
  const shown = fits ? zone : 0;
  const two = (value: number) => String(value).padStart(2, "0");
  const year = date.getUTCFullYear();
  const day = `${String(year).padStart(4, "0")}-${two(date.getUTCMonth() + 1)}-${two(date.getUTCDate())}`;
  const clock = `${two(date.getUTCHours())}:${two(date.getUTCMinutes())}:${two(date.getUTCSeconds())}`;
  const sign = shown < 0 ? "-" : "+";
  const digits = String(Math.abs(shown)).padStart(4, "0");
  const weekday = DAYS[date.getUTCDay()];
  const month = MONTHS[date.getUTCMonth()];
  switch (style) {
    case "short":
      return day;
    case "iso":
      return `${day} ${clock} ${sign}${digits}`;
    case "iso-strict":
      return `${day}T${clock}${shown === 0 ? "Z" : `${sign}${digits.slice(0, -2)}:${digits.slice(-2)}`}`;
    case "rfc":
      return `${weekday}, ${date.getUTCDate()} ${month} ${year} ${clock} ${sign}${digits}`;
    default:
      return `${weekday} ${month} ${date.getUTCDate()} ${clock} ${year} ${sign}${digits}`;
  }
}

function relativeDate(time: number, now: number): string {
  if (now < time) return "in the future";
  const several = (count: number, unit: string) => `${count} ${unit}${count === 1 ? "" : "s"}`;
  let count = now - time;
  if (count < 90) return `${several(count, "second")} ago`;
  count = Math.floor((count + 30) / 60);
  if (count < 90) return `${several(count, "minute")} ago`;
  count = Math.floor((count + 30) / 60);
  if (count < 36) return `${several(count, "hour")} ago`;
  count = Math.floor((count + 12) / 24);
  if (count < 14) return `${several(count, "day")} ago`;
  if (count < 70) return `${several(Math.floor((count + 3) / 7), "week")} ago`;
  if (count < 365) return `${several(Math.floor((count + 15) / 30), "month")} ago`;
  if (count >= 1825) return `${several(Math.floor((count + 183) / 365), "year")} ago`;
  const months = Math.floor((count * 24 + 365) / 730);
  const years = several(Math.floor(months / 12), "year");
  return months % 12 === 0 ? `${years} ago` : `${years}, ${several(months % 12, "month")} ago`;
}
