"""Print how long the explorers take to redraw at their largest grids.

    python -m benchmarks.explorers

A slider move, an edit, a click, or a move of the mouse is timed in the page from the event to the
end of style and layout: what has to fit in a frame of 16 ms. It happens where a browser hands out
events, at the start of a frame; nothing is waited for in between. The next columns say how much CPU
time a frame takes for script, style and layout, without what mounts and warms up; other programs on
the machine change it less than what a clock says. The last one counts the explorer's elements.
Chromium is found as in the tests; set CHROMIUM=/path/to/chromium for another.
"""

import json
import statistics

from playwright.sync_api import sync_playwright

from convbook.arithmetic import Layer
from convbook.course.explorers import (
    AssignmentBench,
    ConvStepper,
    CostExplorer,
    CoverageExplorer,
    MatrixView,
    PhotographExplorer,
    Quiz,
    ReceptiveFieldExplorer,
    ShuffleExplorer,
    WhatAilsThisRun,
    WhatReachesLayer50,
)
from convbook.course.explorers.sources import module_source, names, style_source
from tools.browser import FLAGS, find_chromium

HOME = "https://explorers.test/"
MOVES = 200
WORK = ("ScriptDuration", "RecalcStyleDuration", "LayoutDuration")  # of Chromium's own counters
WARM_UP = 20  # moves not counted: the browser compiles the code first

# Name, explorer, what is operated and the two values between which it goes to and fro: a slider by
# its label, or by a selector a field or a menu; a canvas (how far from its left edge the mouse is);
# cells under the mouse or buttons to press (the places of two of them).
LARGEST = [
    (
        "stepper 18x18 -> 18x18",
        ConvStepper(input_size=10, kernel_size=1, padding=4),
        "Stride",
        (1, 2),
    ),
    (
        "stepper 18x18, kernel 5x5",
        ConvStepper(input_size=10, kernel_size=5, padding=4),
        "Dilation",
        (1, 2),
    ),
    (
        "stepper, padding 17 <-> 18 wide",
        ConvStepper(input_size=10, kernel_size=5, padding=4),
        "Padding after",
        (3, 4),
    ),
    (
        "stepper, input 9 <-> 10",
        ConvStepper(input_size=10, kernel_size=5, padding=4),
        "Input size",
        (9, 10),
    ),
    (
        "stepper, transposed -> 20x20",
        ConvStepper(mode="transposed", input_size=10, stride=2, kernel_size=2),
        "Kernel size",
        (1, 2),
    ),
    ("matrix 9x25 <-> 25x25", MatrixView(input_size=5, kernel_size=3), "Padding", (0, 1)),
    ("matrix 49x25 <-> 36x25", MatrixView(input_size=5, padding=1), "Kernel size", (1, 2)),
    (
        "windows 4x25 <-> 4x36",
        MatrixView(input_size=5, padding=1, view="im2col"),
        "Input size",
        (4, 5),
    ),
    ("matrix 4x9, rows", MatrixView(), ".cb-grid-left .cb-cell", (10, 20)),
    (
        "matrix 25x25, rows",
        MatrixView(input_size=5, kernel_size=3, padding=1),
        ".cb-grid-left .cb-cell",
        (30, 330),
    ),
    (
        "matrix 49x25, rows",
        MatrixView(input_size=5, kernel_size=1, padding=1),
        ".cb-grid-left .cb-cell",
        (30, 330),
    ),
    (
        "windows 9x25, columns",
        MatrixView(input_size=5, kernel_size=3, padding=1, view="im2col"),
        ".cb-grid-right .cb-cell",
        (2, 13),
    ),
    (
        "20 layers on 64 pixels, output",
        ReceptiveFieldExplorer([Layer(3, padding=1)] * 20, input_size=64),
        "Output",
        (20, 21),
    ),
    (
        "20 layers on 64 pixels, input size",
        ReceptiveFieldExplorer([Layer(3, padding=1)] * 20, input_size=64),
        "Input size",
        (63, 64),
    ),
    (
        "40 layers on 2048 pixels, layer",
        ReceptiveFieldExplorer([Layer(3, padding=1)] * 40, input_size=2048),
        "Layer",
        (39, 40),
    ),
    (
        "ResNet-18 on 224 pixels, layer",
        ReceptiveFieldExplorer(preset="resnet18"),
        "Layer",
        (17, 18),
    ),
    (
        "cost, 2048 <-> 4096 channels in",
        CostExplorer(4096, 4096, kernel_size=11, input_size=1024, bias=True),
        "Channels in",
        (2048, 4096),
    ),
    (
        "cost, 2048 <-> 4096 groups",
        CostExplorer(4096, 4096, kernel_size=11, show="grouped"),
        "Groups",
        (11, 12),
    ),
    ("cost, kernel 3 <-> 5", CostExplorer(show="spatially_separable"), "Kernel size", (1, 2)),
    ("coverage 2, 2, 2, position", CoverageExplorer(), "Which position", (5, 6)),
    (
        "coverage 1..16, 3 taps, layer 5",
        CoverageExplorer(preset="long"),
        "Layer 5",
        (15, 16),
    ),
    (
        "coverage, 577 wide, layer 6",
        CoverageExplorer([16] * 6, kernel_size=7),
        "Layer 6",
        (15, 16),
    ),
    (
        "coverage, all 433 reached, position",
        CoverageExplorer([1, 7, 16, 16, 16, 16], kernel_size=7),
        "Which position",
        (200, 201),
    ),
    (
        "coverage, transposed -> 47x47, stride",
        CoverageExplorer(mode="transposed", kernel_size=7, stride=4, dilation=3, size=8),
        "Stride",
        (3, 4),
    ),
    (
        "coverage, 13x13 <-> 17x17 numbered",
        CoverageExplorer(mode="transposed", size=8),
        "Input size",
        (6, 8),
    ),
    ("shuffle, 2 channels, cells", ShuffleExplorer(), ".cb-grid-large .cb-cell", (1, 14)),
    (
        "shuffle, 48 <-> 32 channels",
        ShuffleExplorer(4, channels=3, size=3, show="values"),
        "Channels",
        (2, 3),
    ),
    (
        "shuffle, 48 channels, cells",
        ShuffleExplorer(4, channels=3, size=3),
        ".cb-grid-large .cb-cell",
        (1, 400),
    ),
    ("photograph 3x3, a weight", PhotographExplorer(), ".cb-grid-weight input", (-1, -2)),
    ("photograph, mouse", PhotographExplorer(), "canvas", (60, 160)),
    ("assignment, filters", AssignmentBench(), "[aria-label='Filters of layer 1']", (16, 32)),
    ("assignment, network", AssignmentBench(), ".cb-preset", (0, 5)),
    ("sick runs, case", WhatAilsThisRun(), ".cb-preset", (0, 1)),
    (
        "sick runs, run to compare",
        WhatAilsThisRun(view="compare"),
        ".cb-sick-row select",
        ("healthy", "low"),
    ),
    ("layer 50, depth", WhatReachesLayer50(against="plain.he"), "Depth", (3, 4)),
    ("quiz, choose and check", Quiz("03_shapes/opening-question"), "input, .cb-main", (0, -1)),
]

