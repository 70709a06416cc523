// Presses and drags on a drawing.

/** Let a press, and moves while it lasts, call `onPick(x, y)` with the place inside `element`. */
export function followPointer(element, onPick) {
  const pick = (event) => {
    const box = element.getBoundingClientRect();
    onPick(event.clientX - box.left, event.clientY - box.top, event.type === "pointerdown");
  };
  element.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    element.setPointerCapture(event.pointerId);
    pick(event);
  });
  element.addEventListener("pointermove", (event) => {
    if (element.hasPointerCapture(event.pointerId)) pick(event);
  });
}
