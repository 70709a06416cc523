// A drawing kept in step with its model and with the width there is.

/**
 * What a kernel, or the page's host, gives an explorer.
 * @typedef {object} Model
 * @property {(name: string) => any} get
 * @property {(name: string, value: any) => void} set
 * @property {() => void} save_changes
 * @property {(event: string, callback: () => void) => void} on
 * @property {(event: string, callback?: () => void) => void} off
 */

/**
 * Keep a drawing in step with `traits` of the model and with the width of `ruler`.
 *
 * `change` writes settings and draws once. `width()` comes from an observer: asking the page each
 * time would lay it out twice.
 *
 * @param {object} options
 * @param {Model} options.model
 * @param {string[]} options.traits
 * @param {Element} options.ruler
 * @param {() => void} options.draw
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
