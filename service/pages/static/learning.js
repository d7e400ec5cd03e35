// Which training cases were read, kept in this browser and nowhere else. The pages work without it.
const KEPT = "grounds.learning.read";

function read() {
  // A browser may forbid storage, and what is stored may be anything: then nothing counts as read.
  try {
    const kept = JSON.parse(localStorage.getItem(KEPT) ?? "[]");
    return new Set(Array.isArray(kept) ? kept : []);
  } catch {
    return new Set();
  }
}

function keep(codes) {
  try {
    localStorage.setItem(KEPT, JSON.stringify([...codes]));
  } catch {
    // Storage is forbidden or full: the progress is not kept, and nothing else depends on it.
  }
}

function forget() {
  try {
    localStorage.removeItem(KEPT);
  } catch {
    // Storage is forbidden, so nothing is there.
  }
}

const lesson = document.querySelector("[data-lesson]");
if (lesson) keep(read().add(lesson.dataset.lesson));

const progress = document.querySelector("[data-progress]");
if (progress) {
  const cases = [...document.querySelectorAll("[data-case]")];
  const count = progress.querySelector("[data-count]");
  const show = () => {
    const codes = read();
    const known = cases.filter((one) => codes.has(one.dataset.case));
    for (const one of cases) one.querySelector("[data-read]").hidden = !known.includes(one);
    progress.hidden = known.length === 0 && progress.hidden;
    count.textContent = progress.dataset.text.replace("{read}", known.length).replace("{all}", cases.length);
  };
  show();
  progress.querySelector("[data-forget]").addEventListener("click", () => {
    forget();
    show();
    count.textContent = progress.dataset.forgotten;
  });
}
