"""Print how long a slider move takes to redraw the conv stepper at its largest grids.

    python benchmarks/explorers.py

A move is timed in the page from the input event to the end of style and layout: what has to fit in
a frame of 16 ms. Chromium is found as in the tests; set CHROMIUM=/path/to/chromium for another.
"""

import json
import statistics

from playwright.sync_api import sync_playwright

from convbook.explorers import ConvStepper
from convbook.explorers.sources import module_source, style_source
from convbook.site.browser import FLAGS, find_chromium

HOME = "https://explorers.test/"
MOVES = 200
WARM_UP = 20  # moves not counted: the browser compiles the code first

# name, settings, the slider to move and the two values between which it goes to and fro
LARGEST = [
    ("convolution 18x18 -> 18x18", {"kernel_size": 1, "padding": 4}, "Stride", (1, 2)),
    ("convolution 18x18, kernel 5x5", {"kernel_size": 5, "padding": 4}, "Dilation", (1, 2)),
    ("padding 17 <-> 18 wide", {"kernel_size": 5, "padding": 4}, "Padding after", (3, 4)),
    ("input 9 <-> 10", {"kernel_size": 5, "padding": 4}, "Input size", (9, 10)),
    (
        "transposed 10x10 -> 20x20",
        {"mode": "transposed", "stride": 2, "kernel_size": 2},
        "Kernel size",
        (1, 2),
    ),
]

MEASURE = """async ({ state, label, values, moves }) => {
  const module = await import("./conv_stepper.js");
  const model = {
    get: (name) => state[name],
    set: (name, value) => (state[name] = value),
    on() {}, off() {}, save_changes() {},
  };
  const el = document.querySelector("main");
  const cleanup = module.default.render({ model, el });
  el.querySelector(".cb-check input").click();
  const slider = [...el.querySelectorAll(".cb-control")]
    .find((control) => control.textContent.startsWith(label)).querySelector("input");
  const times = [];
  for (let move = 0; move < moves; move += 1) {
    slider.value = values[move % 2];
    const start = performance.now();
    slider.dispatchEvent(new Event("input", { bubbles: true }));
    el.getBoundingClientRect();
    times.push(performance.now() - start);
    await new Promise(requestAnimationFrame);
  }
  cleanup();
  el.replaceChildren();
  return times;
}"""


def serve(route):
    """Answer the page's own requests."""
    body = {
        "": f"<!doctype html><style>{style_source()}</style><main style='width: 740px'></main>",
        "conv_stepper.js": module_source("conv_stepper"),
    }[route.request.url.removeprefix(HOME)]
    kind = "text/javascript" if route.request.url.endswith(".js") else "text/html"
    route.fulfill(body=body, content_type=kind)


def main():
    """Measure each case and print median, 95th percentile and largest."""
    with sync_playwright() as session:
        browser = session.chromium.launch(executable_path=find_chromium(), args=[*FLAGS])
        page = browser.new_page()
        page.route("**/*", serve)
        page.goto(HOME)
        print(f"{'slider move, ms (a frame is 16)':34} {'median':>8} {'95 %':>8} {'largest':>8}")
        for name, settings, label, values in LARGEST:
            widget = ConvStepper(**{"input_size": 10, **settings})
            state = {k: v for k, v in widget.get_state().items() if not k.startswith("_")}
            state = {k: v for k, v in state.items() if isinstance(v, int | str | list | tuple)}
            data = {"state": state, "label": label, "values": values, "moves": WARM_UP + MOVES}
            times = page.evaluate(MEASURE, json.loads(json.dumps(data)))
            counted = sorted(times[WARM_UP:])
            figures = statistics.median(counted), counted[int(0.95 * MOVES)], counted[-1]
            print(f"{name:34} " + " ".join(f"{figure:8.1f}" for figure in figures))
        browser.close()


if __name__ == "__main__":
    main()
