// Gives each explorer on a static page what a Jupyter kernel would give it: an element and a model.
// The page holds <div class="convbook-explorer" data-explorer> with the explorer's state, as JSON in
// a script element, and a static fallback.

(() => {
  /** The part of a widget model that explorers use; nothing is sent anywhere. */
  function createModel(values) {
    const listeners = new Map();
    const emit = (event) => (listeners.get(event) ?? []).forEach((callback) => callback());
    return {
      get: (name) => values[name],
      set(name, value) {
        if (JSON.stringify(values[name]) === JSON.stringify(value)) return;
        values[name] = value;
        emit(`change:${name}`);
        emit("change");
      },
      on(event, callback) {
        listeners.set(event, [...(listeners.get(event) ?? []), callback]);
      },
      off(event, callback) {
        const kept = callback ? (listeners.get(event) ?? []).filter((c) => c !== callback) : [];
        listeners.set(event, kept);
      },
      save_changes() {},
    };
  }

  /** Import a module from its text: a page opened from disk may not import a file. */
  function importText(text) {
    const url = URL.createObjectURL(new Blob([text], { type: "text/javascript" }));
    return import(url).finally(() => URL.revokeObjectURL(url));
  }

  /** An explorer behind the modules that it needs, as the text of one module. */
  function textOf(name) {
    const { needs, text } = globalThis.convbookModules[name];
    return [...needs.map((module) => globalThis.convbookModules[module].text), text].join("\n");
  }

  const modules = new Map();
  function loadExplorer(name) {
    if (!modules.has(name)) modules.set(name, importText(textOf(name)));
    return modules.get(name);
  }

  /** Replace one fallback by the running explorer, or leave it where it is. */
  async function start(host) {
    const { explorer } = host.dataset;
    const fallback = [...host.childNodes];
    const el = document.createElement("div");
    try {
      const { default: frontEnd } = await loadExplorer(explorer);
      const state = JSON.parse(host.querySelector('script[type="application/json"]').textContent);
      host.append(el);
      await frontEnd.render({ model: createModel(state), el });
      fallback.forEach((node) => node.remove());
      host.dataset.ready = "true";
    } catch (error) {
      el.remove(); // the fallback still answers the reader's question
      console.error(`explorer ${explorer} did not start:`, error);
    }
  }

  // By then every deferred script has run, so all modules are registered.
  document.addEventListener("DOMContentLoaded", () => {
    document.querySelectorAll(".convbook-explorer").forEach(start);
  });
})();
