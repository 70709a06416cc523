// Presses and drags on a drawing, and the mouse above it.

/**
 * Let a press, and moves while it lasts, call `onPick(x, y, starts)` with the place inside
 * `element`. `onPoint(x, y)` hears of a mouse that only moves over it, and of its leaving as NaN.
 * @param {Element} element
 * @param {(x: number, y: number, starts: boolean) => void} onPick
 * @param {(x: number, y: number) => void} [onPoint]
 */
export function followPointer(element, onPick, onPoint = () => {}) {
  const place = (event) => {
    const box = element.getBoundingClientRect();
    return /** @type {[number, number]} */ ([event.clientX - box.left, event.clientY - box.top]);
  };
  element.addEventListener("pointerdown", (/** @type {PointerEvent} */ event) => {
    if (event.button !== 0) return;
    element.setPointerCapture(event.pointerId);
    onPick(...place(event), true);
  });
  element.addEventListener("pointermove", (/** @type {PointerEvent} */ event) => {
    if (element.hasPointerCapture(event.pointerId)) onPick(...place(event), false);
    else if (event.pointerType !== "touch") onPoint(...place(event));
  });
  element.addEventListener("pointerleave", () => onPoint(NaN, NaN));
}
