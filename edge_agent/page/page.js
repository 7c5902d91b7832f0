// Asks for the light every few seconds and shows it. A page that cannot ask says so: it never shows an old green.
"use strict";
(() => {
  const EVERY_MS = 5000, ANSWER_MS = 4000, PATIENCE_MS = 20000;
  const root = document.documentElement, body = document.body;
  const element = (id) => document.getElementById(id);
  const SIGNS = { green: "%230a6b2d", amber: "%23ffb81c", red: "%23a8071a" };
  let lastAnswer = performance.now();

  // Unchanged text stays untouched, so that a screen reader speaks only when there is news.
  const write = (id, text) => { if (element(id).textContent !== text) element(id).textContent = text; };
  const moment = (id, text) => {
    element(id).setAttribute("datetime", text);
    write(id, text ? new Date(text).toLocaleString([], { dateStyle: "medium", timeStyle: "short" }) : "");
  };

  const show = (colour, headline, advice, ask, codes) => {
    root.dataset.colour = colour;
    write("headline", headline);
    write("advice", advice);
    write("ask", ask);
    write("codes", codes);
    element("call").hidden = !codes;
    document.title = headline + " – " + element("store").textContent;
    document.querySelector("link[rel=icon]").href =
      "data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 8 8'><circle cx='4' cy='4' r='4' fill='" +
      SIGNS[colour] + "'/></svg>";
  };

  const figures = (light) => {
    write("waiting", Number.isFinite(light.waiting) ? light.waiting.toLocaleString() : String(light.waiting));
    moment("waiting-since", light.waitingSince);
    moment("last-success", light.lastSuccess);
    write("store", light.storeId);
  };

  const noAnswer = () => {
    if (performance.now() - lastAnswer < PATIENCE_MS) {
      show("amber", "Checking …", "The program that keeps the sales does not answer yet. Please wait a moment.", "", "");
    } else {
      show("red", body.dataset.noAnswerHeadline, body.dataset.noAnswerAdvice, body.dataset.noAnswerAsk, body.dataset.noAnswerCode);
    }
  };

  const ask = async () => {
    const patience = new AbortController();
    const timer = setTimeout(() => patience.abort(), ANSWER_MS);
    try {
      const answer = await fetch("/v1/light", { cache: "no-store", credentials: "omit", signal: patience.signal });
      if (!answer.ok) throw new Error(String(answer.status));
      const light = await answer.json();
      lastAnswer = performance.now();
      if (light.version !== root.dataset.version) return location.reload();  // the program was updated
      figures(light);
      show(light.colour, light.headline, light.advice, light.ask, light.codes.join(" "));
    } catch {
      noAnswer();
    } finally {
      clearTimeout(timer);
    }
  };

  const round = async () => { await ask(); setTimeout(round, EVERY_MS); };
  document.addEventListener("visibilitychange", () => { if (!document.hidden) ask(); });
  moment("waiting-since", element("waiting-since").getAttribute("datetime"));
  moment("last-success", element("last-success").getAttribute("datetime"));
  round();
})();
