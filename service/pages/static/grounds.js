// Small comforts where there is JavaScript. Every page works without it.
import { createAll, Button, ErrorSummary, ServiceNavigation, SkipLink } from "./govuk-frontend.min.js";

document.body.classList.add("js-enabled", "govuk-frontend-supported");
for (const component of [Button, ErrorSummary, ServiceNavigation, SkipLink]) createAll(component);

for (const button of document.querySelectorAll("[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => window.print());
}
