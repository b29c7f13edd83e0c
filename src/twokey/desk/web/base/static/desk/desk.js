"use strict";
// Small conveniences. Every form works without this file.

// "/" jumps to the search field, as long as nothing is being typed.
document.addEventListener("keydown", (event) => {
  if (event.key !== "/" || event.target.closest("input, textarea, select, [contenteditable]")) return;
  const field = document.querySelector("[data-search]");
  if (field) {
    event.preventDefault();
    field.focus();
  }
});

// The progress of an upload, and a form that cannot be sent twice.
document.addEventListener("htmx:xhr:loadstart", (event) => {
  const bar = event.target.querySelector("progress");
  if (bar) delete bar.dataset.sent;
});
document.addEventListener("htmx:xhr:progress", (event) => {
  const bar = event.target.querySelector("progress");
  // What is told after the last octet went out is the progress of the answer.
  if (!bar || bar.dataset.sent || !event.detail.lengthComputable) return;
  bar.hidden = false;
  bar.max = event.detail.total;
  bar.value = event.detail.loaded;
  if (event.detail.loaded === event.detail.total) bar.dataset.sent = "1";
});
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.dataset.sent) event.preventDefault();
  form.dataset.sent = "1";
  setTimeout(() => delete form.dataset.sent, 3000);
});

// A refusal that comes as an answer to a partial update is shown where the service put it: htmx swaps 4xx pages too.
document.addEventListener("htmx:beforeSwap", (event) => {
  if (event.detail.xhr.status === 422 || event.detail.xhr.status === 409) {
    event.detail.shouldSwap = true;
    event.detail.isError = false;
  }
});
document.addEventListener("htmx:sendError", () => trouble());
document.addEventListener("htmx:responseError", () => trouble());
function trouble() {
  const box = document.getElementById("problem");
  box.textContent = document.documentElement.lang.startsWith("zh")
    ? "没有得到平台的答复；内容未保存。请重新载入页面后再试。"
    : "The desk did not answer; nothing was saved. Reload the page and try again.";
  box.hidden = false;
}

// The switch of the language leads back to what the page shows now, not to what it showed when it was loaded.
for (const name of ["htmx:replacedInHistory", "htmx:pushedIntoHistory"]) {
  document.addEventListener(name, (event) => {
    const field = document.querySelector(".who form input[name=next]");
    if (field) field.value = event.detail.path;
  });
}

// Fill the rows of a repeated part: "one more" copies the last one, emptied.
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-more]");
  if (!button) return;
  const rows = document.querySelectorAll(button.dataset.more);
  const last = rows[rows.length - 1];
  const copy = last.cloneNode(true);
  copy.querySelectorAll("input, select, textarea").forEach((field) => {
    field.value = "";
    if (field.id) {
      const label = copy.querySelector(`label[for="${field.id}"]`);
      field.id = `${field.id}-${rows.length}`;
      if (label) label.htmlFor = field.id;
    }
  });
  last.after(copy);
  copy.querySelector("input, select, textarea").focus();
});
