// A document that belongs to a notice: fetched by a tap, then handed to the phone.

import { filePath, noticeFile } from "../library.js";
import { announce } from "../store.js";
import { insideMiniProgram, openFile } from "../wechat.js";
import { fileSize } from "../words.js";

const { ref } = Vue;

const FREE_AFTER_MS = 60_000; // a slow phone still reads from it

export default {
  props: { noticeId: { type: String, required: true }, file: { type: Object, required: true } },
  setup(props) {
    const busy = ref(false);
    const done = ref(false);
    const error = ref("");

    async function fetchIt() {
      if (insideMiniProgram()) {
        openFile(filePath(props.noticeId, props.file.id), props.file.name);
        return;
      }
      busy.value = true;
      error.value = "";
      try {
        save(await noticeFile(props.noticeId, props.file.id));
        done.value = true;
        announce("已经下载");
      } catch (problem) {
        error.value = problem.message;
      } finally {
        busy.value = false;
      }
    }

    function save(blob) {
      const link = document.createElement("a");
      link.href = URL.createObjectURL(blob);
      link.download = props.file.name;
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), FREE_AFTER_MS);
    }

    return { busy, done, error, fetchIt, fileSize };
  },
  template: /* html */ `
    <button type="button" class="card card-link" :disabled="busy" data-testid="notice-file" @click="fetchIt">
      <app-icon name="download"/>
      <span class="card-words">
        <b class="break">{{ file.name }}</b>
        <span class="soft">{{ busy ? "正在下载…" : done ? "已经下载，请在手机的下载里打开" : "点一下就下载，" + fileSize(file.bytes) }}</span>
      </span>
    </button>
    <p v-if="error" class="error" role="alert"><app-icon name="alert"/><span>{{ error }}</span></p>
  `,
};
