"use strict";

// Shows the document that is chosen in the list; nothing is asked of any other server.
const face = document.getElementById("face");

function show() {
  document.getElementById("document").href = face.value;
  SwaggerUIBundle({
    dom_id: "#calls",
    url: face.value,
    presets: [SwaggerUIBundle.presets.apis],
    layout: "BaseLayout",
    validatorUrl: null,
  });
}

face.addEventListener("change", show);
show();
