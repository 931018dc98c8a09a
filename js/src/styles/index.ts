// The style sheets of the view, in the order in which they apply.
import adapt from "./adapt.css";
import answer from "./answer.css";
import findings from "./findings.css";
import head from "./head.css";
import layout from "./layout.css";
import left from "./left.css";
import over from "./over.css";
import reading from "./reading.css";
import reasons from "./reasons.css";
import sheets from "./sheets.css";
import stage from "./stage.css";
import tabs from "./tabs.css";
import texts from "./texts.css";
import tokens from "./tokens.css";
import track from "./track.css";

export const css = [
  tokens,
  layout,
  head,
  stage,
  reading,
  answer,
  findings,
  track,
  left,
  over,
  tabs,
  texts,
  sheets,
  reasons,
  adapt,
].join("\n");
