// A notice as it looks on a retiree's phone, in the letters that are used there.

import { clean, shelf } from "./notice-html.js";
import { bytes } from "./notice-files.js";
import { IMPORTANCE, NOTICE_KIND, word } from "../words.js";

const { computed, onBeforeUnmount, onMounted, ref, watch } = Vue;

export default {
  name: "PhonePreview",
  props: { notice: { type: Object, required: true }, pictures: { type: Object, default: null } },
  setup(props) {
    const text = ref(null);
    const own = props.pictures ? null : shelf((file) => `/notices/${props.notice.id}/files/${file}`);
    const show = () => text.value.replaceChildren((props.pictures || own).show(clean(props.notice.body || "")));
    onMounted(show);
    watch(() => props.notice.body, show, { flush: "post" });
    onBeforeUnmount(() => own?.drop());
    const facts = computed(() => [["发文单位", props.notice.source], ["文号", props.notice.document_number], ["从哪天起", props.notice.effective_on], ["到哪天为止", props.notice.expires_on]].filter(([, value]) => value));
    return { text, facts, bytes, word, IMPORTANCE, NOTICE_KIND };
  },
  template: `
    <section class="phone" aria-label="手机上的样子" data-testid="phone-preview">
      <div class="phone-screen" tabindex="0">
        <p class="phone-tags"><span v-if="notice.importance !== 'routine'" class="urgent">{{ word(IMPORTANCE, notice.importance) }}</span><span>{{ word(NOTICE_KIND, notice.kind) }}</span></p>
        <h2 class="phone-title" data-testid="preview-title">{{ notice.title || '标题' }}</h2>
        <p v-if="notice.version > 1" class="phone-bar"><b>这条通知更正过，请以现在看到的为准。</b>{{ notice.correction_reason }}</p>
        <div class="phone-card phone-summary" :class="{ urgent: notice.importance === 'emergency' }"><p data-testid="preview-summary">{{ notice.summary || '用大白话写，老人一看就懂。' }}</p><span class="phone-button">读给我听</span></div>
        <h3>详细内容</h3>
        <div ref="text" class="phone-card notice-text" data-testid="preview-body"></div>
        <dl v-if="facts.length" class="phone-card"><div v-for="[name, value] in facts" :key="name"><dt>{{ name }}</dt><dd>{{ value }}</dd></div></dl>
        <template v-if="notice.attachments?.length"><h3>附件</h3><ul><li v-for="file in notice.attachments" :key="file.id" class="phone-card">{{ file.name }} <small>{{ bytes(file.bytes) }}</small></li></ul></template>
        <div class="phone-card"><p>看不明白，或者不知道怎么办？点一下，社区工作人员打电话给您。</p><span class="phone-button even">我需要帮助</span></div>
      </div>
    </section>`,
};
