// The text of a notice: what may stand in it, and its pictures. A picture is named, not addressed: <img data-file="id">; the
// pages fetch it with their token and show it as a blob.

import "/static/vendor/dompurify-3.4.18/purify.min.js";
import * as api from "../api.js";

const { DOMPurify } = globalThis;
const FILE = /^[0-9a-f]{24}$/;
const BLOCK = "p, h2, h3, h4, ul, ol, blockquote, table, hr";
// What the server keeps, and what becomes something that it keeps
const TAGS = ["p", "h2", "h3", "h4", "ul", "ol", "li", "blockquote", "table", "thead", "tbody", "tr", "th", "td", "br", "hr", "strong", "b", "em", "i", "u", "a", "img"];
const INSTEAD = { DIV: "p", PRE: "p", SECTION: "p", ARTICLE: "p", H1: "h2", H5: "h4", H6: "h4" };

function renamed(element, tag) {
  const other = document.createElement(tag);
  other.append(...element.childNodes);
  element.replaceWith(other);
}

/** Text from anywhere as nodes: nothing in it but what the server would keep as well. */
export function clean(html) {
  const fragment = DOMPurify.sanitize(html, {
    ALLOWED_TAGS: [...TAGS, ...Object.keys(INSTEAD).map((tag) => tag.toLowerCase())],
    ALLOWED_ATTR: ["href", "alt", "colspan", "rowspan", "data-file"],
    ALLOWED_URI_REGEXP: /^(?:https?|tel):/i,
    ADD_URI_SAFE_ATTR: ["colspan", "rowspan", "data-file"], // they hold no address
    ALLOW_DATA_ATTR: false,
    ALLOW_ARIA_ATTR: false,
    RETURN_DOM_FRAGMENT: true,
  });
  for (const picture of fragment.querySelectorAll("img")) if (!FILE.test(picture.dataset.file)) picture.remove();
  // from the innermost outwards: what holds paragraphs is none itself
  for (const element of [...fragment.querySelectorAll(Object.keys(INSTEAD).join())].reverse()) {
    if (element.querySelector(BLOCK)) element.replaceWith(...element.childNodes);
    else renamed(element, INSTEAD[element.tagName]);
  }
  return document.importNode(fragment, true);
}

const bare = (element) => !element.textContent.trim() && !element.querySelector("img");

/** What the editor holds as the text to send: no addresses of this page, no empty marks, no empty lines at its end. */
export function stored(html) {
  const box = document.createElement("div");
  box.append(clean(html));
  for (const mark of [...box.querySelectorAll("b, strong, i, em, u, a")].reverse()) if (bare(mark)) mark.replaceWith(...mark.childNodes);
  while (box.lastElementChild?.matches("p") && bare(box.lastElementChild)) box.lastElementChild.remove();
  return box.innerHTML;
}

/** The words alone, a line for each paragraph, item and cell: to compare two versions. */
export function plain(html) {
  const box = document.createElement("div");
  box.append(clean(html));
  for (const picture of box.querySelectorAll("img")) picture.replaceWith(`［图片${picture.alt ? `：${picture.alt}` : ""}］`);
  for (const block of box.querySelectorAll(`${BLOCK}, li, td, th, br`)) block.before("\n");
  return box.textContent.split("\n").map((line) => line.trim()).filter(Boolean).join("\n");
}

/** The pictures of a notice, each fetched once; `drop()` lets go of them. `address(file)` is a path of the API; `put` sets a
 *  picture's address where that is no change of the text. */
export function shelf(address) {
  const fetched = new Map();
  return {
    show(root, put = (work) => work()) {
      for (const picture of root.querySelectorAll("img[data-file]:not([src])")) {
        const { file } = picture.dataset;
        if (!fetched.has(file)) fetched.set(file, api.picture(address(file)).catch(() => ""));
        fetched.get(file).then((blob) => blob && put(() => picture.setAttribute("src", blob)));
      }
      return root;
    },
    drop() {
      for (const found of fetched.values()) found.then((blob) => blob && URL.revokeObjectURL(blob));
      fetched.clear();
    },
  };
}
