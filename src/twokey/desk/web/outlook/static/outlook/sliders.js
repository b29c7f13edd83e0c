"use strict";
// Says what a slider's place means while it moves: beside it, and to a screen reader.
document.addEventListener("input", (event) => {
  const slider = event.target;
  if (!slider.dataset || !slider.dataset.words) return;
  const words = slider.dataset.words.split("|")[Number(slider.value)];
  slider.setAttribute("aria-valuetext", words);
  slider.parentElement.querySelector("output").textContent = words;
});
