// Elements: made once, then changed only where they have to.

/** Make an element: props are attributes, `class`, `on` (events) and plain text as a child. */
export function h(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (name === "on") {
      for (const [event, handler] of Object.entries(value))
        element.addEventListener(event, handler);
    } else if (value === true) {
      element.setAttribute(name, "");
    } else if (value !== false && value !== null && value !== undefined) {
      element.setAttribute(name, value);
    }
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return element;
}

/** Give `parent` these children, moving only what has to move: a node kept costs no layout. */
export function setChildren(parent, wanted) {
  const { childNodes } = parent;
  if (childNodes.length === wanted.length && wanted.every((one, i) => one === childNodes[i]))
    return;
  const keep = new Set(wanted);
  for (const child of [...parent.childNodes]) if (!keep.has(child)) child.remove();
  let next = parent.firstChild;
  for (const child of wanted) {
    if (child === next) next = next.nextSibling;
    else parent.insertBefore(child, next);
  }
}

/** Give `parent` new content, changing only the texts and classes that differ where it is alike. */
export function setContent(parent, ...wanted) {
  const old = [...parent.childNodes];
  wanted.forEach((one, i) => {
    const node = typeof one === "string" ? document.createTextNode(one) : one;
    const kept = old[i];
    if (kept?.nodeName !== node.nodeName) {
      if (kept) kept.replaceWith(node);
      else parent.append(node);
    } else if (node.nodeType === Node.TEXT_NODE) {
      if (kept.data !== node.data) kept.data = node.data;
    } else {
      setAttribute(kept, "class", node.getAttribute("class"));
      setContent(kept, ...node.childNodes);
    }
  });
  for (const child of old.slice(wanted.length)) child.remove();
}

/** Write text only when it changes, so that an unchanged node costs no layout. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Write an attribute only when it changes; null removes it. */
export function setAttribute(element, name, value) {
  if (value === null) {
    if (element.hasAttribute(name)) element.removeAttribute(name);
  } else if (element.getAttribute(name) !== String(value)) {
    element.setAttribute(name, value);
  }
}

/** An id or radio-group name no other explorer on the page has. */
export function uniqueName(prefix) {
  return `cb-${prefix}-${Math.random().toString(36).slice(2, 10)}`;
}

/** Text with `code` in backticks, as nodes; never parsed as HTML. */
export function inlineCode(text) {
  return text
    .split("`")
    .map((part, i) => (i % 2 ? h("code", {}, part) : document.createTextNode(part)));
}
