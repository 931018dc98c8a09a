// The style sheets of the view, in the order in which they apply.
import adapt from "./adapt.css";
import findings from "./findings.css";
import foot from "./foot.css";
import head from "./head.css";
import layout from "./layout.css";
import left from "./left.css";
import over from "./over.css";
import reasons from "./reasons.css";
import right from "./right.css";
import texts from "./texts.css";
import tokens from "./tokens.css";

export const css = [tokens, layout, head, left, foot, over, right, texts, findings, reasons, adapt].join(
  "\n",
);
