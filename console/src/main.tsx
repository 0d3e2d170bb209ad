import { render } from "preact";

import { App } from "./app";
import "./style.css";

const at = document.getElementById("console");
if (at) {
  at.replaceChildren();
  render(<App />, at);
}
