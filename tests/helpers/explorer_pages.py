"""What the tests of the explorers do with a page."""

# Set traits of the first explorer, as a kernel does, and wait until they are drawn.
SET = """async (settings) => {
  for (const [name, value] of Object.entries(settings)) models[0].set(name, value);
  await Promise.resolve();
}"""

# From now on, keep the keys that reach the page in the list `seen`.
SEE_KEYS = "() => { window.seen = []; onkeydown = (event) => seen.push(event.key); }"
