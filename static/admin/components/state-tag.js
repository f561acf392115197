// A state as a coloured word: certification, a person's status, an import, a reference photo, a notice, a message's way.

import * as words from "../words.js";

const KINDS = {
  certification: [words.CERTIFICATION, words.CERTIFICATION_TONE],
  status: [words.STATUS, words.STATUS_TONE],
  import: [words.IMPORT_STATE, words.IMPORT_TONE],
  reference: [words.REFERENCE, words.REFERENCE_TONE],
  notice: [words.NOTICE_STATE, words.NOTICE_TONE],
  importance: [words.IMPORTANCE, words.IMPORTANCE_TONE],
  delivery: [words.DELIVERY_STATE, words.DELIVERY_TONE],
  template: [words.TEMPLATE_STATE, words.TEMPLATE_TONE],
};

export default {
  name: "StateTag",
  props: { kind: { type: String, required: true }, state: { type: String, default: "" }, size: { type: String, default: "default" } },
  setup(props) {
    const label = Vue.computed(() => words.word(KINDS[props.kind][0], props.state));
    const tone = Vue.computed(() => KINDS[props.kind][1][props.state] || "info");
    return { label, tone };
  },
  template: `<el-tag :type="tone" :size="size" disable-transitions :data-state="state">{{ label }}</el-tag>`,
};
