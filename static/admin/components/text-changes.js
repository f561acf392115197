// What changed between two texts, word by word: taken away is red and struck, added is green.

import "/static/vendor/diff-9.0.0/diff.min.js";

const { computed } = Vue;
const segmenter = Intl.Segmenter && new Intl.Segmenter("zh", { granularity: "word" });
const words = (text) => (segmenter ? Array.from(segmenter.segment(text), (one) => one.segment) : [...text]);

export default {
  name: "TextChanges",
  props: { before: { type: String, default: "" }, after: { type: String, default: "" } },
  setup(props) {
    const parts = computed(() => globalThis.Diff.diffArrays(words(props.before), words(props.after)).map(({ added, removed, value }) => ({ tag: added ? "ins" : removed ? "del" : "span", text: value.join("") })));
    return { parts };
  },
  template: `<span class="changes"><component v-for="(part, place) in parts" :key="place" :is="part.tag">{{ part.text }}</component></span>`,
};
