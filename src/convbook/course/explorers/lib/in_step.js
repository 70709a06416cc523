// A drawing kept in step with its model and with the width there is.

/**
 * Keep a drawing in step with `traits` of the model and with the width of `ruler`.
 *
 * `change` writes settings and draws once. `width()` comes from an observer: asking the page each
 * time would lay it out twice.
 */
export function keepInStep({ model, traits, ruler, draw }) {
  let drawnHere = false;
  let waiting = false;
  let width = 0;
  const onModel = () => {
    if (drawnHere || waiting) return;
    waiting = true;
    queueMicrotask(() => {
      waiting = false;
      draw();
    });
  };
  const observer = new ResizeObserver(([entry]) => {
    if (entry.contentRect.width === width) return;
    width = entry.contentRect.width;
    draw();
  });
  return {
    change(patch) {
      drawnHere = true;
      for (const [name, value] of Object.entries(patch)) model.set(name, value);
      drawnHere = false;
      model.save_changes();
      draw();
    },
    width: () => width || ruler.clientWidth || 640,
    start() {
      for (const name of traits) model.on(`change:${name}`, onModel);
      draw();
      observer.observe(ruler);
    },
    stop() {
      observer.disconnect();
      for (const name of traits) model.off(`change:${name}`, onModel);
    },
  };
}
