// Runs of whole numbers, and rectangles of rows and columns.

/** Whole numbers start, start + 1, ..., stop - 1. */
export function range(start, stop) {
  const numbers = [];
  for (let i = start; i < stop; i += 1) numbers.push(i);
  return numbers;
}

/** Whole numbers in order as runs [first, last] without a gap. */
export function runsOf(numbers) {
  const runs = [];
  for (const number of numbers) {
    const run = runs[runs.length - 1];
    if (run && run[1] === number - 1) run[1] = number;
    else runs.push([number, number]);
  }
  return runs;
}

/** The top-left `side` by `side` numbers of a grid. */
export function corner(grid, side) {
  return grid.slice(0, side).map((row) => row.slice(0, side));
}

/** The smallest rectangle with these rows and columns, or null when there are none. */
export function boxOf(rows, cols) {
  if (!rows.length || !cols.length) return null;
  return {
    top: Math.min(...rows),
    bottom: Math.max(...rows),
    left: Math.min(...cols),
    right: Math.max(...cols),
  };
}
