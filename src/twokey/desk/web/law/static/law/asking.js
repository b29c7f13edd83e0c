"use strict";
// The form that answers as you write: a short address, and nothing lost of what is being written while an answer comes.

const ASK = "#ask";
let writing = null;
let unfolded = [];

document.addEventListener("htmx:configRequest", (event) => {
  const form = event.target.closest(ASK);
  if (!form) return;
  for (const field of form.querySelectorAll("input[name], select[name]")) {
    if (field.value === "" && !field.closest(".further")) event.detail.parameters.delete(field.name);
  }
});
document.addEventListener("htmx:beforeSwap", () => {
  unfolded = [...document.querySelectorAll(`${ASK} #more details[open]`)].map((part) => part.querySelector("summary").firstChild.data);
  const field = document.activeElement;
  writing = field && field.id && field.closest(`${ASK} #more`) ? { id: field.id, value: field.value } : null;
});
document.addEventListener("htmx:afterSettle", () => {
  for (const part of document.querySelectorAll(`${ASK} #more details`)) {
    if (unfolded.includes(part.querySelector("summary").firstChild.data)) part.open = true;
  }
  const field = writing && document.getElementById(writing.id);
  if (field && field.value !== writing.value) {
    field.value = writing.value;
    field.dispatchEvent(new Event("input", { bubbles: true }));
  }
  writing = null;
});
