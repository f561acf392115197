// A notice as one reads it: first what it means in plain words and large letters, then the whole of it, then the papers.
// The text is HTML that the server has made harmless (notifications/rich_text.py): no script, no style, no class.

import NoticeFile from "./notice_file.js";
import { noticeFile } from "../library.js";
import { speech } from "../speech.js";
import { IMPORTANCE, KINDS, day } from "../words.js";

const { computed, inject, onMounted, onUnmounted, ref } = Vue;

export default {
  components: { NoticeFile },
  props: { notice: { type: Object, required: true } },
  setup(props) {
    const whole = ref(null);
    const addresses = [];
    const beside = computed(() => props.notice.pictures.filter((picture) => !props.notice.body.includes(picture.id)));

    /** A picture is named by its id, inside the text too: its address needs the token. */
    async function show(image) {
      try {
        const address = URL.createObjectURL(await noticeFile(props.notice.id, image.dataset.file));
        addresses.push(address);
        image.src = address;
      } catch (error) {
        image.replaceWith("（图片没有打开，请退回去再打开一次。）");
      }
    }

    /** What is too wide for the phone can be moved by a keyboard too, and says what it is. */
    function frame(table) {
      if (table.scrollWidth <= table.clientWidth) return;
      table.tabIndex = 0;
      table.insertAdjacentHTML("beforebegin", '<p class="hint" data-quiet>表格可以左右滑动</p>');
    }

    onMounted(() => {
      whole.value.querySelectorAll("img[data-file]").forEach(show);
      whole.value.querySelectorAll("table").forEach(frame);
    });
    onUnmounted(() => addresses.forEach((address) => URL.revokeObjectURL(address)));

    return { IMPORTANCE, KINDS, beside, day, readAloud: inject("readAloud"), speech, whole };
  },
  template: /* html */ `
    <p class="tags">
      <span v-if="IMPORTANCE[notice.importance]" class="tag tag-new">{{ IMPORTANCE[notice.importance] }}</span>
      <span class="tag">{{ KINDS[notice.kind] }}</span>
    </p>
    <h1 class="title" tabindex="-1" data-testid="notice-title">{{ notice.title }}</h1>
    <p v-if="notice.corrected" class="bar" data-testid="corrected"><span><b>这条通知更正过，请以现在看到的为准。</b>{{ notice.correction_reason }}</span></p>
    <div class="card status summary" :class="notice.importance === 'emergency' ? 'status-alert' : 'status-good'">
      <p class="large" data-testid="notice-summary">{{ notice.summary }}</p>
      <button v-if="speech.offered" type="button" class="weui-btn weui-btn_primary btn-big" data-quiet data-testid="listen" @click="readAloud">
        <app-icon :name="speech.speaking ? 'stop' : 'speaker'"/>{{ speech.speaking ? "停止" : "读给我听" }}
      </button>
    </div>
    <h2>详细内容</h2>
    <div ref="whole" class="card prose rich-text" data-testid="notice-body">
      <div v-html="notice.body"></div>
      <p v-for="picture in beside" :key="picture.id"><img :data-file="picture.id" :alt="picture.name"></p>
    </div>
    <dl class="card facts">
      <div v-if="notice.source"><dt>发文单位</dt><dd>{{ notice.source }}</dd></div>
      <div v-if="notice.document_number"><dt>文号</dt><dd>{{ notice.document_number }}</dd></div>
      <div><dt>发布日期</dt><dd>{{ day(notice.published_at) }}</dd></div>
      <div v-if="notice.effective_on"><dt>从哪天起</dt><dd>{{ day(notice.effective_on) }}</dd></div>
      <div v-if="notice.expires_on"><dt>到哪天为止</dt><dd>{{ day(notice.expires_on) }}</dd></div>
    </dl>
    <template v-if="notice.attachments.length">
      <h2>附件</h2>
      <ul class="cards">
        <li v-for="file in notice.attachments" :key="file.id"><notice-file :notice-id="notice.id" :file="file"/></li>
      </ul>
    </template>
  `,
};