START = """async ({ state, target, values, moves }) => {
  const module = await import(`./${state.explorer}.js`);
  const model = {
    get: (name) => state[name],
    set: (name, value) => (state[name] = value),
    on() {}, off() {}, save_changes() {},
  };
  const el = document.querySelector("main");
  const cleanup = module.default.render({ model, el });
  el.querySelector(".cb-check input")?.click();
  await new Promise((done) => setTimeout(done, 100)); // pictures come
  const slider = [...el.querySelectorAll(".cb-control, .cb-controls .cb-field")]
    .find((control) => control.textContent.startsWith(target))?.querySelector("input")
    ?? el.querySelector(`.cb-player [aria-label="${target}"]`);
  const found = slider ? [slider] : [...el.querySelectorAll(target)];
  if (!found.length) throw new Error(`no ${target}`);
  const field = found.length === 1 || found[0].type === "text" || found[0].tagName === "SELECT";
  const bubbles = true;
  const mouse = (element, place) =>
    element.dispatchEvent(new PointerEvent("pointermove", { bubbles, ...place }));
  const canvas = found[0].getBoundingClientRect();
  const move = (value) => {
    if (found[0].tagName === "CANVAS") {
      mouse(found[0], { clientX: canvas.left + value, clientY: canvas.top + 50 });
    } else if (field) {
      found[0].value = value;
      for (const name of ["input", "change"]) found[0].dispatchEvent(new Event(name, { bubbles }));
    } else if (found[0].matches(".cb-cell")) mouse(found[value]);
    else found.at(value).click();
  };
  window.timeMoves = async (moves) => {
    const times = [];
    for (let count = 0; count < moves; count += 1) {
      await new Promise(requestAnimationFrame);
      const start = performance.now();
      move(values[count % 2]);
      el.getBoundingClientRect();
      times.push(performance.now() - start);
    }
    return times;
  };
  window.takeDown = () => {
    cleanup?.();
    el.replaceChildren();
  };
  await window.timeMoves(moves);
  return el.querySelectorAll("*").length;
}"""


def serve(route):
    """Answer the page's own requests."""
    path = route.request.url.removeprefix(HOME)
    if path.removesuffix(".js") in names():
        route.fulfill(body=module_source(path.removesuffix(".js")), content_type="text/javascript")
    else:
        page = f"<!doctype html><style>{style_source()}</style><main style='width: 740px'></main>"
        route.fulfill(body=page, content_type="text/html")


def work(session):
    """Return the CPU time, in ms, that the page has taken so far for script, style and layout."""
    metrics = {m["name"]: m["value"] for m in session.send("Performance.getMetrics")["metrics"]}
    return [1000 * metrics[name] for name in WORK]


def main():
    """Measure each case and print median, 95th percentile, largest and CPU time."""
    with sync_playwright() as session:
        browser = session.chromium.launch(executable_path=find_chromium(), args=[*FLAGS])
        page = browser.new_page()
        page.route("**/*", serve)
        page.goto(HOME)
        counters = page.context.new_cdp_session(page)
        counters.send("Performance.enable", {"timeDomain": "threadTicks"})
        heads = ("median", "95 %", "largest", "script", "style", "layout", "elements")
        print(f"{'ms from event to layout (frame: 16)':38} " + " ".join(f"{h:>8}" for h in heads))
        for name, widget, target, values in LARGEST:
            state = {k: v for k, v in widget.get_state().items() if not k.startswith("_")}
            state = {
                k: v for k, v in state.items() if isinstance(v, int | str | list | tuple | dict)
            }
            data = {"state": state, "target": target, "values": values, "moves": WARM_UP}
            elements = page.evaluate(START, json.loads(json.dumps(data)))
            before = work(counters)
            times = sorted(page.evaluate("timeMoves", MOVES))
            taken = [(b - a) / MOVES for a, b in zip(before, work(counters), strict=True)]
            page.evaluate("takeDown()")
            figures = statistics.median(times), times[int(0.95 * MOVES)], times[-1], *taken
            print(
                f"{name:38} " + " ".join(f"{figure:8.1f}" for figure in figures) + f"{elements:9}"
            )
        browser.close()


if __name__ == "__main__":
    main()
