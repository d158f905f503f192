"use strict";
(() => {
  const all = (selector, from = document) => [...from.querySelectorAll(selector)];
  const rows = all(".items tr.item");
  const bodies = all(".items tbody");
  const groups = all("details.group");
  const controls = document.getElementById("controls");
  const box = document.getElementById("search");
  const found = document.getElementById("found");
  const fold = (text) => text.normalize("NFKC").toLowerCase().replace(/\s+/g, " ");
  let texts;

  const search = () => {
    const words = fold(box.value).split(" ").filter(Boolean);
    texts ??= rows.map((row) => {
      const reason = row.parentElement.querySelector("tr.reason");
      return fold(row.textContent + " " + (reason ? reason.textContent : ""));
    });
    let number = 0;
    rows.forEach((row, at) => {
      const hide = !words.every((word) => texts[at].includes(word));
      if (row.hidden !== hide) row.hidden = hide;
      number += hide ? 0 : 1;
    });
    bodies.forEach((body) => { body.hidden = !body.querySelector("tr.item:not([hidden])"); });
    groups.forEach((group) => { group.hidden = !group.querySelector("tr.item:not([hidden])"); });
    found.textContent = words.length ? `${number} of ${rows.length} rows` : "";
  };

  let waiting;
  const later = () => { clearTimeout(waiting); waiting = setTimeout(search, 120); };

  const order = new Intl.Collator(undefined, { numeric: true });
  const key = (row, at) => {
    const cell = row.children[at];
    return cell.dataset.sort ?? cell.textContent.trim();
  };

  const sort = (head) => {
    const at = head.cellIndex;
    const table = head.closest("table");
    const down = head.ariaSort === "ascending";
    all("th[aria-sort]", table).forEach((one) => one.removeAttribute("aria-sort"));
    head.ariaSort = down ? "descending" : "ascending";
    all("tbody", table).forEach((body) => {
      const sorted = all("tr.item", body).map((row) => [key(row, at), row]);
      sorted.sort((one, other) => order.compare(one[0], other[0]) * (down ? -1 : 1));
      body.replaceChildren(...all("tr.reason", body), ...sorted.map((pair) => pair[1]));
    });
  };

  all(".items thead th").forEach((head) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = head.textContent;
    button.title = "Sort";
    button.addEventListener("click", () => sort(head));
    head.replaceChildren(button);
  });

  // Cards of a narrow screen are no longer a table for a screen reader, so say that they are one.
  if (matchMedia("(max-width: 46rem)").matches) {
    const roles = { table: "table", thead: "rowgroup", tbody: "rowgroup", tr: "row", td: "cell" };
    Object.entries(roles).forEach(([name, role]) => {
      all(`.items${name === "table" ? "" : ` ${name}`}`).forEach((one) => { one.role = role; });
    });
  }

  box.addEventListener("input", later);
  controls.addEventListener("submit", (event) => event.preventDefault());
  addEventListener("beforeprint", () => all("details").forEach((one) => { one.open = true; }));
  if (rows.length) controls.hidden = false;
})();
