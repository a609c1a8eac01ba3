export function median(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  if (sorted.length === 0) return Number.NaN;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

const digits = (value) =>
  value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2);

/** `median (least–most)` */
function show(values) {
  if (values.length === 0) return "refused";
  if (values.some(Number.isNaN)) return "-";
  const range = values.length > 1 ? ` (${digits(Math.min(...values))}–${digits(Math.max(...values))})` : "";
  return digits(median(values)) + range;
}

/**
 * Samples of two sides, kept by what was measured; prints one line for each with the ratio of the medians.
 */
export class Results {
  #rows = new Map();

  /** @param side "git" or "xgit" */
  add(side, measured, value) {
    if (!this.#rows.has(measured)) this.#rows.set(measured, { git: [], xgit: [] });
    this.#rows.get(measured)[side].push(value);
  }

  /** @param promises what was measured → `{ ratio }` or `{ most }` that ours may reach */
  table(promises) {
    const lines = [["", "C git", "xgit", "xgit / C git", "promised"]];
    let kept = true;
    for (const [measured, { git, xgit }] of this.#rows) {
      const ours = median(xgit);
      const ratio = ours / median(git);
      const promise = promises.get(measured);
      let verdict = "";
      if (promise !== undefined && xgit.length > 0) {
        const ok = promise.ratio === undefined ? ours <= promise.most : !(ratio > promise.ratio);
        kept &&= ok;
        verdict = `${ok ? "kept" : "MISSED"}: at most ${promise.most ?? `${promise.ratio} x`}`;
      }
      lines.push([measured, show(git), show(xgit), Number.isNaN(ratio) ? "-" : digits(ratio), verdict]);
    }
    const widths = lines[0].map((_, column) => Math.max(...lines.map((cells) => cells[column].length)));
    const text = lines.map((cells) =>
      cells
        .map((cell, column) => (column === 0 ? cell.padEnd(widths[column]) : cell.padStart(widths[column])))
        .join("  ")
        .trimEnd(),
    );
    return { text: text.join("\n"), kept };
  }

  toJSON() {
    return Object.fromEntries(this.#rows);
  }
}
