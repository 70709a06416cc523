// Key presses: what an explorer keeps from the page around it.

/**
 * Keep key presses inside an explorer: JupyterLab reads an arrow key as a move to another cell.
 * Presses with Ctrl or Meta go on, such as the page's search.
 */
export function keepKeys(root) {
  root.addEventListener("keydown", (event) => {
    if (!event.ctrlKey && !event.metaKey) event.stopPropagation();
  });
  return root;
}
