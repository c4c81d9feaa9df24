/* Tells what a Task would execute while somebody types: sends the form as it stands to the page that looks at it without
   keeping it, and shows its answer. */
"use strict";

(() => {
  const PAUSE = 500; // milliseconds without a keystroke, after which the form is sent

  const watch = (panel) => {
    const form = panel.closest("form");
    const shown = panel.querySelector("[data-preview-shown]");
    const state = panel.querySelector("[data-preview-state]");
    let timer = 0;
    let sending = null;

    // Files stay where they are until the form is saved: of each only the name is sent.
    const typed = () => {
      const data = new FormData();
      for (const [name, value] of new FormData(form)) {
        if (value instanceof File) {
          if (value.name) data.append(name, new File(["."], value.name));
        } else {
          data.append(name, value);
        }
      }
      return data;
    };

    const look = async () => {
      if (sending) sending.abort();
      const own = (sending = new AbortController());
      state.textContent = "…";
      try {
        const answer = await fetch(panel.dataset.preview, {
          method: "POST",
          body: typed(),
          signal: own.signal,
          redirect: "error", // to the login page, where the session is over
          headers: { "X-CSRFToken": form.querySelector("[name=csrfmiddlewaretoken]").value },
        });
        if (!answer.ok) throw new Error(String(answer.status));
        shown.innerHTML = await answer.text();
        state.textContent = "";
      } catch (error) {
        if (error.name !== "AbortError") state.textContent = "(not up to date: the service gave no answer)";
      }
    };

    const later = () => {
      window.clearTimeout(timer);
      timer = window.setTimeout(look, PAUSE);
    };

    form.addEventListener("input", later);
    form.addEventListener("change", later);
    document.addEventListener("formset:added", later);
    document.addEventListener("formset:removed", later);
  };

  document.addEventListener("DOMContentLoaded", () => {
    const panel = document.querySelector("[data-preview]");
    if (panel) watch(panel);
  });
})();
